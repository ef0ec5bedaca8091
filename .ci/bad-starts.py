"""Runs each built function in a broken environment (one line and exit code 1), with events that are not its own (a problem), and
with a table that does not answer (503 with Retry-After, in time). No function may print a secret or panic."""

import base64
import json
import os
import socket
import subprocess
import sys
import threading

from functions import functions
from runtime import Process, Runtime, environment

# Variable and value. None removes the variable.
BROKEN = [
    ("TABLE_NAME", None),
    ("TABLE_NAME", ""),
    ("AWS_REGION", None),
    ("AWS_ACCESS_KEY_ID", None),
    ("AWS_SECRET_ACCESS_KEY", ""),
    ("AWS_ENDPOINT_URL_DYNAMODB", "a-value-that-must-not-be-printed"),
    ("AWS_USE_FIPS_ENDPOINT", "a-value-that-must-not-be-printed"),
    ("PUBLIC_BASE_URL", "a-value-that-must-not-be-printed"),
    ("OPERATOR_KEY_HASH", "a-value-that-must-not-be-printed"),
    ("MASTER_KEY_1", "must-not-be-printed"),
    ("MASTER_KEY_1", "{{resolve:secretsmanager:a-value-that-must-not-be-printed}}"),
    ("AWS_LAMBDA_RUNTIME_API", None),
    ("AWS_LAMBDA_FUNCTION_NAME", None),
]
# The same for functions that have the variable in the template. Others do not read it.
BROKEN_FOR_SOME = [
    ("MASTER_KEY_1", None),
    ("CURRENT_MASTER_KEY", "2"),
    ("CURRENT_MASTER_KEY", "must-not-be-printed"),
    ("WEBHOOK_QUEUE_URL", None),
    ("WEBHOOK_QUEUE_URL", ""),
    ("AWS_ENDPOINT_URL_SQS", "a-value-that-must-not-be-printed"),
    ("ALLOW_LOOPBACK_ENDPOINTS", "a-value-that-must-not-be-printed"),
]
faults = []


def check(holds, what):
    if not holds:
        faults.append(what)
        print(f"  {what}")


def environments(function):
    name = function.binary
    for variable, value in BROKEN + [broken for broken in BROKEN_FOR_SOME if broken[0] in function.variables]:
        given = environment(Runtime(), "")
        given.pop(variable, None)
        if value is not None:
            given[variable] = value
        ended = subprocess.run([function.built], env=given, capture_output=True, timeout=20, text=True)
        lines = ended.stderr.strip().splitlines()
        what = f"{name} with {variable}={value}: exit {ended.returncode}, {ended.stderr.strip()[:300]!r}"
        check(ended.returncode == 1 and len(lines) == 1 and variable in lines[0], what)
        printed = ended.stderr + ended.stdout
        check("must-not-be-printed" not in printed and os.environ["MASTER_KEY_1"] not in printed, f"{name}: printed a secret")


def problem(answer):
    answer = json.loads(answer)
    body = answer.get("body") or ""
    if answer.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    kinds = {k.lower(): v for k, v in (answer.get("headers") or {}).items()}
    return answer["statusCode"], kinds, json.loads(body) if "problem+json" in kinds.get("content-type", "") else None


def strange_events(function):
    name = function.binary
    process = Process(function.built, "http://127.0.0.1:9")
    try:
        version_1 = {"version": "1.0", "resource": "/v1/me", "path": "/v1/me", "httpMethod": "GET", "requestContext": {}}
        for what, event in [("{}", {}), ("null", None), ("text", "x"), ("a version 1.0 payload", version_1)]:
            _, answer = process.invoke(json.dumps(event).encode())
            status, _, body = problem(answer)
            check(400 <= status < 500 and body is not None, f"{name}: {what} is answered {status} {answer[:200]}")
        other_stage = json.loads(function.samples[0].read_text())
        other_stage["requestContext"]["stage"] = "prod"
        other_stage["rawPath"] = "/prod" + other_stage["rawPath"]
        _, answer = process.invoke(json.dumps(other_stage).encode())
        check(problem(answer)[0] != 500, f"{name}: another stage is answered {answer[:200]}")
    finally:
        process.end()


def silent():
    """The address of a table that accepts connections and never answers."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    held = []

    def hold():
        while True:
            held.append(listener.accept())

    threading.Thread(target=hold, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def without_table(function):
    name = function.binary
    for what, endpoint in [("down", "http://127.0.0.1:9"), ("silent", silent())]:
        process = Process(function.built, endpoint)
        try:
            # The key of this caller has to be read from the table.
            event = json.loads(function.samples[0].read_text())
            event["headers"]["authorization"] = "Bearer mpk_" + "A" * 43
            seconds, answer = process.invoke(json.dumps(event).encode())
            status, headers, _ = problem(answer)
            line = f"{name}, table {what}: started in {process.started:.2f} s, {status} after {seconds:.2f} s"
            print(line)
            good = status == 503 and "retry-after" in headers and seconds < 9 and process.started < 9
            # A function without the table answers as usual. Without a client id, sign-in answers before it uses the table.
            expected = status == 409 if name == "sign-in" else good if function.uses_table else status < 300
            check(expected, f"{line} {answer[:200]}")
        finally:
            process.end()


for function in functions():
    environments(function)
    # Only AWS calls a job, so strange events can't reach it.
    if function.routes:
        strange_events(function)
        without_table(function)
print(f"{len(faults)} faults")
sys.exit(1 if faults else 0)
