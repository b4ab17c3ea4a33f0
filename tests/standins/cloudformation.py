"""moto's CloudFormation, mended where it would not make our stack.

Added here: secrets, HTTP APIs, the ending of FIFO queues' names, policies under a condition, the
outputs of a stack that a change set made. Its check of templates takes warnings for errors, so it
is left out. What it passes over (routes, permissions) the tests of the template look at.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.apigatewayv2.models import apigatewayv2_backends
from moto.cloudformation import models
from moto.core.common_models import CloudFormationModel
from moto.iam.models import Role
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import Queue


class Made:
    """Something that a stack made; `physical_resource_id` is what `Ref` gives."""

    def __init__(self, physical_resource_id: str) -> None:
        self.physical_resource_id = physical_resource_id

    def is_created(self) -> bool:
        return True

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Arn"

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: Any, **_: Any) -> Any:
        return original_resource


class Secret(Made, CloudFormationModel):  # type: ignore[misc]
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "Secret":
        properties = cloudformation_json["Properties"]
        made = secretsmanager_backends[account_id][region_name].create_secret(
            name=resource_name,
            secret_string=_content(properties),
            secret_binary=None,
            description=properties.get("Description"),
            tags=None,
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        return cls(json.loads(made)["ARN"])

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, _: Any, account_id: str, region_name: str
    ) -> None:
        secretsmanager_backends[account_id][region_name].delete_secret(resource_name, None, False)


def _content(properties: dict[str, Any]) -> str:
    generated = properties.get("GenerateSecretString")
    if generated is None:
        return str(properties["SecretString"])
    content = json.loads(generated["SecretStringTemplate"])
    password = "p" * generated["PasswordLength"]
    return json.dumps({**content, generated["GenerateStringKey"]: password})


class HttpApi(Made, CloudFormationModel):  # type: ignore[misc]
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ApiGatewayV2::Api"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "HttpApi":
        del resource_name  # an id is given, as on AWS
        properties = cloudformation_json["Properties"]
        unset = (
            *("api_key_selection_expression", "cors_configuration", "description"),
            *("disable_schema_validation", "disable_execute_api_endpoint"),
            *("route_selection_expression", "version"),
        )
        made = apigatewayv2_backends[account_id][region_name].create_api(
            name=properties["Name"],
            protocol_type=properties["ProtocolType"],
            tags={},
            **dict.fromkeys(unset, ""),
        )
        return cls(made.api_id)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, _: Any, account_id: str, region_name: str
    ) -> None:
        apigatewayv2_backends[account_id][region_name].delete_api(resource_name)


_queue = Queue.create_from_cloudformation_json
_role = Role.create_from_cloudformation_json
_apply = models.ChangeSet.apply


def _create_queue(_: Any, name: str, body: Any, *arguments: Any, **more: Any) -> Any:
    fifo = ".fifo" if body["Properties"].get("FifoQueue") else ""
    return _queue(name + fifo, body, *arguments, **more)


def _create_role(_: Any, name: str, body: Any, *arguments: Any, **more: Any) -> Any:
    properties = body["Properties"]
    properties["Policies"] = [policy for policy in properties["Policies"] if policy]
    return _role(name, body, *arguments, **more)


def _apply_with_outputs(change_set: Any) -> None:
    _apply(change_set)
    stack = change_set.stack
    stack.template, stack.template_dict = change_set.template, change_set.template_dict
    stack.output_map = stack._create_output_map()


@contextmanager
def mended() -> Iterator[None]:
    """Within it, moto's servers of this process make our stack."""
    with (
        patch.object(models, "validate_template_cfn_lint", lambda _: []),
        patch.object(Queue, "create_from_cloudformation_json", classmethod(_create_queue)),
        patch.object(Role, "create_from_cloudformation_json", classmethod(_create_role)),
        patch.object(models.ChangeSet, "apply", _apply_with_outputs),
    ):
        yield
