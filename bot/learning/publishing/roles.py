"""The roles that SageMaker takes to serve and to train: made, or set to what they need now."""

import json
from collections.abc import Callable, Sequence
from typing import Final

from botocore.exceptions import ClientError

from bot.errors import Refused
from bot.learning.publishing import policies
from bot.learning.publishing.cloud import Cloud
from bot.learning.publishing.policies import Policy
from bot.local.stages.stage import asking

LONGEST: Final = 64
"""Characters of a role's name (IAM API reference, CreateRole)."""
_POLICY: Final = "model"
_LATE: Final = ("assume role", "could not access model data", "not authorized to perform")
_TRIES: Final = 12
_PAUSE: Final = 5.0
"""Seconds between two tries."""

Wait = Callable[[float], None]


def once_known(call: Callable[[], object], wait: Wait) -> None:
    """Calls SageMaker with a role that may have been made just now, and is not known everywhere.

    IAM user guide, "Troubleshooting: changes that I make are not always immediately visible".
    Raises `Refused`.
    """
    for _ in range(_TRIES):
        try:
            with asking():
                call()
        except Refused as refusal:
            if not any(one in str(refusal).lower() for one in _LATE):
                raise
            late = refusal
            wait(_PAUSE)
        else:
            return
    raise late


def serving(cloud: Cloud, endpoint: str, archives: Sequence[str]) -> str:
    """The role of an endpoint that serves these archives, made or set to that; its ARN."""
    name = f"tweet-escalator-model-{endpoint}"[:LONGEST]
    return _set(cloud, name, policies.serving(cloud, endpoint, archives))


def training(cloud: Cloud, bucket: str, prefix: str) -> str:
    """The role of training jobs that read and write below `prefix`, made or set to that."""
    return _set(cloud, "tweet-escalator-training", policies.training(cloud, bucket, prefix))


def _set(cloud: Cloud, name: str, policy: Policy) -> str:
    """The role with just this policy; it is made where it is not there. Raises `Refused`."""
    with asking():
        try:
            role = cloud.iam.get_role(RoleName=name)["Role"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            role = cloud.iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps(policies.trust()),
                Description="Made by Tweet Escalator's publish, for SageMaker.",
            )["Role"]
        cloud.iam.put_role_policy(
            RoleName=name, PolicyName=_POLICY, PolicyDocument=json.dumps(policy)
        )
    return role["Arn"]
