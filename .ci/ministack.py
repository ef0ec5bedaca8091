"""What the emulated account needs in addition to `sam deploy`. Called by .ci/ministack and .ci/restore."""

import json
import os
import pathlib
import subprocess
import sys

import boto3

from functions import functions

STACK = "multipartner"
LOGS = pathlib.Path("target/ci")


def resources(stack=STACK):
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    listed = (resource for page in pages for resource in page["StackResourceSummaries"])
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in listed}


def deploy(operator_key_hash, stack=STACK, **parameters):
    """Deploys what `.ci/build` made. Returns the path of the API."""
    emulator = os.environ["AWS_ENDPOINT_URL"]
    parameters = {
        "Architecture": "x86_64",
        "DeletionProtection": "false",
        "OperatorKeyHash": operator_key_hash,
        "DynamoDbEndpoint": emulator,
        "SqsEndpoint": emulator,
        "AllowLoopbackEndpoints": "true",
        "PublicBaseUrl": emulator,
        **parameters,
    }
    command = ["sam", "deploy", "--template-file", ".aws-sam/build/template.yaml", "--stack-name", stack, "--resolve-s3"]
    command += ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
    deployed = subprocess.run(command, capture_output=True, text=True)
    (LOGS / f"deploy-{stack}.log").write_text(deployed.stdout + deployed.stderr)
    if deployed.returncode:
        sys.exit((deployed.stdout + deployed.stderr)[-6000:])
    physical = resources(stack)
    concurrency(physical)
    return routes(physical)


def secret(name):
    """Keeps the secret on standard input, as an administrator does before a deployment that names it."""
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=sys.stdin.read())


def routes(physical):
    """Creates the routes that the emulator does not read from the API's body. Returns the path of the API."""
    gateway, functions_api = boto3.client("apigatewayv2"), boto3.client("lambda")
    api = physical["Api"]
    known = {route["RouteKey"] for route in gateway.get_routes(ApiId=api)["Items"]}
    made = 0
    for function in functions():
        arn = functions_api.get_function(FunctionName=physical[function.name])["Configuration"]["FunctionArn"]
        integration = None
        for key in function.routes:
            if key in known:
                continue
            integration = integration or gateway.create_integration(
                ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
            )["IntegrationId"]
            gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")
            made += 1
    print(f"routes: {len(known)} from the deployment, {made} created from the template", file=sys.stderr)
    return f"/_aws/execute-api/{api}/$default"


def concurrency(physical):
    """Sets the concurrency of the queue's mapping as a number. It comes from a parameter, and the emulator leaves it a text."""
    functions_api = boto3.client("lambda")
    for mapping in functions_api.list_event_source_mappings(FunctionName=physical["DeliverWebhook"])["EventSourceMappings"]:
        functions_api.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": 4})


def batches():
    """Gives `publish-events` a right that only the emulator needs. On AWS `sqs:SendMessage` also allows a batch."""
    physical = resources()
    queue = physical["WebhookQueue"].rsplit("/", 1)[-1]
    statement = {"Effect": "Allow", "Action": "sqs:SendMessageBatch", "Resource": f"arn:aws:sqs:*:*:{queue}"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    boto3.client("iam").put_role_policy(RoleName=physical["PublishEventsRole"], PolicyName="emulator", PolicyDocument=document)


def webhooks():
    """After the tests: there are no dead letters, and the scheduled run of `publish-events` works."""
    sqs, physical = boto3.client("sqs"), resources()
    dead = {}
    for name in ("StreamDeadLetters", "WebhookDeadLetters"):
        asked = sqs.get_queue_attributes(QueueUrl=physical[name], AttributeNames=["ApproximateNumberOfMessages"])
        dead[name] = int(asked["Attributes"]["ApproximateNumberOfMessages"])
    with open("events/publish-events/every-minute.json", "rb") as event:
        swept = boto3.client("lambda").invoke(FunctionName=physical["PublishEvents"], Payload=event.read())
    report = json.loads(swept["Payload"].read())
    print(f"webhooks: dead letters {dead}, left to the scheduled run {report}")
    if any(dead.values()) or "FunctionError" in swept or "published" not in report:
        sys.exit("there are dead letters, or the scheduled run failed")


# What the emulator does not enforce (docs/emulators.md). If that changes, the canary fails.
NOT_ENFORCED = {"put-other-keys"}


def canary():
    """Prints which conditions of policies the emulator enforces, and fails if that is not as documented."""
    iam, sts, physical = boto3.client("iam"), boto3.client("sts"), resources()
    account = sts.get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    table = f"arn:aws:dynamodb:us-east-1:{account}:table/{physical['Table']}"
    keys = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["OTHER#*"]}}
    enclosing = {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}}

    def allowed(name, action, condition, transaction=True):
        statement = {"Effect": "Allow", "Action": action, "Resource": table, "Condition": condition}
        document = lambda *statements: json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        iam.put_role_policy(RoleName=name, PolicyName="canary", PolicyDocument=document(statement))
        given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{name}", RoleSessionName="canary")["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        item = {"pk": {"S": "SUBSCRIPTION#canary"}, "sk": {"S": name}}
        put = {"TableName": physical["Table"], "Item": item}
        dynamodb = session.client("dynamodb")
        try:
            if transaction:
                dynamodb.transact_write_items(TransactItems=[{"Put": put}])
            else:
                dynamodb.put_item(**put)
            return True
        except dynamodb.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException", error
            return False

    different = set()
    print("canary: a put of SUBSCRIPTION#canary by a role with these rights only")
    for name, action, condition, transaction, expected in [
        ("read", "dynamodb:GetItem", {}, True, False),
        ("put", "dynamodb:PutItem", {}, True, True),
        ("put-other-keys", "dynamodb:PutItem", keys, True, False),
        ("put-in-transactions", "dynamodb:PutItem", enclosing, True, True),
        ("put-in-transactions-and-does-not", "dynamodb:PutItem", enclosing, False, False),
    ]:
        seen = allowed(f"canary-{name}", action, condition, transaction)
        verdict = "as on AWS" if seen == expected else "NOT ENFORCED by the emulator"
        if seen != expected:
            different.add(name)
        print(f"  {name}: {'allowed' if seen else 'refused'}: {verdict}")
    if different != NOT_ENFORCED:
        sys.exit(f"not enforced: {sorted(different)}, documented: {sorted(NOT_ENFORCED)}")


if __name__ == "__main__":
    commands = {"canary": canary, "batches": batches, "webhooks": webhooks, "secret": secret}
    commands["deploy"] = lambda hashed, *given: print(deploy(hashed, **dict(one.split("=", 1) for one in given)))
    commands[sys.argv[1]](*sys.argv[2:])
