"""AWS for the contract tests: moto behind a relay."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import boto3
import pytest
import requests

from bot.local import serverless
from bot.storage import clients
from tests.contract.examples import RECEIVES, VISIBILITY
from tests.standins import aws
from tests.standins.server import Answer, Request, Standin

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

    Attributes = dict[QueueAttributeNameType, str]

TABLE = "CasesTable"
CASES_TABLE = serverless.load(serverless.WIRING)["resources"]["Resources"][TABLE]["Properties"]
HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "date", "server"}


class Relay(Standin):
    """Passes calls on to AWS at `target`, with the faults of every stand-in (`POST /PutItem`).

    moto answers several calls at once without a lock of its own; here each is done before the
    next begins, as DynamoDB promises for one item. `meanwhile` is told of each operation that was
    done, before its caller is.
    """

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target
        self._http = requests.Session()
        self._http.trust_env = False
        self.meanwhile: Callable[[str], object] | None = None
        self.route("POST", "/{operation}", self._pass_on)

    def respond(self, request: Request) -> Answer | None:
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        answer = super().respond(replace(request, path=f"/{operation}"))
        if self.meanwhile:
            self.meanwhile(operation)
        return answer

    def start_afresh(self) -> None:
        """Forgets calls and faults of an earlier test."""
        self.heal()
        self.meanwhile = None
        self.requests.clear()

    def _pass_on(self, request: Request) -> Answer:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        answer = self._http.post(self._target, data=request.body, headers=headers, timeout=10)
        assert answer.status_code != HTTPStatus.NOT_FOUND, answer.text
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
        return Answer(answer.status_code, answer.content, kept)


@dataclass(frozen=True)
class Amazon:
    """An AWS, and the project's own clients that reach it through the relay."""

    url: str
    relay: Relay
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"


@contextmanager
def amazon() -> Iterator[Amazon]:
    with (
        aws.moto_server() as url,
        Relay(url) as relay,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {**aws.CREDENTIALS, "AWS_DEFAULT_REGION": aws.REGION}.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", relay.url)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        # Past the cache, which would keep clients of this server for other tests.
        yield Amazon(url, relay, clients.dynamodb.__wrapped__(), clients.sqs.__wrapped__())


def create_table(client: "DynamoDBClient") -> None:
    """The table of serverless.yml."""
    fields = {name: CASES_TABLE[name] for name in aws.TABLE_FIELDS if name in CASES_TABLE}
    client.create_table(TableName=TABLE, **fields)


def create_queue(client: "SQSClient", name: str) -> str:
    """A queue with dead letters of its own; returns its address."""
    kind: Attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    dead = client.create_queue(QueueName=f"dead-{name}", Attributes=kind)["QueueUrl"]
    answer = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": answer["Attributes"]["QueueArn"], "maxReceiveCount": RECEIVES}
    redrive: Attributes = {
        "RedrivePolicy": json.dumps(policy),
        "VisibilityTimeout": str(VISIBILITY),
    }
    return client.create_queue(QueueName=name, Attributes={**kind, **redrive})["QueueUrl"]
