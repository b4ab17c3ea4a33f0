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
EVERYWHERE: Final = 1
"""Seconds to wait for messages: without a wait SQS asks some of its servers only, and may say that
there is none (SQS developer guide, "Short and long polling")."""


class SqsQueue:
    """`bot.ports.Queue` over SQS."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[Outgoing]) -> None:
        """See `bot.ports.Queue`."""
        self._send(messages)

    def _send(self, messages: Sequence[Outgoing]) -> set[str]:
        """Sends all, and returns the ids that SQS gave them."""
        ids: set[str] = set()
        for batch in _batches(messages):
            entries = [_entry(number, message) for number, message in enumerate(batch)]
            answer = self._call("send_message_batch", Entries=entries)
            if answer.get("Failed"):
                reasons = sorted({failed["Code"] for failed in answer["Failed"]})
                raise Retryable(f"SQS refused {len(answer['Failed'])} messages: {reasons}.")
            ids |= {taken["MessageId"] for taken in answer["Successful"]}
        return ids

    def receive(self, limit: int, wait: int = 0) -> list[Message]:
        """See `bot.ports.Queue`; waits so many seconds for a message to come."""
        answer = self._call(
            "receive_message",
            MaxNumberOfMessages=min(limit, BATCH),
            MessageSystemAttributeNames=["All"],
            WaitTimeSeconds=wait,
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

    def redrive(self, limit: int | None = None) -> int:
        """See `bot.ports.Queue`. Each is deleted from the dead letters only once it was sent.

        SQS's own StartMessageMoveTask does it too, FIFO included, but in its own time: it returns
        before the first is moved, knows no limit, and counts only roughly (SQS API reference).
        """
        dead = self._dead_letters(self._attributes())
        sent: set[str] = set()
        count = 0
        while dead and (limit is None or count < limit):
            found = dead.receive(BATCH if limit is None else limit - count, EVERYWHERE)
            # What died again meanwhile would go round and round.
            letters = [letter for letter in found if letter.id not in sent]
            if not letters:
                break
            sent |= self._send([_redriven(letter) for letter in letters])
            dead.delete([letter.receipt for letter in letters])
            count += len(letters)
        return count

    def depth(self) -> tuple[int, int]:
        """See `bot.ports.Queue`."""
        attributes = self._attributes()
        dead = self._dead_letters(attributes)
        return _waiting(attributes), dead.waiting() if dead else 0

    def waiting(self) -> int:
        """How many messages wait or are in flight."""
        return _waiting(self._attributes())

    def _dead_letters(self, attributes: dict[str, str]) -> "SqsQueue | None":
        if "RedrivePolicy" not in attributes:
            return None
        arn: str = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"]
        url = self._ask("get_queue_url", QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        return SqsQueue(self._client, url)

    def _attributes(self) -> dict[str, str]:
        answer = self._call("get_queue_attributes", AttributeNames=["All"])
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


def _redriven(letter: Message) -> Outgoing:
    # Under its old deduplication id a FIFO queue might swallow it (five minutes); under this one,
    # only what an interrupted redrive sent already. Once sent it has another id.
    return Outgoing(letter.body, letter.group, letter.group and f"redriven-{letter.id}")


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
