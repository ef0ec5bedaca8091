"""Calls the two jobs of outgoing webhooks with their samples in `events/`, over a real table and a real queue. The items that the
samples refer to are put into the table first, as the stream's records show them.

Usage: jobs.py TABLE-ENDPOINT QUEUE-ENDPOINT QUEUE-URL COMMAND…    The command prints the response. `{binary}`, `{name}` and
`{event}` in it stand for the function's Cargo package, its logical id and the file. The queue is deleted at the end."""

import base64
import json
import pathlib
import subprocess
import sys
import time

import boto3

from functions import functions

TABLE = "multipartner"
EVENTS = pathlib.Path("events")
COMMITTED, EVERY_MINUTE = EVENTS / "publish-events/committed.json", EVENTS / "publish-events/every-minute.json"
QUEUED = EVENTS / "deliver-webhook/queued.json"
# Older than the events that the scheduled run leaves to the stream.
LONG_AGO_MS = 300_000

names = {function.binary: function.name for function in functions()}
table_endpoint, queue_endpoint, queue_url, *command = sys.argv[1:]
dynamodb = boto3.client("dynamodb", endpoint_url=table_endpoint)
sqs = boto3.client("sqs", endpoint_url=queue_endpoint)
records = [record["dynamodb"] for record in json.loads(COMMITTED.read_text())["Records"]]
marked = [record["NewImage"] for record in records if "NewImage" in record]
delivery = next(item for item in marked if item["pk"]["S"].startswith("DELIVERY#"))
message = next(record["OldImage"] for record in records if record["Keys"]["sk"]["S"] == "MESSAGE")


def now_ms():
    return int(time.time() * 1000)


def put(item):
    """Puts an item with times of today, because the samples have a fixed time and the table removes old items."""
    kept = {name: {**value} for name, value in item.items()}
    if "ttl" in kept:
        kept["ttl"] = {"N": str(now_ms() // 1000 + 86_400)}
    if "gsi3sk" in kept:
        kept["gsi3sk"] = {"S": str(now_ms() - LONG_AGO_MS)}
    for value in kept.values():
        if "B" in value:
            value["B"] = base64.b64decode(value["B"])
    dynamodb.put_item(TableName=TABLE, Item=kept)


def get(item):
    key = {name: item[name] for name in ("pk", "sk")}
    return dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]


def marks():
    """How many items are marked as unpublished. A delivery keeps another mark, by which a lost ticket is noticed."""
    return sum(get(item).get("gsi3pk", {"S": ""})["S"].startswith("OUTBOX#") for item in marked)


def tickets():
    """Takes all tickets out of the queue."""
    found = []
    while received := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        for one in received:
            found.append(json.loads(one["Body"]))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=one["ReceiptHandle"])
    return found


def call(function, event):
    words = [word.format(binary=function, name=names[function], event=event) for word in command]
    began = time.monotonic()
    called = subprocess.run(words, capture_output=True, text=True, timeout=180)
    if called.returncode:
        sys.exit(f"{function} with {event}: {called.stdout}{called.stderr}")
    print(f"{function} {event.name}: {called.stdout.strip()} ({time.monotonic() - began:.1f} s)", flush=True)
    return json.loads(called.stdout)


def equal(what, seen, expected):
    if seen != expected:
        sys.exit(f"{what}: {seen} instead of {expected}")


def mark():
    for item in marked:
        put(item)


def publishes(event, answer):
    """No item is left unpublished, and the delivery's ticket is in the queue. The event has no endpoint to go to."""
    mark()
    equal("answer", call("publish-events", event), answer)
    equal("items that are still marked", marks(), 0)
    equal("tickets", [ticket["event_id"] for ticket in tickets()], [delivery["pk"]["S"].removeprefix("DELIVERY#")])


def delivers():
    """The endpoint is gone, so nothing is sent and the delivery is aborted."""
    put(message)
    equal("answer", call("deliver-webhook", QUEUED), {"batchItemFailures": []})
    equal("state of the delivery", get(delivery)["delivery_state"]["S"], "aborted")


def waits_for_the_queue():
    """Without a queue the batch is repeated from the first record that has a ticket."""
    sqs.delete_queue(QueueUrl=queue_url)
    mark()
    first = next(record["SequenceNumber"] for record in records if record.get("NewImage") == delivery)
    equal("answer", call("publish-events", COMMITTED), {"batchItemFailures": [{"itemIdentifier": first}]})
    equal("items that are still marked", marks(), len(marked))


publishes(COMMITTED, {"batchItemFailures": []})
publishes(EVERY_MINUTE, {"published": len(marked)})
delivers()
waits_for_the_queue()
