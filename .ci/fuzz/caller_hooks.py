"""Hooks of Schemathesis: credentials of a role, signatures of webhooks, and real ids and links in most cases, because few rules
can be reached with invented ids.

`callers.py` passes the role in the environment variable SCHEMATHESIS_CALLER as JSON."""

import base64
import hashlib
import hmac
import json
import os
import time
import zlib

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

caller = json.loads(os.environ["SCHEMATHESIS_CALLER"])
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class Credentials(requests.auth.AuthBase):
    """Adds the role's key, or signs the body with the partner's secret."""

    def __call__(self, request):
        if caller["key"]:
            request.headers["authorization"] = f"Bearer {caller['key']}"
        # A case without one of the three headers stays as it is.
        if caller["signing_secret"] and all(name in request.headers for name in HEADERS):
            sign(request)
        return request


def sign(request):
    def to_bytes(value):
        return value.encode("utf-8", "replace") if isinstance(value, str) else value or b""

    timestamp = str(int(time.time()))
    key = base64.b64decode(caller["signing_secret"].removeprefix("whsec_"))
    signed = b".".join([to_bytes(request.headers["webhook-id"]), timestamp.encode(), to_bytes(request.body)])
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    request.headers["webhook-timestamp"] = timestamp
    request.headers["webhook-signature"] = f"v1,{signature}"


schemathesis.auth.set_from_requests(Credentials())


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Puts real values into four of five cases whose path is meant to be valid. The same case always gets the same values."""
    number = zlib.crc32(repr((case.path_parameters, case.body)).encode())
    if number % 5 == 0 or (case.meta and case.meta.is_negative_at(ParameterLocation.PATH)):
        return
    number //= 5
    invitation = caller["invitations"][number % len(caller["invitations"])]
    path = {"partner_id": caller["partner_id"], "tenant_id": caller["tenant_id"], "invitation_id": invitation["id"]}
    case.path_parameters = replaced(case.path_parameters, path)
    if not (case.meta and case.meta.is_negative_at(ParameterLocation.BODY)):
        # Subscriptions need a customer with a relationship, invitations one without an open invitation.
        uninvited = caller["uninvited"][number % len(caller["uninvited"])]
        is_subscription = "subscription" in case.operation.path
        body = {"token": invitation["token"], "customer_tenant_id": caller["tenant_id"] if is_subscription else uninvited}
        case.body = replaced(case.body, body)
        if isinstance(case.body, dict) and isinstance(case.body.get("data"), dict):
            case.body = {**case.body, "data": replaced(case.body["data"], body)}


def replaced(members, real):
    """The members that are there, with real values."""
    return {name: real.get(name, value) for name, value in members.items()} if isinstance(members, dict) else members
