"""A small Lambda Runtime API that runs a function's binary without Lambda."""

import http.server
import os
import queue
import subprocess
import threading
import time


class Runtime(http.server.ThreadingHTTPServer):
    """Hands out events and records when a function asks for one and answers it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events, self.asked, self.answered = queue.Queue(), queue.Queue(), queue.Queue()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise Nagle's algorithm and delayed acknowledgements add 40 ms to every response.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.put(time.perf_counter())
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000000")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 10_000))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:f")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)
        self.wfile.flush()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answered.put((time.perf_counter(), body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()


def environment(runtime, endpoint):
    """The environment variables that Lambda and the template set."""
    return {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "a-secret-that-must-not-be-printed",
        "TABLE_NAME": "multipartner",
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_USE_FIPS_ENDPOINT": "false",
        "PUBLIC_BASE_URL": "",
        "MASTER_KEY_1": os.environ["MASTER_KEY_1"],
        "OPERATOR_KEY_HASH": os.environ["OPERATOR_KEY_HASH"],
        "WEBHOOK_QUEUE_URL": "http://127.0.0.1:9/000000000000/webhooks",
        "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9",
        "ALLOW_LOOPBACK_ENDPOINTS": "false",
    }


class Process:
    """A running function."""

    def __init__(self, binary, endpoint):
        self.runtime = Runtime()
        threading.Thread(target=self.runtime.serve_forever, args=(0.01,), daemon=True).start()
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [binary], env=environment(self.runtime, endpoint), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self.started = self.runtime.asked.get(timeout=20) - began
        except queue.Empty:
            self.end()
            raise

    def invoke(self, event):
        """Seconds, and the response."""
        sent = time.perf_counter()
        self.runtime.events.put(event)
        done, body = self.runtime.answered.get(timeout=40)
        self.runtime.asked.get(timeout=20)
        return done - sent, body

    def memory(self):
        """Peak resident memory in megabytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

    def end(self):
        self.process.kill()
        self.process.wait()
        self.runtime.events.put(None)
        self.runtime.shutdown()
