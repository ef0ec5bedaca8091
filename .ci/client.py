"""Uses the generated client against a local run: a partner invites a customer, who accepts, and the partner registers a
subscription.

Usage: client.py URL    with OPERATOR_KEY and PARTNER_KEY in the environment. The package `generated` is on the Python path."""

import importlib
import inspect
import os
import pathlib
import re
import sys
import typing

import generated

url = sys.argv[1]
CUSTOMER = {"tenant_id": "ada70000-0000-4000-8000-000000000004", "name": "Adatum", "cloud": "public", "market": "US"}


def operations():
    """The generated module of each method and path."""
    folder = pathlib.Path(generated.__file__).parent
    for file in folder.glob("api/**/*.py"):
        found = re.search(r'"method": "(\w+)",\s+"url": "([^"]+)"', file.read_text())
        if found:
            yield f"{found[1].upper()} {found[2]}", ".".join(["generated", *file.relative_to(folder).with_suffix("").parts])


modules = dict(operations())


def model(annotation):
    """The model of a body. An optional body or one with variants has several types."""
    return next(one for one in typing.get_args(annotation) or [annotation] if hasattr(one, "from_dict"))


def call(route, key, body, expected, **parameters):
    """The parsed response as a dictionary."""
    module = importlib.import_module(modules[route])
    client = generated.AuthenticatedClient(url, token=key) if key else generated.Client(url)
    signature = inspect.signature(module.sync_detailed)
    if body is not None:
        parameters["body"] = model(signature.parameters["body"].annotation).from_dict(body)
    response = module.sync_detailed(client=client, **parameters)
    if response.status_code != expected:
        sys.exit(f"{route}: {response.status_code} instead of {expected}: {response.content.decode()}")
    # A generated model, and not only the bytes.
    parsed = response.parsed.to_dict()
    print(f"{route}: {int(response.status_code)} {type(response.parsed).__name__}")
    return parsed


operator, partner_key = os.environ["OPERATOR_KEY"], os.environ["PARTNER_KEY"]
partner = call("GET /v1/me", partner_key, None, 200)["id"]
call("POST /v1/customers", operator, CUSTOMER, 201)
invited = call(
    "POST /v1/partners/{partner_id}/invitations",
    partner_key,
    {"customer_tenant_id": CUSTOMER["tenant_id"], "delegated_admin": None, "message": "We would like to work with you."},
    201,
    partner_id=partner,
    idempotency_key="order-1",
)
acceptance = {
    "token": invited["accept_url"].split("#")[1],
    "accepted_by": {"name": "Ada Lopez", "email": "ada@adatum.example", "role": "global_admin"},
}
accepted = call(
    "POST /v1/invitations/{invitation_id}/accept",
    None,
    acceptance,
    200,
    invitation_id=invited["invitation"]["invitation_id"],
)
subscription = {
    "subscription_id": "NW-1",
    "customer_tenant_id": CUSTOMER["tenant_id"],
    "service": "office_suite",
    "offer_id": "office-suite-business",
    "quantity": 10,
    "billing_cycle": "monthly",
    "term": "P1Y",
}
registered = call(
    "POST /v1/partners/{partner_id}/subscriptions", partner_key, subscription, 201, partner_id=partner
)["subscription"]
if accepted["relationship"]["state"] != "active" or registered["partner_of_record"] != partner:
    sys.exit(f"unexpected result: {accepted}, {registered}")
print("invite, accept and register work with the generated client")
