"""The roles that SageMaker takes to serve and to train: made, or set to what they need now."""

import hashlib
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
_TOLD_APART: Final = 8
"""Digits that tell roles apart: an account has one list of them for all regions."""
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


def serving(cloud: Cloud, endpoint: str, archives: Sequence[str], captures: str | None) -> str:
    """The role of an endpoint that serves these archives, made or set to that; its ARN.

    `captures` is the `s3://` address below which it keeps what it is asked, if it does.
    """
    policy = policies.serving(cloud, endpoint, archives, captures)
    return _set(cloud, name(cloud, "model", endpoint), policy)


def training(cloud: Cloud, bucket: str, prefix: str) -> str:
    """The role of training jobs that read and write below `prefix`, made or set to that."""
    policy = policies.training(cloud, bucket, prefix)
    return _set(cloud, name(cloud, "training", bucket), policy)


def name(cloud: Cloud, what: str, whose: str) -> str:
    """The role's name: what one endpoint or bucket needs is never set by another's publication."""
    told = hashlib.sha256(f"{cloud.region} {whose}".encode()).hexdigest()[:_TOLD_APART]
    return f"{f'tweet-escalator-{what}-{whose}'[: LONGEST - _TOLD_APART - 1]}-{told}"


def _set(cloud: Cloud, called: str, policy: Policy) -> str:
    """The role with just this policy; it is made where it is not there. Raises `Refused`."""
    with asking():
        try:
            role = cloud.iam.get_role(RoleName=called)["Role"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            role = cloud.iam.create_role(
                RoleName=called,
                AssumeRolePolicyDocument=json.dumps(policies.trust()),
                Description="Made by Tweet Escalator's publish, for SageMaker.",
            )["Role"]
        cloud.iam.put_role_policy(
            RoleName=called, PolicyName=_POLICY, PolicyDocument=json.dumps(policy)
        )
    return role["Arn"]
