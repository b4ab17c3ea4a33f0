from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.cases import Case, Effect, State
from bot.errors import Permanent, Retryable
from bot.triage import DELETIONS_TOLD, arrival_of
from bot.tweets import Source, Tweet
from bot.twitter.deletions import AT_ONCE, CALL_TIME, CHECK, ENOUGH_TIME, DeletionCheck
from bot.twitter.ledger import Ledger
from bot.wire import Deleted
from tests.examples import NOON, case
from tests.fakes import Clock, MemoryCases, MemoryQueue
from tests.simulation import Simulation

PLENTY = 50.0


def post(number: int, source: Source = "poll", **changes: Any) -> Case:
    """An open case received so many minutes before noon."""
    tweet = Tweet(f"{1000 + number}", "hello", f"{1000 + number}", source=source)
    received_at = changes.pop("received_at", NOON - timedelta(minutes=number))
    return case(tweet=tweet, received_at=received_at, **changes)


def with_reply(one: Case, state: State, route: Any = "reply") -> Case:
    return replace(one, route=route, effects=(Effect("reply", state),))


class World:
    """A check, and an X that has only the posts in `there`; each call takes `seconds`."""

    def __init__(self, *stored: Case, budget: int | None = None) -> None:
        self.clock = Clock()
        self.store = MemoryCases()
        self.store.add(stored)
        self.queue = MemoryQueue(self.clock)
        self.ledger = Ledger(self.store, budget)
        self.within = timedelta(days=90)
        self.asked: list[list[str]] = []
        self.missing: set[str] = set()
        self.failures: list[Exception] = []
        self.seconds = 0.0

    def gone(self, ids: Sequence[str]) -> set[str]:
        self.asked.append(list(ids))
        self.clock.wait(self.seconds)
        if self.failures:
            raise self.failures.pop(0)
        return self.missing & set(ids)

    def check(self, seconds_left: Callable[[], float] | None = None) -> int:
        begun = self.clock()

        def left() -> float:
            return PLENTY - (self.clock() - begun).total_seconds()

        check = DeletionCheck(self.gone, self.store, self.queue, self.ledger, self.within)
        return check.check(begun, seconds_left or left)

    def deleted(self) -> list[str]:
        arrivals = [arrival_of(one.body).what for one in self.queue.sent]
        return [one.id for one in arrivals if isinstance(one, Deleted)]

    @property
    def ids_asked(self) -> list[str]:
        return [one for ids in self.asked for one in ids]

    @property
    def lookups(self) -> int:
        return sum(day.get("lookup", 0) for day in self.ledger.month(NOON).values())


class TestTheCheck:
    def test_queues_the_deletion_of_what_is_gone_which_then_is_erased(self) -> None:
        bot, world = Simulation(), World()
        world.store, world.queue = bot.store, bot.tweets
        bot.store.add([post(1), post(2)])
        world.missing = {"1002"}
        assert world.check() == 1
        bot.run_on()
        kept, erased = bot.store.get(["1001"])["1001"], bot.store.get(["1002"])["1002"]
        assert (kept.erased, erased.erased, erased.tweet.text) == (False, True, "")

    def test_does_not_pass_for_a_webhook(self) -> None:
        world = World(post(1))
        world.missing = {"1001"}
        world.check()
        [sent] = world.queue.sent
        assert arrival_of(sent.body).what == Deleted("1001", source="poll")

    @pytest.mark.parametrize(
        ("asked", "stored"),
        [
            (True, post(1)),
            (True, post(1, "webhook")),
            (False, post(1, "file")),
            (False, post(1, "typed")),
            (False, post(1, resolved=True)),
            (False, post(1, erased=True)),
            (False, post(1, route="skip")),
            (False, post(1, received_at=NOON - timedelta(days=90))),
            (True, with_reply(post(1), "sent")),
            (True, with_reply(post(1, resolved=True), "sent", "escalate")),
            (True, with_reply(post(1), "unknown")),
            (False, with_reply(post(1), "pending")),
            (False, with_reply(post(1), "dry-run")),
        ],
    )
    def test_asks_for_what_x_gave_and_is_open_or_answered(
        self, *, asked: bool, stored: Case
    ) -> None:
        world = World(stored)
        world.check()
        assert world.ids_asked == (["1001"] if asked else [])

    def test_asks_for_the_latest_edit_and_erases_the_whole_post(self) -> None:
        edited = post(1)
        world = World(replace(edited, tweet=replace(edited.tweet, id="1099")))
        world.missing = {"1099"}
        world.check()
        assert (world.ids_asked, world.deleted()) == (["1099"], ["1001"])

    def test_asks_for_a_hundred_posts_a_call(self) -> None:
        world = World(*(post(number) for number in range(250)))
        world.check()
        assert [len(ids) for ids in world.asked] == [100, 100, 50]
        assert world.lookups == 250

    def test_is_over_for_the_day_once_it_is_through(self) -> None:
        world = World(post(1))
        for _ in range(3):
            world.check()
        assert len(world.asked) == 1
        world.clock.wait(12 * 3600)
        world.check()
        assert len(world.asked) == 2

    def test_may_be_switched_off(self) -> None:
        world = World(post(1))
        world.within = timedelta(0)
        world.check()
        assert world.asked == []

    @pytest.mark.parametrize(("hours", "asked"), [(0, 0), (47, 0), (49, 1)])
    def test_leaves_it_to_a_webhook_that_was_heard_of_lately(self, hours: int, asked: int) -> None:
        world = World(post(1))
        world.store.set_note(DELETIONS_TOLD, (NOON - timedelta(hours=hours)).isoformat())
        world.check()
        assert len(world.asked) == asked

    @pytest.mark.parametrize("noted", ["soon", {"day": "2026-11-01", "done": True}, {"day": 5}])
    def test_begins_anew_where_nothing_is_noted_of_this_day(self, noted: object) -> None:
        world = World(post(1))
        world.store.set_note(CHECK, noted)
        world.check()
        assert world.ids_asked == ["1001"]


class TestACheckCutShort:
    def test_goes_on_in_the_next_run(self) -> None:
        world = World(*(post(number) for number in range(450)))
        world.seconds = 11
        runs = 0
        while len(world.ids_asked) < 450:
            world.check()
            runs += 1
        assert runs == 3
        assert sorted(world.ids_asked) == sorted(f"{1000 + number}" for number in range(450))

    def test_is_not_confused_by_cases_received_at_the_same_moment(self) -> None:
        world = World(*(post(number, received_at=NOON) for number in range(350)))
        for _ in range(6):
            clock = iter([PLENTY] * 101 + [0] * 1000)
            world.check(lambda clock=clock: next(clock))  # type: ignore[misc]
        assert sorted(world.ids_asked) == sorted(f"{1000 + number}" for number in range(350))

    def test_gets_through_however_few_of_the_cases_concern_it(self) -> None:
        stored = [post(number, "poll" if number % 50 == 0 else "file") for number in range(300)]
        world = World(*stored)
        for _ in range(5):
            clock = iter([PLENTY] * 80 + [ENOUGH_TIME - 1, CALL_TIME - 1])
            world.check(lambda clock=clock: next(clock))  # type: ignore[misc]
        assert world.ids_asked == [f"{1000 + number}" for number in range(0, 300, 50)]
        assert world.store.note(CHECK)["done"]

    def test_has_no_time_at_all_where_the_poll_took_it(self) -> None:
        world = World(post(1))
        world.check(lambda: CALL_TIME - 1)
        assert (world.asked, world.store.note(CHECK)) == ([], None)

    def test_by_x_goes_on_where_it_failed(self) -> None:
        world = World(*(post(number) for number in range(150)), budget=1000)
        world.failures = [Retryable("X is not answering.")]
        with pytest.raises(Retryable):
            world.check()
        assert world.lookups == 0
        world.check()
        assert [len(ids) for ids in world.asked] == [100, 100, 50]

    def test_by_a_full_queue_asks_again(self) -> None:
        world = World(post(1))
        world.missing = {"1001"}
        world.queue.failure = Retryable("The queue does not answer.")
        with pytest.raises(Retryable):
            world.check()
        world.queue.failure = None
        assert world.check() == 1

    def test_by_a_refusal_waits_for_the_next_day(self, caplog: pytest.LogCaptureFixture) -> None:
        world = World(post(1))
        world.failures = [Permanent("X refuses (403).")]
        assert world.check() == 0
        assert "not looked for until tomorrow: X refuses (403)." in caplog.text
        world.check()
        assert len(world.asked) == 1


class TestTheReadBudget:
    def test_is_half_left_to_mentions(self, caplog: pytest.LogCaptureFixture) -> None:
        world = World(*(post(number) for number in range(350)), budget=501)
        world.check()
        assert [len(ids) for ids in world.asked] == [100, 100]
        assert "half of X_MONTHLY_READ_BUDGET is used" in caplog.text
        world.check()
        assert len(caplog.records) == 1
        assert world.ledger.reads_left(NOON) == 301

    def test_of_dollars_is_half_left_to_answers(self, caplog: pytest.LogCaptureFixture) -> None:
        world = World(*(post(number) for number in range(350)))
        world.ledger = replace(world.ledger, budget=2.01)
        world.check()
        assert [len(ids) for ids in world.asked] == [100, 100], "a dollar's worth"
        assert "half of X_MONTHLY_BUDGET_USD is used" in caplog.text

    def test_that_mentions_have_half_used_stops_it_at_once(self) -> None:
        world = World(post(1), budget=10)
        world.ledger.charge("mention", 5, NOON)
        world.check()
        assert world.asked == []

    def test_is_no_matter_where_there_is_none(self) -> None:
        world = World(*(post(number) for number in range(AT_ONCE)))
        world.check()
        assert world.lookups == AT_ONCE
