"""A queue of Amazon SQS."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from bot.errors import Retryable
from bot.ports import Message, Outgoing

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH: Final = 10
BATCH_BYTES: Final = 250_000
"""Below the 256 KiB that every queue takes in one call (SQS quotas, "Message size")."""


class SqsQueue:
    """`bot.ports.Queue` over SQS."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[Outgoing]) -> None:
        """See `bot.ports.Queue`."""
        for batch in _batches(messages):
            entries = [_entry(number, message) for number, message in enumerate(batch)]
            answer = self._call("send_message_batch", Entries=entries)
            if answer.get("Failed"):
                reasons = sorted({failed["Code"] for failed in answer["Failed"]})
                raise Retryable(f"SQS refused {len(answer['Failed'])} messages: {reasons}.")

    def receive(self, limit: int) -> list[Message]:
        """See `bot.ports.Queue`."""
        answer = self._call(
            "receive_message",
            MaxNumberOfMessages=min(limit, BATCH),
            MessageSystemAttributeNames=["All"],
        )
        return [_message(received) for received in answer.get("Messages", [])]

    def delete(self, receipts: Sequence[str]) -> None:
        """See `bot.ports.Queue`."""
        self._batch("delete_message_batch", [{"ReceiptHandle": r} for r in receipts])

    def postpone(self, receipts: Sequence[str], seconds: float) -> None:
        """See `bot.ports.Queue`."""
        timeout = {"VisibilityTimeout": round(seconds)}
        self._batch(
            "change_message_visibility_batch", [{"ReceiptHandle": r, **timeout} for r in receipts]
        )

    def depth(self) -> tuple[int, int]:
        """See `bot.ports.Queue`."""
        attributes = self._attributes(self._url)
        policy = json.loads(attributes.get("RedrivePolicy", "{}"))
        dead = 0
        if policy:
            name = policy["deadLetterTargetArn"].rsplit(":", 1)[1]
            url = self._ask("get_queue_url", QueueName=name)["QueueUrl"]
            dead = _waiting(self._attributes(url))
        return _waiting(attributes), dead

    def _attributes(self, url: str) -> dict[str, str]:
        answer = self._ask("get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
        attributes: dict[str, str] = answer["Attributes"]
        return attributes

    def _batch(self, method: str, entries: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(entries), BATCH):
            numbered = [
                {"Id": str(number), **entry}
                for number, entry in enumerate(entries[start : start + BATCH])
            ]
            self._call(method, Entries=numbered)

    def _call(self, method: str, **arguments: Any) -> Any:
        return self._ask(method, QueueUrl=self._url, **arguments)

    def _ask(self, method: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, method)(**arguments)
        except (BotoCoreError, ClientError) as error:
            raise Retryable(f"SQS did not answer as it should: {error}") from None


def _batches(messages: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    batch: list[Outgoing] = []
    size = 0
    for message in messages:
        length = len(message.body.encode())
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield batch


def _entry(number: int, message: Outgoing) -> dict[str, Any]:
    entry = {"Id": str(number), "MessageBody": message.body}
    if message.group is not None:
        entry["MessageGroupId"] = message.group
    if message.deduplication is not None:
        entry["MessageDeduplicationId"] = message.deduplication
    return entry


def _message(received: Any) -> Message:
    attributes = received["Attributes"]
    return Message(
        id=received["MessageId"],
        body=received["Body"],
        receipt=received["ReceiptHandle"],
        receive_count=int(attributes["ApproximateReceiveCount"]),
        sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
        group=attributes.get("MessageGroupId"),
    )


def _waiting(attributes: dict[str, str]) -> int:
    visible = int(attributes["ApproximateNumberOfMessages"])
    return visible + int(attributes["ApproximateNumberOfMessagesNotVisible"])
