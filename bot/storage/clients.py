"""The AWS clients of this folder, each made once, with its timeouts."""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError

from bot.errors import Misconfigured

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# Two tries of at most 1 + 3 s: a secret and a queue together stay below the 20 s of the functions
# that answer the web. All that is written here is conditional or deduplicated, so a try whose
# answer was lost may be repeated.
_PATIENCE: Final = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)


_NO_REGION: Final = "No AWS region is set: set AWS_DEFAULT_REGION, for instance to us-east-1."


@cache
def dynamodb() -> "DynamoDBClient":
    """The process's DynamoDB client."""
    made: DynamoDBClient = _client("dynamodb")
    return made


@cache
def sqs() -> "SQSClient":
    """The process's SQS client."""
    made: SQSClient = _client("sqs")
    return made


@cache
def secretsmanager() -> "SecretsManagerClient":
    """The process's Secrets Manager client."""
    made: SecretsManagerClient = _client("secretsmanager")
    return made


def _client(service: str) -> Any:
    try:
        return boto3.client(service, config=_PATIENCE)
    except NoRegionError:
        raise Misconfigured([_NO_REGION]) from None
