"""What is particular to SQS: the size of its calls, and what it refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.errors import Retryable
from bot.ports import Outgoing
from bot.storage.sqs import SqsQueue
from tests.contract.examples import bodies, take
from tests.contract.surroundings import Amazon, create_queue
from tests.standins.server import Fault

LARGEST_CALL = 256 * 1024


@pytest.fixture
def queue(amazon: Amazon) -> SqsQueue:
    return SqsQueue(amazon.sqs, create_queue(amazon.sqs, "tweets"))


@pytest.mark.parametrize(
    "sent",
    [["a"] * 23, ["a" * 100_000] * 7, ["😡" * 25_000] * 5, ["a" * 262_144, "b"]],
    ids=["many", "long", "four bytes a character", "one as long as a call"],
)
def test_no_call_holds_more_than_sqs_takes(
    queue: SqsQueue, amazon: Amazon, sent: list[str]
) -> None:
    queue.send([Outgoing(body) for body in sent])
    calls = [call.json()["Entries"] for call in amazon.relay.calls("SendMessageBatch")]
    assert [entry["MessageBody"] for entries in calls for entry in entries] == sent
    for entries in calls:
        assert len(entries) <= 10
        assert sum(len(entry["MessageBody"].encode()) for entry in entries) <= LARGEST_CALL


def test_no_call_asks_for_more_messages_than_sqs_gives(queue: SqsQueue, amazon: Amazon) -> None:
    queue.receive(50)
    queue.receive(3)
    calls = [call.json()["MaxNumberOfMessages"] for call in amazon.relay.calls("ReceiveMessage")]
    assert calls == [10, 3]


def test_a_call_of_which_sqs_took_only_a_part_may_work_later(
    queue: SqsQueue, amazon: Amazon
) -> None:
    failed = {"Id": "1", "Code": "InternalError", "SenderFault": False}
    taken = {"Id": "0", "MessageId": "m", "MD5OfMessageBody": "0cc175b9c0f1b6a831c399e269772661"}
    answer = {"Successful": [taken], "Failed": [failed]}
    amazon.relay.faults.append(Fault(status=200, body=answer, where="SendMessageBatch"))
    with pytest.raises(Retryable, match="InternalError"):
        queue.send([Outgoing("a"), Outgoing("b")])


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("SendMessageBatch", lambda queue: queue.send([Outgoing("a")])),
        ("ReceiveMessage", lambda queue: queue.receive(10)),
        ("DeleteMessageBatch", lambda queue: queue.delete(["receipt"])),
        ("ChangeMessageVisibilityBatch", lambda queue: queue.postpone(["receipt"], 5)),
        ("GetQueueAttributes", lambda queue: queue.depth()),
        ("GetQueueUrl", lambda queue: queue.depth()),
    ],
)
def test_a_call_that_sqs_refuses_may_work_later(
    queue: SqsQueue, amazon: Amazon, operation: str, call: Callable[[SqsQueue], Any]
) -> None:
    body = {"__type": "com.amazonaws.sqs#AccessDenied", "message": "No."}
    amazon.relay.faults.append(Fault(status=400, body=body, where=operation))
    with pytest.raises(Retryable, match="AccessDenied"):
        call(queue)


def test_a_message_whose_answer_was_lost_is_there_all_the_same(
    queue: SqsQueue, amazon: Amazon
) -> None:
    amazon.relay.faults.append(Fault("lost", where="SendMessageBatch"))
    queue.send([Outgoing("a tweet")])
    assert set(bodies(take(queue))) == {"a tweet"}


def test_a_queue_without_dead_letters_has_no_dead(amazon: Amazon) -> None:
    url = amazon.sqs.create_queue(QueueName="plain")["QueueUrl"]
    queue = SqsQueue(amazon.sqs, url)
    queue.send([Outgoing("a tweet")])
    assert queue.depth() == (1, 0)
