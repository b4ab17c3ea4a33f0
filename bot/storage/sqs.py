"""A queue of Amazon SQS."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from bot.errors import Refused, Retryable
from bot.ports import Message, Outgoing

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    Entry = dict[str, Any]
    Refusal = Mapping[str, Any]

BATCH: Final = 10
BATCH_BYTES: Final = 250_000
"""Of one call; a larger message goes alone, and may have 1 MiB (SQS quotas, "Message size")."""
EVERYWHERE: Final = 1
"""Seconds to wait for messages: without a wait SQS asks some of its servers only, and may say that
there is none (SQS developer guide, "Short and long polling")."""

_FAULTY: Final = frozenset({"BatchRequestTooLong", "InvalidMessageContents"})
"""What SQS says of a call in which a message is at fault (SendMessageBatch, "Errors")."""


class SqsQueue:
    """`bot.ports.Queue` over SQS."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[Outgoing]) -> None:
        """See `bot.ports.Queue`."""
        _, refusals = self._send(messages)
        _raise_over(refusals)

    def _send(self, messages: Sequence[Outgoing]) -> "tuple[dict[int, str], list[Refusal]]":
        """Sends all; the ids that SQS gave, by place among the messages, and what it refused."""
        ids: dict[int, str] = {}
        refusals: list[Refusal] = []
        for batch in _batches(messages):
            taken, refused = self._sent(batch)
            ids |= {int(entry["Id"]): entry["MessageId"] for entry in taken}
            refusals += refused
        return ids, refusals

    def _sent(self, entries: "list[Entry]") -> "tuple[list[Any], list[Refusal]]":
        try:
            return self._batch("send_message_batch", entries)
        except Refused as refusal:
            if len(entries) == 1:
                faulty: Refusal = {"Id": entries[0]["Id"], "SenderFault": True}
                return [], [{**faulty, "Code": str(refusal)}]
        # One that SQS never takes may spoil a call of several: which one shows by itself.
        alone = [self._sent([entry]) for entry in entries]
        return [one for taken, _ in alone for one in taken], [r for _, some in alone for r in some]

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
        self._each("delete_message_batch", [{"ReceiptHandle": r} for r in receipts])

    def postpone(self, receipts: Sequence[str], seconds: float) -> None:
        """See `bot.ports.Queue`."""
        timeout = {"VisibilityTimeout": round(seconds)}
        self._each(
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
            ids, refusals = self._send([_redriven(letter) for letter in letters])
            sent |= set(ids.values())
            dead.delete([letters[place].receipt for place in ids])
            count += len(ids)
            _raise_over(refusals)
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

    def _each(self, method: str, entries: "Sequence[Entry]") -> None:
        """One call for each of these receipts, ten at once; a stale one changes nothing."""
        numbered = [{"Id": str(number), **entry} for number, entry in enumerate(entries)]
        refusals: list[Refusal] = []
        for start in range(0, len(numbered), BATCH):
            refusals += self._batch(method, numbered[start : start + BATCH])[1]
        _raise_over([refusal for refusal in refusals if not refusal["SenderFault"]])

    def _batch(self, method: str, entries: "Sequence[Entry]") -> "tuple[list[Any], list[Refusal]]":
        """What SQS did of a call, and what it refused; that for which it blames itself, twice."""
        answer = self._call(method, Entries=entries)
        done, refused = answer.get("Successful", []), answer.get("Failed", [])
        again = {refusal["Id"] for refusal in refused if not refusal["SenderFault"]}
        if not again:
            return done, refused
        repeated = self._call(method, Entries=[one for one in entries if one["Id"] in again])
        return (
            [*done, *repeated.get("Successful", [])],
            [*(r for r in refused if r["Id"] not in again), *repeated.get("Failed", [])],
        )

    def _call(self, method: str, **arguments: Any) -> Any:
        return self._ask(method, QueueUrl=self._url, **arguments)

    def _ask(self, method: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, method)(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if method == "send_message_batch" and code.rpartition(".")[2] in _FAULTY:
                raise Refused(code) from None
            raise Retryable(f"SQS did not answer as it should: {error}").of("storage") from None
        except BotoCoreError as error:
            raise Retryable(f"SQS did not answer as it should: {error}").of("storage") from None


def _raise_over(refusals: "Sequence[Refusal]") -> None:
    """Raises `Retryable` where a later try may work, `Refused` where none ever will."""
    if not refusals:
        return
    later = [refusal for refusal in refusals if not refusal["SenderFault"]]
    codes = ", ".join(sorted({refusal["Code"] for refusal in later or refusals}))
    if later:
        said = f"SQS refused {len(later)} messages for now ({codes})."
        raise Retryable(said).of("storage")
    raise Refused(
        f"SQS never takes {len(refusals)} of these messages ({codes}); the others are queued."
    )


def _batches(messages: Sequence[Outgoing]) -> "Iterator[list[Entry]]":
    """The messages as the entries of calls, each with its place as its id."""
    batch: list[Entry] = []
    size = 0
    for place, message in enumerate(messages):
        length = len(message.body.encode())
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(_entry(place, message))
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
