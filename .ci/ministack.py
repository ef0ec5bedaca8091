"""What the emulated account needs beyond `sam deploy`. Run by .ci/ministack with the tools' Python."""

import json
import sys

import boto3
import yaml

STACK = "multipartner"


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as their long forms."""


def tagged(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", tagged)


def read(path):
    with open(path) as file:
        return yaml.load(file, Loader)


def functions(template):
    resources = template["Resources"].items()
    return {name: r["Properties"] for name, r in resources if r["Type"] == "AWS::Serverless::Function"}


def resources():
    listed = boto3.client("cloudformation").list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in listed}


def routes(path):
    """Makes the routes that the emulator does not read out of the API's body; prints where the API answers."""
    gateway, functions_api, physical = boto3.client("apigatewayv2"), boto3.client("lambda"), resources()
    api = physical["Api"]
    known = {route["RouteKey"] for route in gateway.get_routes(ApiId=api)["Items"]}
    made = 0
    for name, properties in functions(read(path)).items():
        arn = functions_api.get_function(FunctionName=physical[name])["Configuration"]["FunctionArn"]
        integration = None
        for event in properties.get("Events", {}).values():
            if event["Type"] != "HttpApi":
                continue
            key = f"{event['Properties']['Method']} {event['Properties']['Path']}"
            if key in known:
                continue
            integration = integration or gateway.create_integration(
                ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
            )["IntegrationId"]
            gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")
            made += 1
    print(f"routes: {len(known)} by the deployment, {made} made from the template", file=sys.stderr)
    print(f"/_aws/execute-api/{api}/$default")


def canary():
    """Says how far the emulator enforces what the policies say."""
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

    print("canary: a put of SUBSCRIPTION#canary by a role that may only")
    for name, action, condition, transaction, expected in [
        ("read", "dynamodb:GetItem", {}, True, False),
        ("put", "dynamodb:PutItem", {}, True, True),
        ("put-other-keys", "dynamodb:PutItem", keys, True, False),
        ("put-in-transactions", "dynamodb:PutItem", enclosing, True, True),
        ("put-in-transactions-and-does-not", "dynamodb:PutItem", enclosing, False, False),
    ]:
        seen = allowed(f"canary-{name}", action, condition, transaction)
        verdict = "as AWS does" if seen == expected else "NOT ENFORCED by the emulator as AWS does"
        print(f"  {name}: {'allowed' if seen else 'refused'}: {verdict}")


{"routes": routes, "canary": canary}[sys.argv[1]](*sys.argv[2:])
