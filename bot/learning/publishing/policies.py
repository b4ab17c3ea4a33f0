"""What SageMaker may do by the roles it is given, to serve and to train.

What serving needs stands in aws/endpoint.yml, for the endpoints that a stack makes, and is read
from there. What training needs: SageMaker developer guide, "SageMaker AI roles",
"CreateTrainingJob API: execution role permissions".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bot.learning.publishing.cloud import Cloud
from bot.local.serverless import load
from bot.settings import HOUSE

Policy = dict[str, Any]

ENDPOINT: Final = HOUSE / "aws" / "endpoint.yml"


def trust() -> Policy:
    """Who may take such a role: SageMaker alone."""
    found: Policy = _role()["AssumeRolePolicyDocument"]
    return found


def serving(cloud: Cloud, endpoint: str, archives: Sequence[str], captures: str | None) -> Policy:
    """What the stack allows the role of its endpoint, for this endpoint and these archives.

    The log group, which the stack makes itself, SageMaker makes here. An endpoint that keeps what
    it is asked (data capture) may write below the `s3://` address `captures`.
    """
    group = cloud.arn("logs", f"log-group:/aws/sagemaker/Endpoints/{endpoint}:*")
    names = {
        "AWS::Partition": cloud.partition,
        "AWS::Region": cloud.region,
        "EndpointLogGroup": group,
        "self:custom.endpoint.registry": cloud.registry,
    }
    text = _role()["Policies"][0]["PolicyDocument"]

    def of(archive: str) -> Policy:
        found: Policy = _resolved(text, {**names, "ModelDataUrl": archive})
        return found

    policies = [of(archive) for archive in archives]
    for number, statement in enumerate(policies[0]["Statement"]):
        if statement["Action"] == "s3:GetObject":
            statement["Resource"] = [one["Statement"][number]["Resource"] for one in policies]
        if statement["Resource"] == group:
            statement["Action"] = ["logs:CreateLogGroup", *statement["Action"]]
    if captures:
        there = f"arn:{cloud.partition}:s3:::{captures.removeprefix('s3://').rstrip('/')}/*"
        policies[0]["Statement"].append(_allow(["s3:PutObject"], there))
    return policies[0]


def training(cloud: Cloud, bucket: str, prefix: str) -> Policy:
    """What a training job needs that reads and writes below `prefix` of the bucket."""
    there = f"arn:{cloud.partition}:s3:::{bucket}"
    image = f"arn:{cloud.partition}:ecr:{cloud.region}:{cloud.registry}:repository/blazingtext"
    log = cloud.arn("logs", "log-group:/aws/sagemaker/TrainingJobs:*")
    figures = {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            _allow(["s3:GetObject", "s3:PutObject"], f"{there}/{prefix}*"),
            {
                **_allow(["s3:ListBucket"], there),
                "Condition": {"StringLike": {"s3:prefix": f"{prefix}*"}},
            },
            _allow(
                [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                ],
                image,
            ),
            _allow(["ecr:GetAuthorizationToken"], "*"),
            _allow(
                [
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                log,
            ),
            {**_allow(["cloudwatch:PutMetricData"], "*"), "Condition": figures},
        ],
    }


def _allow(actions: Sequence[str], resource: str) -> Policy:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def _role() -> dict[str, Any]:
    found: dict[str, Any] = load(ENDPOINT)["ModelRole"]["Properties"]
    return found


def _resolved(value: Any, names: Mapping[str, str]) -> Any:
    """A part of the template with CloudFormation's functions done, as far as the role uses them."""
    if isinstance(value, str):
        return _filled(value, names)
    if isinstance(value, list):
        return [_resolved(one, names) for one in value]
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function in _FUNCTIONS:
            return _FUNCTIONS[function](argument, names)
    return {name: _resolved(one, names) for name, one in value.items()}


def _sub(argument: Any, names: Mapping[str, str]) -> str:
    if isinstance(argument, str):
        return _filled(argument, names)
    text, more = argument
    return _filled(text, {**names, **_resolved(more, names)})


def _select(argument: Any, names: Mapping[str, str]) -> Any:
    place, parts = argument
    return _resolved(parts, names)[int(place)]


def _split(argument: Any, names: Mapping[str, str]) -> list[str]:
    separator, text = argument
    return str(_resolved(text, names)).split(separator)


def _arn(argument: Sequence[str], names: Mapping[str, str]) -> str:
    return names[argument[0]]


def _filled(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: names[found[1]], text)


_FUNCTIONS: Final[Mapping[str, Callable[[Any, Mapping[str, str]], Any]]] = {
    "Fn::Sub": _sub,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::GetAtt": _arn,
}
