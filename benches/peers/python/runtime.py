"""The least loop over the Runtime API. Lambda's own client for Python does more."""

import http.client
import json
import os


def run(handler):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        response = connection.getresponse()
        event, id_ = json.loads(response.read()), response.headers["Lambda-Runtime-Aws-Request-Id"]
        result = json.dumps(handler(event)).encode()
        connection.request("POST", f"/2018-06-01/runtime/invocation/{id_}/response", result)
        connection.getresponse().read()
