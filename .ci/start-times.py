"""Measures how long each function takes from exec to its first `/next`, and how long the first request takes compared with a warm
one. A hello world on the same runtime is the baseline.

Usage: start-times.py HELLO ENDPOINT [ROUNDS]"""

import json
import statistics
import sys

from functions import functions
from runtime import Process

hello, endpoint, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 20
WARM = 20


def run(binary, event):
    """Milliseconds until the first `/next`, of the first request, and of a warm one; megabytes; the first answer."""
    process = Process(binary, endpoint)
    try:
        first, answer = process.invoke(event)
        warm = statistics.median(process.invoke(event)[0] for _ in range(WARM))
        return process.started * 1000, first * 1000, warm * 1000, process.memory(), answer
    finally:
        process.end()


def measure(name, binary, event, floor=None):
    runs = [run(binary, event) for _ in range(rounds)]
    start, first, warm, memory = (statistics.median(run[i] for run in runs) for i in range(4))
    answer = json.loads(runs[0][4])
    status = answer.get("statusCode", "done") if isinstance(answer, dict) else "done"
    times = f"{start / (floor or start):.1f}x"
    print(f"{name:24} {start:9.2f} {times:>6} {first:9.2f} {warm:9.2f} {memory:7.1f}  {status}", flush=True)
    return start


print(f"medians of {rounds} starts")
print(f"{'function':24} {'start ms':>9} {'':>6} {'first ms':>9} {'warm ms':>9} {'MB':>7}  answer")
floor = measure("hello", hello, b"{}")
for function in functions():
    measure(function.binary, function.built, function.samples[0].read_bytes(), floor)
