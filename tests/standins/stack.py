"""A deployed stage: the stack that `osls package` wrote, made by moto's CloudFormation.

What moto cannot make is made beside the stack or left out: secrets become parameters, and who
invokes the functions is for the caller to play. Formats: AWS CloudFormation user guide.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.standins import aws

PLAYED = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}
SECRET = "AWS::SecretsManager::Secret"
BUCKET = "cloudformation-template-create-stack.json"
WHOLE = "cloudformation-template-update-stack.json"
ARCHIVE = "tweet-escalator.zip"

Template = dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """A stage at an address where moto plays AWS."""

    url: str
    name: str
    package: Path
    secrets: Mapping[str, str]

    def function(self, name: str) -> dict[str, Any]:
        """What Lambda says of a function: handler, timeout in seconds, memory, environment."""
        lambdas = aws.client("lambda", self.url)
        found: dict[str, Any] = lambdas.get_function_configuration(
            FunctionName=f"{self.name}-{name}"
        )
        return found

    def count(self, table: str, attribute: str) -> int:
        """How many items of a table, by its logical id, have that attribute."""
        resource = aws.client("cloudformation", self.url).describe_stack_resource(
            StackName=self.name, LogicalResourceId=table
        )["StackResourceDetail"]
        pages = (
            aws.client("dynamodb", self.url)
            .get_paginator("scan")
            .paginate(
                TableName=resource["PhysicalResourceId"],
                Select="COUNT",
                FilterExpression="attribute_exists(#name)",
                ExpressionAttributeNames={"#name": attribute},
            )
        )
        return sum(page["Count"] for page in pages)

    def update(self, **parameters: str) -> None:
        """Deploys the package, with the stack's parameters as given or by their defaults."""
        template = _playable(_read(self.package / WHOLE), self.name, set(self.secrets))
        chosen = {**self.secrets, **parameters}
        aws.client("cloudformation", self.url).update_stack(
            StackName=self.name,
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in chosen.items()
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )


def deploy(
    url: str,
    name: str,
    package: Path,
    secrets: Mapping[str, Mapping[str, str]],
    **parameters: str,
) -> Stack:
    """Makes the stack `name` of the folder that `osls package` wrote, in its two steps.

    `secrets` gives contents by logical id, `{}` otherwise.
    """
    template = _read(package / WHOLE)
    manager = aws.client("secretsmanager", url)
    arns = {
        one: manager.create_secret(
            Name=f"{name}-{one}", SecretString=json.dumps(secrets.get(one, {}))
        )["ARN"]
        for one, resource in template["Resources"].items()
        if resource["Type"] == SECRET
    }
    cloudformation = aws.client("cloudformation", url)
    first = json.dumps(_playable(_read(package / BUCKET), name, set()))
    cloudformation.create_stack(StackName=name, TemplateBody=first)
    _upload(url, name, package, template)
    stack = Stack(url, name, package, arns)
    stack.update(**parameters)
    return stack


def _upload(url: str, name: str, package: Path, template: Template) -> None:
    [bucket] = [
        resource["PhysicalResourceId"]
        for resource in aws.client("cloudformation", url).describe_stack_resources(StackName=name)[
            "StackResources"
        ]
        if resource["ResourceType"] == "AWS::S3::Bucket"
    ]
    keys = {
        resource["Properties"]["Code"]["S3Key"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    for key in keys:
        content = (package / ARCHIVE).read_bytes()
        aws.client("s3", url).put_object(Bucket=bucket, Key=key, Body=content)


def _playable(template: Template, stack: str, secrets: set[str]) -> Template:
    """The part of a template that moto makes; its outputs, which name the rest, are left out."""
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] in PLAYED
    }
    for name, resource in resources.items():
        # CloudFormation ends the name it gives a FIFO queue in .fifo; moto does not.
        if resource.get("Properties", {}).get("FifoQueue"):
            resource["Properties"]["QueueName"] = f"{stack}-{name}.fifo"
    kept = {name: part for name, part in template.items() if name != "Outputs"}
    parameters = {
        **template.get("Parameters", {}),
        **{name: {"Type": "String"} for name in secrets},
    }
    return {**kept, "Resources": resources, **({"Parameters": parameters} if parameters else {})}


def _read(path: Path) -> Template:
    template: Template = json.loads(path.read_text("utf-8"))
    return template
