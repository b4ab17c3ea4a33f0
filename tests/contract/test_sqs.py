"""What is particular to SQS: the size of its calls, and what it refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.errors import Refused, Retryable
from bot.ports import Outgoing
from bot.storage.sqs import SqsQueue
from tests.contract.examples import RECEIVES, bodies, grouped, take
from tests.contract.surroundings import Amazon, create_queue
from tests.standins import aws
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


def partly(operation: str, taken: list[int], **refused: bool) -> Fault:
    """Answers that it did so many entries; of the others, whether their sender is at fault."""
    done = [{"Id": f"{n}", "MessageId": f"m{n}"} for n in taken]
    failed = [
        {"Id": n.removeprefix("entry"), "Code": "Broken" if fault else "InternalError"}
        | {"SenderFault": fault}
        for n, fault in refused.items()
    ]
    return Fault(status=200, body={"Successful": done, "Failed": failed}, where=operation)


class TestACallOfWhichSqsTookOnlyAPart:
    def test_is_made_again_for_the_rest_alone(self, queue: SqsQueue, amazon: Amazon) -> None:
        amazon.relay.faults.append(partly("SendMessageBatch", [0, 2], entry1=False))
        queue.send([Outgoing("a"), Outgoing("b"), Outgoing("c")])
        assert sent_by(amazon) == [["a", "b", "c"], ["b"]]

    def test_may_work_later_where_sqs_refuses_twice(self, queue: SqsQueue, amazon: Amazon) -> None:
        again = [partly("SendMessageBatch", [], entry1=False)] * 2
        amazon.relay.faults.extend(again)
        with pytest.raises(Retryable, match=r"SQS refused 1 messages for now \(InternalError\)\."):
            queue.send([Outgoing("a"), Outgoing("b")])

    def test_is_not_made_again_for_what_sqs_never_takes(
        self, queue: SqsQueue, amazon: Amazon
    ) -> None:
        amazon.relay.faults.append(partly("SendMessageBatch", [1], entry0=True))
        with pytest.raises(Refused, match="SQS never takes 1 of these"):
            queue.send([Outgoing("a"), Outgoing("b")])
        assert len(sent_by(amazon)) == 1

    def test_keeps_none_back_of_the_calls_that_follow(
        self, queue: SqsQueue, amazon: Amazon
    ) -> None:
        amazon.relay.faults.append(partly("SendMessageBatch", list(range(1, 10)), entry0=True))
        with pytest.raises(Refused):
            queue.send([Outgoing("a")] * 10 + [Outgoing("b")])
        assert bodies(take(queue)) == ["b"]

    @pytest.mark.parametrize(
        ("operation", "call"),
        [
            ("DeleteMessageBatch", lambda queue: queue.delete(["a", "b", "c"])),
            ("ChangeMessageVisibilityBatch", lambda queue: queue.postpone(["a", "b", "c"], 5)),
        ],
    )
    def test_is_made_again_for_receipts_that_are_not_stale(
        self, queue: SqsQueue, amazon: Amazon, operation: str, call: Callable[[SqsQueue], Any]
    ) -> None:
        amazon.relay.faults.append(partly(operation, [0], entry1=True, entry2=False))
        amazon.relay.faults.append(partly(operation, [2]))
        call(queue)
        first, second = (one.json()["Entries"] for one in amazon.relay.calls(operation))
        assert [entry["ReceiptHandle"] for entry in first] == ["a", "b", "c"]
        assert [entry["ReceiptHandle"] for entry in second] == ["c"]
        amazon.relay.faults.extend([partly(operation, [0], entry2=False)] * 2)
        with pytest.raises(Retryable, match="InternalError"):
            call(queue)


class TestAMessageThatSqsNeverTakes:
    def test_keeps_none_of_its_neighbours_back(self, queue: SqsQueue) -> None:
        giant = "a" * (1024 * 1024 + 1)
        with pytest.raises(Refused, match=r"SQS never takes 1 of these messages \(.*TooLong\)"):
            queue.send([Outgoing("before"), Outgoing(giant), Outgoing("after")])
        assert sorted(bodies(take(queue, 2))) == ["after", "before"]

    def test_is_found_where_it_spoils_a_call_of_several(
        self, queue: SqsQueue, amazon: Amazon
    ) -> None:
        amazon.relay.faults.extend([refused("SendMessageBatch", "InvalidMessageContents")] * 2)
        with pytest.raises(Refused, match="InvalidMessageContents"):
            queue.send([Outgoing("strange"), Outgoing("a"), Outgoing("b")])
        assert sent_by(amazon) == [["strange", "a", "b"], ["strange"], ["a"], ["b"]]
        assert sorted(bodies(take(queue, 2))) == ["a", "b"]


def sent_by(amazon: Amazon) -> list[list[str]]:
    """The bodies in each call that sent some."""
    calls = [call.json()["Entries"] for call in amazon.relay.calls("SendMessageBatch")]
    return [[entry["MessageBody"] for entry in entries] for entries in calls]


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("SendMessageBatch", lambda queue: queue.send([Outgoing("a")])),
        ("ReceiveMessage", lambda queue: queue.receive(10)),
        ("DeleteMessageBatch", lambda queue: queue.delete(["receipt"])),
        ("ChangeMessageVisibilityBatch", lambda queue: queue.postpone(["receipt"], 5)),
        ("GetQueueAttributes", lambda queue: queue.depth()),
        ("GetQueueUrl", lambda queue: queue.depth()),
        ("ReceiveMessage", lambda queue: queue.redrive()),
    ],
)
def test_a_call_that_sqs_refuses_may_work_later(
    queue: SqsQueue, amazon: Amazon, operation: str, call: Callable[[SqsQueue], Any]
) -> None:
    amazon.relay.faults.append(refused(operation))
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
    assert queue.redrive() == 0


class TestRedriving:
    @pytest.fixture
    def cards(self, amazon: Amazon) -> SqsQueue:
        """A FIFO queue with one dead letter, which nobody's receiving hides."""
        cards = SqsQueue(amazon.sqs, create_queue(amazon.sqs, "cards.fifo"))
        cards.send([grouped("a card")])
        bury(cards)
        dead = amazon.sqs.get_queue_url(QueueName="dead-cards.fifo")["QueueUrl"]
        amazon.sqs.set_queue_attributes(QueueUrl=dead, Attributes={"VisibilityTimeout": "0"})
        amazon.relay.start_afresh()
        return cards

    def test_loses_no_letter_that_could_not_be_sent(self, cards: SqsQueue, amazon: Amazon) -> None:
        amazon.relay.faults.append(refused("SendMessageBatch"))
        with pytest.raises(Retryable, match="AccessDenied"):
            cards.redrive()
        assert amazon.relay.calls("DeleteMessageBatch") == []
        assert cards.depth() == (0, 1)

    def test_that_broke_off_before_it_deleted_sends_nothing_twice(
        self, cards: SqsQueue, amazon: Amazon
    ) -> None:
        amazon.relay.faults.append(refused("DeleteMessageBatch"))
        with pytest.raises(Retryable, match="AccessDenied"):
            cards.redrive()
        assert cards.depth() == (1, 1)
        cards.redrive(1)
        assert cards.depth() == (1, 0)

    def test_deletes_just_those_letters_that_were_sent(
        self, cards: SqsQueue, amazon: Amazon
    ) -> None:
        cards.send([grouped("another")])
        bury(cards)
        amazon.relay.start_afresh()
        amazon.relay.faults.extend([partly("SendMessageBatch", [1], entry0=False)] * 2)
        with pytest.raises(Retryable, match="InternalError"):
            cards.redrive()
        [deleted] = [call.json()["Entries"] for call in amazon.relay.calls("DeleteMessageBatch")]
        assert len(deleted) == 1
        assert cards.depth() == (0, 1)

    def test_uses_no_deduplication_id_again(self, cards: SqsQueue, amazon: Amazon) -> None:
        # moto forgets an id with its message: what can be seen is which ids are sent.
        for _ in range(2):
            cards.redrive(1)
            bury(cards)
        cards.send([grouped("a card")])
        sent = [call.json()["Entries"] for call in amazon.relay.calls("SendMessageBatch")]
        assert len({entry["MessageDeduplicationId"] for [entry] in sent}) == 3

    def test_ends_although_a_letter_dies_again_and_again(
        self, cards: SqsQueue, amazon: Amazon
    ) -> None:
        url = amazon.sqs.get_queue_url(QueueName="cards.fifo")["QueueUrl"]
        worker = SqsQueue(aws.client("sqs", amazon.url), url)
        deaths = iter(range(3))  # a redrive without end would be one of three rounds more

        def die(operation: str) -> None:
            if operation == "DeleteMessageBatch" and next(deaths, None) is not None:
                bury(worker)

        amazon.relay.meanwhile = die
        assert cards.redrive() == 1
        assert cards.depth() == (0, 1)


def bury(queue: SqsQueue) -> None:
    """Makes a dead letter of the only message."""
    for _ in range(RECEIVES):
        queue.postpone([message.receipt for message in take(queue)], 0)
    assert queue.receive(10) == []


def refused(operation: str, code: str = "AccessDenied") -> Fault:
    body = {"__type": f"com.amazonaws.sqs#{code}", "message": "No."}
    return Fault(status=400, body=body, where=operation)
