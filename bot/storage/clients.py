"""The AWS clients of this folder, each made once, with its timeouts.

`within` is how many seconds a call may take in all, in a function whose caller waits for its
answer; None is the patience of those that work on their own.
"""

import time
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import NoRegionError

from bot import amazon
from bot.errors import Misconfigured
from bot.frozen import frozen

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

AT_ONCE: Final = 0.1
"""Seconds within which a try must fail to be repeated where somebody waits.

So fails the first call of a function that Lambda had frozen, on a connection that has died since.
"""

_NO_REGION: Final = "No AWS region is set: set AWS_DEFAULT_REGION, for instance to us-east-1."


@frozen
class Patience:
    """How many seconds a try may take to `connect` and to `read` its answer, and how many tries.

    The look-up of the host's name comes on top: nothing bounds it.
    """

    connect: float
    read: float
    tries: int

    def config(self) -> Config:
        """The same for botocore ("Config Reference": `total_max_attempts` counts the first)."""
        retries: Any = {"mode": "standard", "total_max_attempts": self.tries}
        return Config(connect_timeout=self.connect, read_timeout=self.read, retries=retries)


# Two tries of at most 1 + 3 s. All that is written here is conditional or deduplicated, so a try
# whose answer was lost may be repeated.
USUAL: Final = Patience(connect=1, read=3, tries=2)


def patience(within: float | None) -> Patience:
    """The patience of a call that may take so long; its own second try is `_again`'s."""
    if within is None:
        return USUAL
    left = within - AT_ONCE
    return Patience(connect=left * 0.4, read=left * 0.6, tries=1)


@cache
def dynamodb(within: float | None = None) -> "DynamoDBClient":
    """The process's DynamoDB client."""
    made: DynamoDBClient = _client("dynamodb", within)
    return made


@cache
def sqs(within: float | None = None) -> "SQSClient":
    """The process's SQS client."""
    made: SQSClient = _client("sqs", within)
    return made


@cache
def secretsmanager(within: float | None = None) -> "SecretsManagerClient":
    """The process's Secrets Manager client."""
    made: SecretsManagerClient = _client("secretsmanager", within)
    return made


def _client(service: str, within: float | None) -> Any:
    try:
        made = amazon.client(service, patience(within).config())
    except NoRegionError:
        raise Misconfigured([_NO_REGION]) from None
    if within is not None:
        made.meta.events.register("before-call", _begins)
        made.meta.events.register("needs-retry", _again)
    return made


def _begins(params: dict[str, Any], **_: Any) -> None:
    params["context"]["begun"] = time.monotonic()


def _again(
    response: tuple[Any, Any] | None, attempts: int, request_dict: dict[str, Any], **_: Any
) -> int | None:
    """0, the seconds to wait for a second try, after a first that failed at once; else None.

    botocore's own retries would wait longer, and wait for a time-out a second time.
    """
    lasted = time.monotonic() - request_dict["context"]["begun"]
    failed = response is None or response[0].status_code >= 500  # noqa: PLR2004
    return 0 if failed and attempts == 1 and lasted <= AT_ONCE else None
