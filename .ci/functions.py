"""The functions as template.yaml has them, so that no list of them has to be kept here. Prints their binaries when run."""

import dataclasses
import json
import pathlib

import yaml


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


@dataclasses.dataclass
class Function:
    """One function."""

    # What the template calls it.
    name: str
    # What Cargo calls it.
    binary: str
    # Method and path of every route.
    routes: list
    # Whether its role lets it speak to the table.
    uses_table: bool
    # The names of its own environment variables, beside those that all functions have.
    variables: set

    @property
    def built(self):
        """What `.ci/build` made of it."""
        return pathlib.Path(".aws-sam/build") / self.name / "bootstrap"

    @property
    def samples(self):
        """Its sample events, in the order of their names."""
        return sorted(pathlib.Path("events", self.binary).glob("*.json"))


def functions(path="template.yaml"):
    with open(path) as file:
        resources = yaml.load(file, Loader)["Resources"]
    for name, resource in resources.items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        events = (event for event in properties.get("Events", {}).values() if event["Type"] == "HttpApi")
        role = resources[properties["Role"]["Fn::GetAtt"][0]]
        yield Function(
            name,
            resource["Metadata"]["BuildProperties"]["Binary"],
            [f"{event['Properties']['Method']} {event['Properties']['Path']}" for event in events],
            "dynamodb:" in json.dumps(role["Properties"]["Policies"]),
            set(properties.get("Environment", {}).get("Variables", {})),
        )


if __name__ == "__main__":
    for function in functions():
        print(function.binary)
