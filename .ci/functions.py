"""The functions of template.yaml, as target/ci/template.json has it. Prints the name of each binary when run as a script.

`tools` in lib.sh writes that file with the template reader of `cargo run`."""

import dataclasses
import json
import pathlib

TEMPLATE = pathlib.Path("target/ci/template.json")


@dataclasses.dataclass
class Function:
    """One function."""

    # Logical id in the template.
    name: str
    # Binary and Cargo package.
    binary: str
    # Method and path of each route.
    routes: list
    # Whether the function's role allows calls to the table.
    uses_table: bool
    # Names of environment variables that only some functions have.
    variables: set

    @property
    def built(self):
        """The x86_64 binary that `.ci/build` made."""
        return pathlib.Path(".aws-sam/build") / self.name / "bootstrap"

    @property
    def samples(self):
        """Sample events, sorted by name."""
        return sorted(pathlib.Path("events", self.binary).glob("*.json"))


def functions():
    resources = json.loads(TEMPLATE.read_text())["Resources"]
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
