"""Two stacks side by side on the emulated account, and the restore of docs/deploy.md for one of them: back up, damage, restore
into a new table, put that into service by parameters, check reads and events.

Usage: restore.py KEY HASH KEY HASH    the first operator's key and its hash, for each stack"""

import http.server
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request

import boto3

from ministack import deploy, resources

EMULATOR = os.environ["AWS_ENDPOINT_URL"]
dynamodb, functions_api = boto3.client("dynamodb"), boto3.client("lambda")
began = time.monotonic()


def say(text):
    print(f"{time.monotonic() - began:5.1f} s  {text}", flush=True)


def check(holds, text):
    if not holds:
        sys.exit(f"not true: {text}")
    say(text)


def wait_for(what, condition, seconds=60):
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            sys.exit(f"waited {seconds} s for {what}")
        time.sleep(0.2)
    return found


class Receiver(http.server.ThreadingHTTPServer):
    """A webhook endpoint on this machine."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.messages = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def of_type(self, kind, subject):
        return [one for one in self.messages if one["type"] == kind and subject in json.dumps(one)]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Stack:
    """A deployed stack and its operator."""

    def __init__(self, name, key, hashed):
        self.name, self.key, self.hashed = name, key, hashed
        self.path = deploy(hashed, name)

    def call(self, method, path, body=None, key=None, headers=None):
        """Status and response."""
        request = urllib.request.Request(EMULATOR + self.path + path, method=method)
        request.add_header("authorization", f"Bearer {key or self.key}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if body is not None:
            request.add_header("content-type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def expect(self, status, method, path, body=None, **more):
        seen, answer = self.call(method, path, body, **more)
        if seen != status:
            sys.exit(f"{method} {path}: {seen} {answer}")
        return answer

    def ids(self, path):
        """The first member of each item of an operator's list."""
        return [next(iter(item.values())) for item in self.expect(200, "GET", path)["items"]]

    def parts(self):
        return resources(self.name)

    def functions(self):
        listed = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        all_of_them = (one for page in listed for one in page["StackResourceSummaries"])
        return [one["PhysicalResourceId"] for one in all_of_them if one["ResourceType"] == "AWS::Lambda::Function"]

    def table(self):
        outputs = boto3.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]["Outputs"]
        return next(output["OutputValue"] for output in outputs if output["OutputKey"] == "TableName")


class Story:
    """A partner with an endpoint, and customers that it invites."""

    def __init__(self, stack, receiver, number):
        self.stack, self.receiver, self.number = stack, receiver, number
        tenant = {"tenant_id": self.tenant(0), "name": f"Northwind {number}", "cloud": "public", "market": "US"}
        self.partner = stack.expect(201, "POST", "/v1/partners", tenant)["partner"]["partner_id"]
        principal = {"kind": "partner", "id": self.partner}
        body = {"principal": principal, "roles": ["global_admin"], "name": "drill"}
        self.key = stack.expect(201, "POST", "/v1/keys", body)["key"]
        self.base = f"/v1/partners/{self.partner}"
        url = {"url": f"http://127.0.0.1:{receiver.server_port}/"}
        self.endpoint = self.expect(201, "POST", "/endpoints", url)["endpoint"]["endpoint_id"]
        wait_for("an active endpoint", lambda: self.state() == "active")

    def tenant(self, at):
        return f"{self.number}0000000-0000-4000-8000-00000000000{at}"

    def expect(self, status, method, path, body=None, **more):
        return self.stack.expect(status, method, self.base + path, body, key=self.key, **more)

    def state(self):
        return self.expect(200, "GET", f"/endpoints/{self.endpoint}")["endpoint"]["state"]

    def invite(self, at):
        """Registers a customer and invites it. Returns the invitation's id."""
        tenant = {"tenant_id": self.tenant(at), "name": f"Contoso {at}", "cloud": "public", "market": "US"}
        self.stack.expect(201, "POST", "/v1/customers", tenant)
        body = {"customer_tenant_id": self.tenant(at), "delegated_admin": None}
        headers = {"idempotency-key": f"drill-{at}"}
        return self.expect(201, "POST", "/invitations", body, headers=headers)["invitation"]["invitation_id"]

    def invitations(self):
        return [one["invitation_id"] for one in self.expect(200, "GET", "/invitations")["items"]]

    def arrives(self, invitation):
        wait_for(f"the webhook of {invitation}", lambda: self.receiver.of_type("invitation.created", invitation))


def count(table):
    return dynamodb.scan(TableName=table, Select="COUNT")["Count"]


def side_by_side(one, two, stories):
    names = {stack.name: set(stack.parts().values()) for stack in (one, two)}
    # The stage of every API has this name.
    shared = (names[one.name] & names[two.name]) - {"$default"}
    check(not shared, f"two stacks: {len(names[one.name])} resources each, none shared")
    check(two.call("GET", "/v1/me", key=one.key)[0] == 401, "two stacks: the operator's key of one is 401 at the other")
    for stack, story in zip((one, two), stories):
        story.arrives(invitation := story.invite(1))
        check(story.invitations() == [invitation], f"{stack.name}: an invitation, and its webhook arrived")
    check(set(one.ids("/v1/partners")).isdisjoint(two.ids("/v1/partners")), "two stacks: each lists only its own partner")


def drill(stack, story):
    before = story.invitations()
    old, new = stack.table(), "multipartner-restored-1"
    items = count(old)
    backup = dynamodb.create_backup(TableName=old, BackupName="drill")["BackupDetails"]["BackupArn"]
    say(f"back up: {items} items of {old}")
    keys = [{name: item[name] for name in ("pk", "sk")} for item in dynamodb.scan(TableName=old)["Items"]]
    for key in keys:
        dynamodb.delete_item(TableName=old, Key=key)
    # A process keeps a key for up to 30 s, so the operator's list shows the damage.
    check(stack.ids("/v1/partners") == [] and count(old) == 0, "damage: every item is deleted, the operator's list of partners is empty")

    for function in stack.functions():
        functions_api.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    status = stack.call("GET", "/v1/customers")[0]
    check(status in (429, 500, 502, 503), f"1. writes stopped: the API returns {status}")

    dynamodb.restore_table_from_backup(TargetTableName=new, BackupArn=backup)
    dynamodb.get_waiter("table_exists").wait(TableName=new, WaiterConfig={"Delay": 1})
    left_out = settings(new)
    check(count(new) == items, f"2. restored: {count(new)} items in {new}, {left_out}")

    specification = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    dynamodb.update_table(TableName=new, StreamSpecification=specification, DeletionProtectionEnabled=True)
    dynamodb.get_waiter("table_exists").wait(TableName=new, WaiterConfig={"Delay": 1})
    dynamodb.update_time_to_live(TableName=new, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName=new, PointInTimeRecoverySpecification=recovery)
    stream = dynamodb.describe_table(TableName=new)["Table"]["LatestStreamArn"]
    expected = {"stream": "NEW_AND_OLD_IMAGES", "time to live": "ENABLED", "recovery": "ENABLED", "protected": True}
    check(settings(new) == expected, f"3. completed: {settings(new)}")

    deploy(stack.hashed, stack.name, TableName=new, TableStreamArn=stream)
    for function in stack.functions():
        functions_api.delete_function_concurrency(FunctionName=function)
    names = {functions_api.get_function_configuration(FunctionName=f)["Environment"]["Variables"]["TABLE_NAME"] for f in stack.functions()}
    check(names == {new} and stack.table() == new, f"4. in service: all {len(stack.functions())} functions use {new}")
    mapped = functions_api.list_event_source_mappings(FunctionName=stack.parts()["PublishEvents"])["EventSourceMappings"]
    check([one["EventSourceArn"] for one in mapped] == [stream], f"   its stream calls publish-events: {stream}")
    check("Table" not in stack.parts() and count(old) == 0, f"   {old} left the stack and still exists")

    check(story.invitations() == before, f"5. reads: the invitation from before the damage is back ({before[0]})")
    story.arrives(invitation := story.invite(2))
    check(sorted(story.invitations()) == sorted([*before, invitation]), f"   events: a new invitation, and its webhook arrived ({invitation})")
    check(count(old) == 0, f"   nothing was written to {old}")


def settings(table):
    described = dynamodb.describe_table(TableName=table)["Table"]
    recovery = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return {
        "stream": described.get("StreamSpecification", {}).get("StreamViewType"),
        "time to live": dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"],
        "recovery": recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "protected": described.get("DeletionProtectionEnabled", False),
    }


one = Stack("one", *sys.argv[1:3])
two = Stack("two", *sys.argv[3:5])
say("two stacks deployed in one account and Region: one, two")
stories = [Story(stack, Receiver(), number) for number, stack in ((1, one), (2, two))]
side_by_side(one, two, stories)
untouched = count(two.table())
drill(one, stories[0])
check(count(two.table()) == untouched and len(stories[1].invitations()) == 1, "stack two is unchanged")
