import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from bot import batches
from bot.errors import Conflict, Newer, Permanent, Refused, Retryable, Unknown
from bot.local.events import sqs_event
from bot.local.serverless import queue_properties
from bot.ports import Outgoing
from bot.storage.sqlite import Database, SqliteQueue
from tests.contract.examples import Watch, bodies, sqlite_queue

KEPT = timedelta(days=4)
"""How long SQS keeps a message (serverless.yml, MessageRetentionPeriod)."""
DOWN = Retryable("Slack is down.")
NEWER = Newer("It waits for the release that wrote it.")
COMES_AGAIN = [
    Refused("This message is not a tweet."),
    Permanent("X forbids it."),
    Retryable("Slack is down."),
    Unknown("The answer was lost."),
    Conflict("Case 1 changed 10 times."),
]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def queue(tmp_path: Path, watch: Watch) -> SqliteQueue:
    return sqlite_queue(Database(tmp_path / "bot.sqlite"), watch, fifo=False)


def event_of(queue: SqliteQueue, *sent: str) -> dict[str, Any]:
    """These messages, received, as the function gets them."""
    queue.send([Outgoing(body) for body in sent])
    return sqs_event(queue.receive(10), "tweets")


def identities_of(answer: batches.Answer) -> list[str]:
    assert answer.keys() == {"batchItemFailures"}
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def failing(*failures: Exception | None) -> Callable[[str], None]:
    """Work that goes wrong, or not, in this order."""
    left = list(failures)

    def work(_: str) -> None:
        if failure := left.pop(0):
            raise failure

    return work


class TestEach:
    def test_works_through_all_bodies_in_order_and_nothing_comes_again(
        self, queue: SqliteQueue
    ) -> None:
        done: list[str] = []
        answer = batches.each(event_of(queue, "1", "2", "3"), done.append, queue)
        assert (done, answer) == (["1", "2", "3"], {"batchItemFailures": []})

    @pytest.mark.parametrize("failure", COMES_AGAIN, ids=lambda one: type(one).__name__)
    def test_lets_what_failed_come_again_and_does_the_rest(
        self, queue: SqliteQueue, failure: Exception
    ) -> None:
        event = event_of(queue, "1", "2", "3")
        answer = batches.each(event, failing(None, failure, None), queue)
        assert identities_of(answer) == [event["Records"][1]["messageId"]]

    def test_tells_of_several_failures(self, queue: SqliteQueue) -> None:
        event = event_of(queue, "1", "2", "3")
        answer = batches.each(event, failing(COMES_AGAIN[2], None, COMES_AGAIN[0]), queue)
        first, _, last = event["Records"]
        assert identities_of(answer) == [first["messageId"], last["messageId"]]

    def test_hides_no_mistake_of_ours(self, queue: SqliteQueue) -> None:
        with pytest.raises(ZeroDivisionError):
            batches.each(event_of(queue, "1"), failing(ZeroDivisionError()), queue)

    def test_of_an_empty_batch_does_nothing(self, queue: SqliteQueue) -> None:
        assert batches.each({"Records": []}, failing(), queue) == {"batchItemFailures": []}


class TestWhatComesAgain:
    def test_comes_later_each_time_and_sooner_than_the_visibility_timeout(
        self, queue: SqliteQueue, watch: Watch
    ) -> None:
        queue.send([Outgoing("a tweet")])
        for wait in (5, 10):
            event = sqs_event(queue.receive(10), "tweets")
            batches.each(event, failing(Retryable("Slack is down.")), queue)
            watch.forward(wait - 0.1)
            assert queue.receive(10) == []
            watch.forward(0.1)
        assert bodies(queue.receive(10)) == ["a tweet"]

    @pytest.mark.parametrize(
        ("failure", "count", "wait"),
        [
            (DOWN, 1, 5),
            (DOWN, 2, 10),
            (DOWN, 4, 40),
            (DOWN, 5, 60),
            (DOWN, 10_000, 60),
            (Retryable("Not for 42 s.", 42), 1, 42),
            (Retryable("Not for 3 s.", 3), 1, 5),
            (Retryable("Not today.", 86_400), 1, 60),
            (NEWER, 1, 300),
            (NEWER, 5, 4_800),
            (NEWER, 6, 7_200),
        ],
    )
    def test_waits_twice_as_long_each_time_but_never_too_long(
        self, queue: SqliteQueue, watch: Watch, failure: Exception, count: int, wait: float
    ) -> None:
        event = event_of(queue, "a tweet")
        event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(count)
        batches.each(event, failing(failure), queue)
        watch.forward(wait - 0.1)
        assert queue.receive(1) == []
        watch.forward(0.1)
        assert bodies(queue.receive(1)) == ["a tweet"]

    def test_does_so_at_once_where_nothing_helps(self, queue: SqliteQueue) -> None:
        batches.each(event_of(queue, "1"), failing(Refused("This message is no tweet.")), queue)
        assert bodies(queue.receive(1)) == ["1"]

    def test_is_postponed_with_what_waits_as_long(self, queue: SqliteQueue) -> None:
        asked: list[tuple[int, float]] = []
        stub = Mock(postpone=lambda receipts, wait: asked.append((len(receipts), wait)))
        event = event_of(queue, "1", "2", "3", "4")
        batches.each(event, failing(DOWN, NEWER, DOWN, None), stub)
        assert asked == [(2, 5), (1, 300)]

    def test_comes_after_its_visibility_timeout_where_the_queue_does_not_answer(
        self, queue: SqliteQueue, caplog: pytest.LogCaptureFixture
    ) -> None:
        stub = Mock(**{"postpone.side_effect": Retryable("SQS is down.")})
        event = event_of(queue, "1", "2")
        answer = batches.each(event, failing(None, DOWN), stub)
        assert identities_of(answer) == [event["Records"][1]["messageId"]]
        assert "SQS is down." in caplog.text

    def test_is_just_what_failed(self, queue: SqliteQueue, watch: Watch) -> None:
        event = event_of(queue, "1", "2")
        batches.each(event, failing(None, Retryable("Slack is down.")), queue)
        watch.forward(batches.FIRST_WAIT)
        assert bodies(queue.receive(10)) == ["2"]


class TestWhatIsLogged:
    @pytest.fixture(autouse=True)
    def record(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, batches.__name__)

    @pytest.mark.parametrize("failure", COMES_AGAIN[1:], ids=lambda one: type(one).__name__)
    def test_is_why_a_message_comes_again(
        self, queue: SqliteQueue, caplog: pytest.LogCaptureFixture, failure: Exception
    ) -> None:
        batches.each(event_of(queue, "text of a tweet"), failing(failure), queue)
        [line] = caplog.records
        assert (line.levelname, str(failure) in line.message) == ("WARNING", True)

    def test_of_one_that_cannot_be_read_is_an_error_told_once(
        self, queue: SqliteQueue, watch: Watch, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue.send([Outgoing("no tweet")])
        for _ in range(2):
            event = sqs_event(queue.receive(10), "tweets")
            batches.each(event, failing(Refused("This message is not a tweet.")), queue)
            watch.forward(60)
        [line] = caplog.records
        assert (line.levelname, "dead letters" in line.message) == ("ERROR", True)

    def test_of_a_newer_releases_message_is_that_it_waits_told_once(
        self, queue: SqliteQueue, watch: Watch, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue.send([Outgoing("of tomorrow")])
        for _ in range(2):
            batches.each(sqs_event(queue.receive(10), "tweets"), failing(NEWER), queue)
            watch.forward(batches.NEWER_LONGEST_WAIT)
        [line] = caplog.records
        assert (line.levelname, str(NEWER) in line.message) == ("WARNING", True)

    def test_never_holds_the_message_itself(
        self, queue: SqliteQueue, caplog: pytest.LogCaptureFixture
    ) -> None:
        batches.each(event_of(queue, "a private word"), failing(COMES_AGAIN[0]), queue)
        assert "a private word" not in caplog.text


@pytest.mark.parametrize("name", ["tweets", "actions"])
def test_a_newer_releases_message_waits_for_two_hours_and_is_no_dead_letter(
    name: str, tmp_path: Path, watch: Watch
) -> None:
    receives = queue_properties(name).max_receives
    queue = sqlite_queue(Database(tmp_path / "bot.sqlite"), watch, fifo=False, receives=receives)
    queue.send([Outgoing("of tomorrow")])
    until = watch.now + timedelta(hours=2)
    while watch.now < until:
        if batch := queue.receive(10):
            batches.each(sqs_event(batch, name), failing(NEWER), queue)
        watch.forward(60)
    assert queue.depth() == (1, 0)
    waits = sum(
        min(batches.NEWER_FIRST_WAIT * 2**n, batches.NEWER_LONGEST_WAIT) for n in range(receives)
    )
    assert waits < KEPT.total_seconds()


def test_a_message_that_never_works_ends_among_the_dead_letters(
    queue: SqliteQueue, watch: Watch
) -> None:
    queue.send([Outgoing("poison")])
    rounds = 0
    while batch := queue.receive(10):
        rounds += 1
        batches.each(sqs_event(batch, "tweets"), failing(Permanent("X forbids it.")), queue)
        watch.forward(batches.LONGEST_WAIT)
    assert (rounds, queue.depth()) == (3, (0, 1))
