"""Expands template.yaml as CloudFormation does, for each partition, and checks what depends on the partition: the log format, and
that every ARN is built from the partition. It also expands two stacks and checks that they have no name in common."""

import json
import os
import re
import sys

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = open("template.yaml").read()
REGIONS = {"aws": "eu-west-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
NAMES = {"Name", "FunctionName", "RoleName", "TableName", "QueueName", "LogGroupName", "AlarmName", "ScheduleName"}


def expanded(region):
    """The template after the SAM transform, with the defaults of all parameters."""
    template = yaml_parse(TEMPLATE)
    for resource in template["Resources"].values():
        # `sam build` replaces the folder by an object in S3.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    os.environ["AWS_DEFAULT_REGION"] = region
    session = boto3.Session(region_name=region)
    defaults = {name: value["Default"] for name, value in template["Parameters"].items()}
    return Translator({}, Parser(), boto_session=session).translate(template, defaults)


def resolve(node, template, pseudo):
    """Resolves conditions and pseudo parameters. Other references stay."""
    if isinstance(node, list):
        items = (resolve(item, template, pseudo) for item in node)
        return [item for item in items if item != {"Ref": "AWS::NoValue"}]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        (name, argument), = node.items()
        if name == "Ref" and argument in pseudo:
            return pseudo[argument]
        if name == "Ref" and "Default" in template["Parameters"].get(argument, {}):
            return template["Parameters"][argument]["Default"]
        if name == "Fn::If":
            return resolve(argument[1] if holds({"Condition": argument[0]}, template, pseudo) else argument[2], template, pseudo)
        if name == "Fn::Sub" and isinstance(argument, str):
            return re.sub(r"\$\{(AWS::\w+)\}", lambda found: pseudo[found[1]], argument)
    members = {name: resolve(value, template, pseudo) for name, value in node.items()}
    return {name: value for name, value in members.items() if value != {"Ref": "AWS::NoValue"}}


def holds(condition, template, pseudo):
    (name, argument), = condition.items()
    if name == "Condition":
        return holds(template["Conditions"][argument], template, pseudo)
    if name == "Fn::Not":
        return not holds(argument[0], template, pseudo)
    if name in ("Fn::And", "Fn::Or"):
        return (all if name == "Fn::And" else any)(holds(one, template, pseudo) for one in argument)
    assert name == "Fn::Equals", name
    left, right = (str(resolve(one, template, pseudo)) for one in argument)
    return left == right


def stack(partition, name):
    """The resources of a stack that would be created."""
    region = REGIONS[partition]
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    values = {"Partition": partition, "Region": region, "AccountId": "000000000000", "StackName": name, "URLSuffix": suffix}
    pseudo = {f"AWS::{part}": value for part, value in values.items()}
    template = expanded(region)
    wanted = {
        id: resource
        for id, resource in template["Resources"].items()
        if "Condition" not in resource or holds({"Condition": resource["Condition"]}, template, pseudo)
    }
    return {id: resolve(resource, template, pseudo) for id, resource in wanted.items()}


faults = []


def check(holds, what):
    if not holds:
        faults.append(what)


for partition in REGIONS:
    resources = stack(partition, "multipartner")
    functions = {id: one for id, one in resources.items() if one["Type"] == "AWS::Lambda::Function"}
    formats = set()
    for id, function in functions.items():
        logging = function["Properties"]["LoggingConfig"]
        formats.add(logging["LogFormat"])
        json_logs = partition == "aws"
        check(logging["LogFormat"] == ("JSON" if json_logs else "Text"), f"{partition}: {id}: {logging}")
        check(logging.get("SystemLogLevel") == ("INFO" if json_logs else None), f"{partition}: {id}: {logging}")
        check(("ApplicationLogLevel" in logging) == json_logs, f"{partition}: {id}: {logging}")
    arns = set(re.findall(r"arn:(aws[a-z-]*):", json.dumps(resources)))
    check(arns <= {partition}, f"{partition}: ARNs of {arns}")
    check(len(functions) > 10, f"{partition}: {len(functions)} functions")
    print(f"{partition}: {len(resources)} resources, {len(functions)} functions, log format {', '.join(sorted(formats))}")

named = {}
for name in ("one", "two"):
    for id, resource in stack("aws", name).items():
        for property in NAMES & set(resource.get("Properties", {})):
            value = resource["Properties"][property]
            # A reference is to this stack's own resource.
            if isinstance(value, str):
                named.setdefault((resource["Type"], property, value), set()).add((name, id))
for key, owners in named.items():
    check(len({owner for owner, _ in owners}) == 1, f"two stacks have the same name: {key} {owners}")
print(f"two stacks: {len(named)} fixed names")
for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
