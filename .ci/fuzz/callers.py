"""Runs Schemathesis once for each kind of caller, each over a local run of its own, and prints a summary. Fails if a check fails
or if there were too few cases.

Usage: callers.py MULTIPARTNER DOCUMENT FOLDER    with the program to start, the OpenAPI document and a folder for logs."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

# For each run. All of them together take at most this long.
SECONDS = int(os.environ.get("SECONDS_PER_CALLER", "55"))
CASES = 2_000
# Open invitations, and customers without one.
INVITATIONS, UNINVITED = 20, 40
# The options that select the operations of each caller.
CALLERS = {
    "operator": ["--exclude-path-regex", "^/v1/(webhooks/|invitations/{invitation_id}/(preview|accept|decline)|sign-in$|sessions)"],
    "partner": ["--include-path-regex", "^/v1/(partners/{partner_id}|me$)"],
    "customer": ["--include-path-regex", "^/v1/(customers/{tenant_id}|me$)"],
    "anyone": ["--include-path-regex", "^/(v1/invitations/|v1/policy$|v1/sign-in$|v1/sessions|i/|c/|p/|signed-in/|assets/|docs|openapi.json)"],
    "webhook": ["--include-path-regex", "^/v1/webhooks/"],
}

program, document, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)


class System:
    """A local run, with a customer and a partner for each role and a few open invitations."""

    def __init__(self, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        command = [program, "serve", "--port", self.url.rsplit(":", 1)[1], "--allow-loopback-endpoints"]
        with open(log, "w") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        printed = self.printed(log)
        # Fabrikam is the partner with an active relationship with Contoso.
        self.operator, self.customer, self.partner = (
            re.search(rf"^\s*{name}\s.*(mpk_\S+)", printed, re.MULTILINE)[1] for name in ("Operator", "Contoso", "Fabrikam")
        )
        self.tenant_id = self.call("GET", "/v1/me", self.customer)["id"]
        self.partner_id = self.call("GET", "/v1/me", self.partner)["id"]
        partner = next(p for p in self.call("GET", "/v1/partners", self.operator)["items"] if p["partner_id"] == self.partner_id)
        body = {name: partner[name] for name in ("tenant_id", "name", "cloud", "market")}
        self.signing_secret = self.call("POST", "/v1/partners", self.operator, body)["signing_secret"]
        customers = [self.register(number) for number in range(INVITATIONS + UNINVITED)]
        self.invitations = [self.invite(tenant_id) for tenant_id in customers[:INVITATIONS]]
        self.uninvited = customers[INVITATIONS:]

    @staticmethod
    def printed(log):
        for _ in range(300):
            printed = pathlib.Path(log).read_text()
            # The last line is about a subscription that is taken.
            if "FABRIKAM-1" in printed:
                return printed
            time.sleep(0.1)
        sys.exit(f"the local run did not start: {printed}")

    def register(self, number):
        tenant_id = f"5c4e3a00-0000-4000-8000-{number:012}"
        customer = {"tenant_id": tenant_id, "name": f"Customer {number}", "cloud": "public", "market": "US"}
        self.call("POST", "/v1/customers", self.operator, customer)
        return tenant_id

    def invite(self, tenant_id):
        """Half of the invitations ask for a role."""
        roles = {"roles": ["helpdesk_administrator"], "duration": "P30D"} if tenant_id[-1] in "13579" else None
        body = {"customer_tenant_id": tenant_id, "delegated_admin": roles}
        made = self.call("POST", f"/v1/partners/{self.partner_id}/invitations", self.partner, body, f"invitation-{tenant_id}")
        return {"id": made["invitation"]["invitation_id"], "token": made["accept_url"].split("#")[1]}

    def call(self, method, path, key, body=None, idempotency_key=None):
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        if idempotency_key:
            headers["idempotency-key"] = idempotency_key
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request) as response:
            return json.loads(response.read())

    def caller(self, name):
        keys = {"operator": self.operator, "partner": self.partner, "customer": self.customer}
        return {
            "key": keys.get(name),
            "signing_secret": self.signing_secret if name == "webhook" else None,
            "partner_id": self.partner_id,
            "tenant_id": self.tenant_id,
            "invitations": self.invitations,
            "uninvited": self.uninvited,
        }

    def stop(self):
        self.process.terminate()
        self.process.wait()


def run(name, options):
    """The exit code and what was printed."""
    system = System(folder / f"{name}-server.log")
    report = folder / f"{name}.ndjson"
    command = [
        "schemathesis", "--config-file", ".ci/fuzz/settings.toml", "run", document, "--url", system.url, "--max-time", str(SECONDS),
        "--continue-on-failure", "--seed", "1", "--report-ndjson-path", str(report), *options,
    ]  # fmt: skip
    environment = {**os.environ, "SCHEMATHESIS_CALLER": json.dumps(system.caller(name)), "PYTHONPATH": ".ci/fuzz", "NO_COLOR": "1"}
    try:
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS * 3)
        if system.process.poll() is not None:
            sys.exit(f"{name}: the local run ended with exit code {system.process.returncode}")
    finally:
        system.stop()
    printed = ended.stdout + ended.stderr
    (folder / f"{name}.txt").write_text(printed)
    return ended.returncode, printed


total, failed = 0, []
for name, options in CALLERS.items():
    began = time.monotonic()
    code, printed = run(name, options)
    counted = re.search(r"([\d,]+) generated", printed)
    cases = int(counted[1].replace(",", "")) if counted else 0
    total += cases
    print(f"{name}: {cases} cases in {time.monotonic() - began:.0f} s, exit code {code}", flush=True)
    if code:
        failed.append(name)
        print(printed[-6_000:])
print(f"schemathesis: {total} cases, faults for: {', '.join(failed) or 'no caller'}")
if total < CASES:
    sys.exit(f"{CASES} cases are expected")
sys.exit(bool(failed))
