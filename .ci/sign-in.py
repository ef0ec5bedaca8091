"""Acts as the browser of administrators who sign in: .ci/sign-in.

Usage: sign-in.py API_URL PUBLIC_URL [LOG]      PUBLIC_URL is the address that users see.
"""
import http.cookiejar
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

API, BASE, *LOGS = sys.argv[1:]
CONTOSO = "c0c0c0c0-0000-4000-8000-000000000001"
ADVENTURE = "d0d0d0d0-0000-4000-8000-000000000002"
PROSEWARE = "e0e0e0e0-0000-4000-8000-000000000003"
WOODGROVE = "60000000-0000-4000-8000-000000000006"
secrets = []


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """A browser with cookies. Cookies ignore ports, so those of the deployment and of the provider are kept apart."""

    def __init__(self):
        self.deployment, self.provider = (
            urllib.request.build_opener(NoRedirect, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
            for _ in range(2)
        )

    def call(self, method, path, body=None, expect=200):
        headers = {"x-multipartner": "1", "Origin": BASE, "Sec-Fetch-Site": "same-origin"}
        status, answer, _ = send(self.deployment, method, API + path, body, headers)
        assert status == expect, f"{method} {path}: {status} instead of {expect}: {answer}"
        return answer

    def begin(self, tenant, cloud, invitation=None):
        body = {"tenant_id": tenant, "cloud": cloud}
        if invitation:
            body["invitation_id"] = invitation
        return self.call("POST", "/v1/sign-in", body)["authorize_url"]

    def authorize(self, url, person):
        """Follows the provider until it returns to the deployment. Returns the parameters in the fragment."""
        url += "&" + urllib.parse.urlencode({"login_hint": person})
        for _ in range(8):
            status, answer, headers = send(self.provider, "GET", url)
            assert headers.get("location"), f"the provider's own page: {status} {answer}"
            url = urllib.parse.urljoin(url, headers["location"])
            if url.startswith(BASE):
                fragment = urllib.parse.urlparse(url).fragment
                return dict(urllib.parse.parse_qsl(fragment))
        raise AssertionError("too many redirects")

    def finish(self, cloud, returned, expect=201):
        secrets.extend([returned["code"], returned["state"]])
        body = {"cloud": cloud} | {name: returned[name] for name in ("code", "state", "iss")}
        return self.call("POST", "/v1/sessions", body, expect)

    def sign_in(self, tenant, cloud, person="administrator", expect=201, invitation=None):
        return self.finish(cloud, self.authorize(self.begin(tenant, cloud, invitation), person), expect)


def send(opener, method, url, body=None, headers=None):
    headers = dict(headers or {})
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    try:
        response = opener.open(urllib.request.Request(url, data, headers, method=method), timeout=20)
    except urllib.error.HTTPError as error:
        response = error
    text = response.read().decode()
    for cookie in response.headers.get_all("set-cookie") or []:
        value = cookie.split(";")[0].partition("=")[2]
        if url.startswith(API) and value:
            secrets.append(value)
    try:
        return response.status, json.loads(text), response.headers
    except ValueError:
        return response.status, text[:300], response.headers


def by_key(key, method, path, body=None, expect=(200, 201), idempotency=None):
    headers = {"Authorization": f"Bearer {key}"}
    if idempotency:
        headers["Idempotency-Key"] = idempotency
    status, answer, _ = send(urllib.request.build_opener(), method, API + path, body, headers)
    assert status in expect, f"{method} {path}: {status}: {answer}"
    return answer


def say(text):
    print(f"  {text}")


operator = os.environ["OPERATOR_KEY"]
# The local run has some of them, as samples.
for tenant, name, cloud in [
    (CONTOSO, "Contoso", "public"), (ADVENTURE, "Adventure Works", "public"), (WOODGROVE, "Woodgrove County", "us_gov")
]:
    facts = {"tenant_id": tenant, "name": name, "cloud": cloud, "market": "US"}
    by_key(operator, "POST", "/v1/customers", facts, expect=(200, 201, 409))
facts = {"tenant_id": PROSEWARE, "name": "Proseware", "cloud": "public", "market": "US"}
partner = by_key(operator, "POST", "/v1/partners", facts)["partner"]["partner_id"]
principal = {"kind": "partner", "id": partner}
proseware = by_key(operator, "POST", "/v1/keys", {"principal": principal, "roles": ["sales_agent"], "name": "interop"})["key"]

policy = by_key(operator, "GET", "/v1/policy")
for cloud in ["public", "us_gov"]:
    assert policy["clouds"][cloud]["sign_in"]["issuer"].startswith("http://localhost:"), policy["clouds"][cloud]
say("the policy shows sign-in for both clouds")

# Each tenant, by secret and by key.
browsers = {}
for tenant, cloud in [(CONTOSO, "public"), (ADVENTURE, "public"), (WOODGROVE, "us_gov")]:
    browser, began = Browser(), time.monotonic()
    session = browser.sign_in(tenant, cloud)["session"]
    took = (time.monotonic() - began) * 1000
    assert (session["tenant_id"], session["name"]) == (tenant, "Quinn Approver"), session
    me = browser.call("GET", "/v1/me")
    assert json.dumps(me).count(tenant), me
    browsers[tenant] = browser
    say(f"{cloud} {tenant[:8]}: signed in, {took:.0f} ms with all redirects")

# A session is for its own tenant only.
browsers[ADVENTURE].call("GET", f"/v1/customers/{CONTOSO}", expect=404)
say("a session of another tenant finds nothing")

# People who must not get in, each with an authentic token.
for person, code in [("user", "not_an_approver"), ("guest", "approver_not_home"), ("outsider", "approver_not_home")]:
    problem = Browser().sign_in(CONTOSO, "public", person, expect=403)
    assert problem["code"] == code, problem
    say(f"{person}: 403 {code}")

# The same return twice, in another browser, and the code of another tenant.
browser = Browser()
returned = browser.authorize(browser.begin(CONTOSO, "public"), "administrator")
assert returned["iss"].endswith(f"/public/{CONTOSO}/v2.0"), returned
problem = Browser().finish("public", returned, expect=401)
assert problem["code"] == "sign_in_expired", problem
browser.finish("public", returned)
problem = browser.finish("public", returned, expect=401)
assert problem["code"] in ("sign_in_expired", "sign_in_failed"), problem
mixed = Browser()
theirs = mixed.authorize(mixed.begin(ADVENTURE, "public"), "administrator")
ours = mixed.authorize(mixed.begin(CONTOSO, "public"), "administrator")
problem = mixed.finish("public", {**ours, "code": theirs["code"]}, expect=401)
assert problem["code"] == "sign_in_failed", problem
say("a code works once, in its own browser, for its own tenant")

# A return that names the issuer of another tenant (RFC 9207). The code is not sent anywhere.
confused = Browser()
ours = confused.authorize(confused.begin(CONTOSO, "public"), "administrator")
problem = confused.finish("public", {**ours, "iss": theirs["iss"]}, expect=401)
assert problem["code"] == "sign_in_failed", problem
say("a return must name the issuer where the sign-in began")

# Two tabs return in either order.
tabs = Browser()
first = tabs.authorize(tabs.begin(CONTOSO, "public"), "administrator")
second = tabs.authorize(tabs.begin(ADVENTURE, "public"), "administrator")
assert tabs.finish("public", second)["session"]["tenant_id"] == ADVENTURE
assert tabs.finish("public", first)["session"]["tenant_id"] == CONTOSO
say("two tabs sign in for two tenants")

# The administrator accepts, and the event says so.
body = {"customer_tenant_id": ADVENTURE, "delegated_admin": {"roles": ["global_reader"], "duration": "P30D", "auto_extend": False}}
created = by_key(proseware, "POST", f"/v1/partners/{partner}/invitations", body, idempotency="interop-1")
invitation_id = created["invitation"]["invitation_id"]
signed_in = Browser()
answer = signed_in.sign_in(ADVENTURE, "public", invitation=invitation_id)
assert answer["invitation_id"] == invitation_id, answer
accept = {
    "version": 1,
    "accepted_by": {"name": "Quinn Approver", "email": "quinn@customer.example"},
    "delegated_admin": "as_requested",
}
path = f"/v1/customers/{ADVENTURE}"
signed_in.call("POST", f"{path}/invitations/{invitation_id}/accept", accept)
events = signed_in.call("GET", f"{path}/events")["items"]
accepted = next(event for event in events if event["type"] == "invitation.accepted")
assert accepted["actor"]["proof"] == "sign_in", accepted
assert "Quinn" not in json.dumps(accepted) and "1111-4111" not in json.dumps(accepted), accepted
say("an administrator accepts with roles; the event has proof sign_in and no personal data")

ended = signed_in.call("DELETE", "/v1/sessions/current")
assert ended["sign_out_url"].startswith("http://localhost:"), ended
signed_in.call("GET", "/v1/me", expect=401)
say("a session ends when the person signs out")

for LOG in LOGS:
    log = open(LOG, encoding="utf-8").read()
    leaked = [secret for secret in secrets if len(secret) > 8 and secret in log]
    assert "sign-in failed" in log, "this is not the log of the functions"
    assert not leaked and "Quinn" not in log and "eyJ" not in log, "the log has a code, a token, a cookie or a name"
    say(f"the log has none of {len(secrets)} codes, states and cookies, no token and no name")
