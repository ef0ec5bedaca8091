"""Create, accept and register with boto3, as a function for Python is usually written: one file, a client that is made when the
module is loaded, and one handler. It writes the items of Multipartner under the same conditions. It leaves out what only
Multipartner has: the state digests that its audit compares, and delegated administration."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import re
import secrets
import time

import boto3
from botocore.exceptions import ClientError

TABLE = os.environ["TABLE_NAME"]
POLICY, INVITATIONS_PER_DAY, DAYS = 2, 5, 30
DAY_MS, CACHE_MS = 86_400_000, 30_000
WRITERS = ["global_admin", "user_management_admin", "sales_agent"]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
table = boto3.client("dynamodb")
cache = {}


class Problem(Exception):
    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def S(text):
    return {"S": text}


def N(number):
    return {"N": str(number)}


def B(data):
    return {"B": data}


def digest(label, *parts):
    sha = hashlib.sha256()
    for part in (label.encode(), *parts):
        part = part if isinstance(part, bytes) else part.encode()
        sha.update(len(part).to_bytes(8, "big") + part)
    return sha.digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def tail(data):
    return base64.b32encode(data[:16]).decode().rstrip("=").lower()


def shard(family, label, *parts):
    return f"{family}#{digest(label, *parts)[0] % 32}"


def text(ms):
    return f"{ms:013}"


def iso(ms):
    at = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


LINK_KEY = mac(mac(bytes(32), digest("master key", os.environ["MASTER_KEY_1"])), b"invitation link\x01")


def link_token(invitation):
    data = mac(LINK_KEY, digest("invitation link", invitation, (1).to_bytes(4, "big")))
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def get(pk, sk):
    return table.get_item(TableName=TABLE, Key={"pk": S(pk), "sk": S(sk)}, ConsistentRead=True).get("Item")


def cached(pk, sk, now):
    known = cache.get(pk)
    if known and now - known[0] < CACHE_MS:
        return known[1]
    item = get(pk, sk)
    if item:
        cache[pk] = (now, item)
    return item


def active_partner(partner, now):
    item = cached(f"PARTNER#{partner}", "PARTNER", now)
    if not item:
        raise Problem(404, "not_found")
    if item["status"]["S"] != "active":
        raise Problem(403, "partner_not_active")
    return item


def calling_partner(event, now):
    """The partner in the path, by its key. Returns it and the actor of events."""
    scheme, _, key = event["headers"].get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Problem(401, "token_missing")
    key_hash = hashlib.sha256(key.encode()).digest()
    key_id = f"key_{tail(key_hash)}"
    item = cached(f"KEY#{key_id}", "KEY", now)
    if not item or not hmac.compare_digest(item["key_hash"]["B"], key_hash):
        raise Problem(401, "key_invalid")
    if "revoked_at" in item or int(item.get("expires_at", N(now + 1))["N"]) <= now:
        raise Problem(401, "key_invalid")
    partner = event["pathParameters"]["partner_id"]
    if item["principal"]["S"] != "partner" or item["principal_id"]["S"] != partner:
        raise Problem(404, "not_found")
    roles = [role["S"] for role in item["key_roles"]["L"]]
    role = next((role for role in WRITERS if role in roles), None)
    if not role:
        raise Problem(403, "role_not_permitted")
    return active_partner(partner, now), f"partner#{partner}#{role}##{key_id}#key"


def write(kind, pk, sk, condition, values=None, names=None, **more):
    item = {"TableName": TABLE, "ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **more}
    if kind != "Put":
        item["Key"] = {"pk": S(pk), "sk": S(sk)}
    if values:
        item["ExpressionAttributeValues"] = values
    if names:
        item["ExpressionAttributeNames"] = names
    return {kind: item}


def put(item):
    return write("Put", None, None, "attribute_not_exists(pk)", Item=item)


def event_item(kind, aggregate, sequence, before, type_, actor, now, data, partner, customer, **ids):
    """An event with its place in the record's chain of hashes."""
    pk, sk = f"EVENTS#{kind}#{aggregate}", f"{sequence:010}"
    data = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    chain = digest("event", before, pk, sk, type_, actor, text(now), data)
    return {
        "pk": S(pk), "sk": S(sk), "v": N(1), "event_type": S(type_), "occurred": N(now), "actor": S(actor),
        "policy": N(POLICY), "event_data": S(data), "event_hash": B(chain), "state": B(chain[:16]),
        "gsi1pk": S(f"PARTNER#{partner}"), "gsi2pk": S(f"CUSTOMER#{customer}"),
        "gsi4pk": S(shard("OPERATOR#EVENT", "operator", "EVENT", aggregate)), "listed": S(f"EVENT#{text(now)}"),
        "gsi3pk": S(shard("OUTBOX", "outbox", pk, sk)), "gsi3sk": S(text(now)),
        **{name: S(value) for name, value in ids.items()},
    }


def transact(writes):
    """None if it was written; otherwise the code and the conflicting item of each write."""
    for pause in (0.02, 0.04, 0.08, 0.16, 0.3, 0.3, 0.3, 0):
        try:
            table.transact_write_items(TransactItems=writes)
            return None
        except table.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
            if any(reason["Code"] == "ConditionalCheckFailed" for reason in reasons):
                return [(reason["Code"] == "ConditionalCheckFailed", reason.get("Item")) for reason in reasons]
            if not any(reason["Code"] == "TransactionConflict" for reason in reasons):
                raise
            time.sleep(pause)
    raise Problem(503, "contention")


def check_tenant(customer, partner):
    condition = "attribute_exists(pk) AND cloud = :cloud AND market = :market AND attribute_not_exists(csp_partner)"
    values = {":cloud": partner["cloud"], ":market": partner["market"]}
    return write("ConditionCheck", f"TENANT#{customer}", "TENANT", condition, values)


def refuse_tenant(refused, partner):
    failed, tenant = refused
    if not failed:
        return
    if not tenant:
        raise Problem(422, "customer_unknown")
    if "csp_partner" in tenant:
        raise Problem(422, "customer_is_csp_tenant")
    raise Problem(422, "cloud_mismatch" if tenant["cloud"] != partner["cloud"] else "market_mismatch")


def line(body, name, most, required=True):
    value = body.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        raise Problem(422, "validation_failed")
    return value


def tenant_id(body):
    value = body.get("customer_tenant_id")
    if not isinstance(value, str) or not UUID.fullmatch(value):
        raise Problem(422, "validation_failed")
    return value.lower()


def members(event, known):
    body = json.loads(event["body"])
    if not isinstance(body, dict) or not set(body) <= set(known):
        raise Problem(422, "validation_failed")
    return body


def create(event, now):
    partner, actor = calling_partner(event, now)
    partner_id, key = event["pathParameters"]["partner_id"], event["headers"].get("idempotency-key")
    if not key:
        raise Problem(400, "idempotency_key_missing")
    body = members(event, ["customer_tenant_id", "delegated_admin", "message", "contact_email", "external_reference"])
    customer = tenant_id(body)
    if "delegated_admin" not in body or body["delegated_admin"] is not None or customer == partner["tenant"]["S"]:
        raise Problem(422, "validation_failed")
    message, contact = line(body, "message", 1000, False), line(body, "contact_email", 254, False)
    reference = line(body, "external_reference", 100, False)
    id_ = f"inv_{tail(digest('invitation', partner_id, 'key', key))}"
    token, expires = link_token(id_), now + DAYS * DAY_MS
    parts = [customer, "", "", "", message or "", contact or "", ""] + ([reference] if reference else [])
    fingerprint = digest("invitation.create", *parts)
    data = {"kind": "reseller", "delegated_admin": None, "expires_at": iso(expires)}
    happened = event_item("INVITATION", id_, 1, bytes(32), "invitation.created", actor, now, data, partner_id, customer,
                          invitation=id_)
    item = {
        "pk": S(f"INVITATION#{id_}"), "sk": S("INVITATION"), "v": N(1), "kind": S("reseller"), "partner_name": partner["name"],
        "created": N(now), "expires": N(expires), "answer": S("pending"), "version": N(1), "policy": N(POLICY),
        "token_gen": N(1), "key_number": N(1), "token_hash": B(hashlib.sha256(token.encode()).digest()),
        "fingerprint": B(fingerprint), "gsi1pk": S(f"PARTNER#{partner_id}"), "gsi2pk": S(f"CUSTOMER#{customer}"),
        "listed": S(f"INVITATION#{text(now)}"), "gsi3pk": S(shard("DUE", "due", id_)), "gsi3sk": S(text(expires)),
        "event_seq": N(1), "event_hash": happened["event_hash"],
    }
    for name, value in (("message", message), ("contact_email", contact), ("external_reference", reference)):
        if value:
            item[name] = S(value)
    days = [datetime.datetime.fromtimestamp((now - ago * DAY_MS) / 1000, datetime.timezone.utc) for ago in range(8)]
    relationship = write(
        "Update", f"CUSTOMER#{customer}", f"PARTNER#{partner_id}",
        "(attribute_not_exists(open_invitation) OR open_until <= :now) AND "
        "(attribute_not_exists(#day0) OR #day0 < :limit) AND (attribute_not_exists(relation) OR relation <> :active)",
        {":schema": N(1), ":none": S("none"), ":active": S("active"), ":id": S(id_), ":until": N(expires), ":now": N(now),
         ":zero": N(0), ":one": N(1), ":zeros": B(bytes(32)), ":limit": N(INVITATIONS_PER_DAY)},
        {f"#day{ago}": f"invited_{day:%Y%m%d}" for ago, day in enumerate(days)},
        UpdateExpression="SET v = if_not_exists(v, :schema), relation = if_not_exists(relation, :none), "
        "open_invitation = :id, open_until = :until, version = if_not_exists(version, :zero) + :one, "
        "event_seq = if_not_exists(event_seq, :zero), event_hash = if_not_exists(event_hash, :zeros), "
        "#day0 = if_not_exists(#day0, :zero) + :one REMOVE " + ", ".join(f"#day{ago}" for ago in range(1, 8)),
    )
    refused = transact([put(item), check_tenant(customer, partner), relationship, put(happened)])
    replayed = False
    if refused:
        existing = refused[0][1] or get(item["pk"]["S"], "INVITATION")
        if not existing:
            refuse_tenant(refused[1], partner)
            found = refused[2][1] or {}
            if found.get("relation") == S("active"):
                raise Problem(409, "relationship_active")
            is_open = int(found.get("open_until", N(0))["N"]) > now
            raise Problem(409, "invitation_pending") if is_open else Problem(429, "rate_limited")
        if existing["fingerprint"] != item["fingerprint"]:
            raise Problem(422, "idempotency_key_reused")
        item, replayed = existing, True
    view = {"invitation": invitation_view(item, id_, partner_id, customer, now)}
    if item["answer"]["S"] == "pending":
        view["accept_url"] = f"https://{event['headers']['host']}/i/{id_}#{token}"
    location = f"/v1/partners/{partner_id}/invitations/{id_}"
    return answer(201, view, {"location": location, **({"idempotent-replayed": "true"} if replayed else {})})


def invitation_view(item, id_, partner, customer, now):
    state = item["answer"]["S"]
    if state == "pending" and int(item["expires"]["N"]) <= now:
        state = "expired"
    return {
        "invitation_id": id_, "kind": item["kind"]["S"], "state": state, "partner_id": partner,
        "partner_name": item["partner_name"]["S"], "customer_tenant_id": customer, "delegated_admin": None,
        "message": item.get("message", {}).get("S"), "created_at": iso(int(item["created"]["N"])),
        "expires_at": iso(int(item["expires"]["N"])), "version": int(item["version"]["N"]),
        "policy_version": int(item["policy"]["N"]),
    }


def accept(event, now):
    body = members(event, ["token", "accepted_by", "delegated_admin"])
    id_ = event["pathParameters"]["invitation_id"]
    item = get(f"INVITATION#{id_}", "INVITATION")
    sent = hashlib.sha256(str(body.get("token")).encode()).digest()
    if not hmac.compare_digest(item["token_hash"]["B"] if item else bytes(32), sent):
        raise Problem(404, "not_found")
    partner_id, customer = item["gsi1pk"]["S"].removeprefix("PARTNER#"), item["gsi2pk"]["S"].removeprefix("CUSTOMER#")
    state = item["answer"]["S"]
    if state == "accepted" and body.get("delegated_admin") is None:
        return accepted(item, id_, partner_id, customer, now, {"idempotent-replayed": "true"})
    if state != "pending":
        raise Problem(409, "invalid_transition")
    if int(item["expires"]["N"]) <= now or "gsi3sk" not in item:
        raise Problem(410, "invitation_expired")
    person = body.get("accepted_by")
    if not isinstance(person, dict) or not isinstance(person.get("role"), str):
        raise Problem(422, "validation_failed")
    if person["role"] != "global_admin":
        raise Problem(403, "approver_not_permitted")
    partner = active_partner(partner_id, now)
    name, email = line(person, "name", 100), line(person, "email", 254)
    if body.get("delegated_admin") is not None:
        raise Problem(422, "validation_failed")
    salt, version, sequence = secrets.token_bytes(16), int(item["version"]["N"]), int(item["event_seq"]["N"]) + 1
    shown = json.dumps(invitation_view(item, id_, partner_id, customer, now), separators=(",", ":"))
    encode = lambda data: base64.urlsafe_b64encode(data[:16]).decode().rstrip("=")
    data = {"relationship": {"state": "active", "since": iso(now)}, "grant": None,
            "accepted_by": encode(digest("accepted by", salt, name, email)), "shown": encode(digest("shown", salt, shown))}
    happened = event_item("INVITATION", id_, sequence, item["event_hash"]["B"], "invitation.accepted",
                          f"link#{id_}##global_admin##link", now, data, partner_id, customer, invitation=id_)
    new = {"answer": S("accepted"), "decided": N(now), "proof": S("link"), "version": N(version + 1), "by_name": S(name),
           "by_email": S(email), "by_salt": B(salt), "event_seq": N(sequence), "event_hash": happened["event_hash"]}
    close = write(
        "Update", f"INVITATION#{id_}", "INVITATION",
        "answer = :pending AND expires > :now AND attribute_exists(gsi3sk) AND token_hash = :token_hash AND version = :before",
        {":pending": S("pending"), ":now": N(now), ":token_hash": item["token_hash"], ":before": item["version"],
         **{f":{name}": value for name, value in new.items()}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in new) + " REMOVE gsi3pk, gsi3sk",
    )
    start = write(
        "Update", f"CUSTOMER#{customer}", f"PARTNER#{partner_id}", "open_invitation = :id AND relation = :none",
        {":id": S(id_), ":none": S("none"), ":active": S("active"), ":now": N(now), ":proof": S("link"), ":one": N(1),
         ":partner": S(f"PARTNER#{partner_id}"), ":customer": S(f"CUSTOMER#{customer}"),
         ":listed": S(f"RELATIONSHIP#{text(now)}#{customer}#{partner_id}")},
        UpdateExpression="SET relation = :active, period = :id, since = :now, gsi1pk = :partner, gsi2pk = :customer, "
        "listed = :listed, proof = :proof, version = version + :one REMOVE ended, open_invitation, open_until",
    )
    refused = transact([close, check_tenant(customer, partner), start, put(happened)])
    if refused:
        if refused[0][0]:
            return accept(event, now)
        if (refused[2][1] or {}).get("relation") == S("ended"):
            raise Problem(403, "accept_proof_required")
        refuse_tenant(refused[1], partner)
        is_active = (refused[2][1] or {}).get("relation") == S("active")
        raise Problem(409, "invalid_transition") if is_active else Problem(410, "invitation_expired")
    return accepted({**item, **new}, id_, partner_id, customer, now, {})


def accepted(item, id_, partner, customer, now, headers):
    invitation = invitation_view(item, id_, partner, customer, now)
    at = iso(int(item["decided"]["N"]))
    invitation["answer"] = {"decision": "accepted", "decided_at": at, "delegated_admin": None, "proof": item["proof"]["S"]}
    relationship = {"partner_id": partner, "customer_tenant_id": customer, "state": "active", "since": at}
    return answer(200, {"invitation": invitation, "relationship": relationship, "grant": None}, headers)


LENGTHS = {"one_time": 0, "monthly": 1, "annual": 12, "triennial": 36}
TERMS = {"P1M": 1, "P1Y": 12, "P3Y": 36}


def register(event, now):
    partner, actor = calling_partner(event, now)
    partner_id, cloud = event["pathParameters"]["partner_id"], partner["cloud"]["S"]
    body = members(event, ["subscription_id", "customer_tenant_id", "service", "offer_id", "quantity", "billing_cycle", "term",
                           "friendly_name", "external_reference", "started_on"])
    id_, customer, quantity = body.get("subscription_id"), tenant_id(body), body.get("quantity")
    if not isinstance(id_, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", id_) or type(quantity) is not int or quantity < 1:
        raise Problem(422, "validation_failed")
    service, offer = line(body, "service", 100), line(body, "offer_id", 100)
    cycle, term = body.get("billing_cycle"), body.get("term")
    if cycle not in LENGTHS or term not in TERMS or LENGTHS[cycle] > TERMS[term]:
        raise Problem(422, "validation_failed")
    optional = {name: line(body, name, 100, False) for name in ("friendly_name", "external_reference", "started_on")}
    fingerprint = digest("registration", id_.lower(), customer, service, offer, str(quantity), cycle, term,
                         *(value or "" for value in optional.values()))
    aggregate = f"{cloud}#{id_.lower()}"
    data = {"service": service, "offer_id": offer, "quantity": quantity, "billing_cycle": cycle, "term": term}
    happened = event_item("SUBSCRIPTION", aggregate, 1, bytes(32), "subscription.registered", actor, now, data, partner_id,
                          customer, subscription=id_)
    item = {
        "pk": S(f"SUBSCRIPTION#{aggregate}"), "sk": S("SUBSCRIPTION"), "v": N(1), "subscription": S(id_), "cloud": S(cloud),
        "service": S(service), "offer": S(offer), "quantity": N(quantity), "billing": S(cycle), "term": S(term),
        "registered": N(now), "policy": N(POLICY), "fingerprint": B(fingerprint), "gsi1pk": S(f"PARTNER#{partner_id}"),
        "gsi2pk": S(f"CUSTOMER#{customer}"), "listed": S(f"SUBSCRIPTION#{text(now)}"), "event_seq": N(1),
        "event_hash": happened["event_hash"], **{name: S(value) for name, value in optional.items() if value},
    }
    active = write("ConditionCheck", f"CUSTOMER#{customer}", f"PARTNER#{partner_id}", "relation = :active",
                   {":active": S("active")})
    tenant = write("ConditionCheck", f"TENANT#{customer}", "TENANT", "attribute_exists(pk) AND attribute_not_exists(csp_partner)")
    refused = transact([put(item), active, tenant, put(happened)])
    status, headers = 201, {}
    if refused:
        existing = refused[0][1] or get(item["pk"]["S"], "SUBSCRIPTION")
        if not existing or existing["gsi1pk"] != item["gsi1pk"] or existing["fingerprint"] != item["fingerprint"]:
            if refused[1][0]:
                raise Problem(403, "no_active_relationship")
            raise Problem(403, "customer_is_csp_tenant") if refused[2][0] else Problem(409, "subscription_exists")
        item, status, headers = existing, 200, {"idempotent-replayed": "true"}
    view = {
        "subscription_id": item["subscription"]["S"], "customer_tenant_id": customer, "service": item["service"]["S"],
        "offer_id": item["offer"]["S"], "quantity": int(item["quantity"]["N"]), "billing_cycle": item["billing"]["S"],
        "term": item["term"]["S"], "partner_of_record": partner_id, "registered_at": iso(int(item["registered"]["N"])),
        "policy_version": int(item["policy"]["N"]),
    }
    location = f"/v1/partners/{partner_id}/subscriptions/{view['subscription_id']}"
    return answer(status, {"subscription": view}, {"location": location, **headers})


def answer(status, body, headers=()):
    headers = {"content-type": "application/json", **dict(headers)}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body, separators=(",", ":"))}


ROUTES = {
    "POST /v1/partners/{partner_id}/invitations": create,
    "POST /v1/invitations/{invitation_id}/accept": accept,
    "POST /v1/partners/{partner_id}/subscriptions": register,
}


def handler(event, _context=None):
    try:
        return ROUTES[event["routeKey"]](event, time.time_ns() // 1_000_000)
    except Problem as problem:
        return answer(problem.status, {"status": problem.status, "code": problem.code},
                      {"content-type": "application/problem+json"})
    except ClientError:
        return answer(503, {"status": 503, "code": "unavailable"})


if __name__ == "__main__":
    import runtime

    runtime.run(handler)
