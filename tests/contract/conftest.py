"""AWS for the contract tests: moto behind a relay, and the project's own clients for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import boto3
import pytest

from bot.local import serverless
from bot.storage import clients
from tests.contract.relay import Relay
from tests.standins import aws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Watch:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Aws:
    """The resources of serverless.yml, empty, and clients that reach them through the relay."""

    relay: Relay
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    environment: dict[str, str]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def identities() -> Iterator[str]:
    return (f"id-{number}" for number in count(1))


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with aws.moto_server() as address:
        yield address


@pytest.fixture(scope="module")
def through_relay(moto: str) -> Iterator[tuple[Relay, "DynamoDBClient", "SQSClient"]]:
    with Relay(moto) as relay, pytest.MonkeyPatch.context() as patch:
        for name, value in {**aws.CREDENTIALS, "AWS_DEFAULT_REGION": aws.REGION}.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", relay.url)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        # Past the cache, which would keep clients of this server for other tests.
        yield relay, clients.dynamodb.__wrapped__(), clients.sqs.__wrapped__()


@pytest.fixture
def amazon(moto: str, through_relay: tuple[Relay, "DynamoDBClient", "SQSClient"]) -> Aws:
    relay, dynamodb, sqs = through_relay
    aws.reset(moto)
    environment = aws.create(moto, serverless.load(serverless.WIRING))
    relay.start_afresh()
    return Aws(relay, dynamodb, sqs, environment)
