import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cases import Case
from bot.errors import Conflict, Failure, Misconfigured, Permanent, Refused, Retryable
from bot.ports import CaseStore
from bot.triage import DELETIONS_TOLD, Arrival, arrival_of, triage
from bot.tweets import SNOWFLAKE_EPOCH_MS, Author, Tweet, order
from bot.twitter import ACCOUNT
from bot.twitter.deletions import CHECK, DeletionCheck
from bot.twitter.events import LARGEST_MESSAGE, Taken, take_events
from bot.twitter.ledger import Ledger
from bot.twitter.polling import (
    ACCOUNT_KEYS,
    BUDGET_USED,
    CURSOR,
    FIRST_LOOK_BACK,
    LEASE,
    NOT_BEFORE,
    OVERLAP,
    PAGE,
    SEEN,
    Poller,
)
from bot.wire import Deleted, Revoked
from tests.examples import NOON, case
from tests.fakes import Clock, MemoryCases, MemoryQueue, identities
from tests.simulation import Simulation, desk
from tests.test_wire import ACCOUNT as OURS
from tests.test_wire import fixture

TIMEOUT = 50.0
OURSELVES = "44"
TRACE = "1-5bef4de7-ad49b0e87f6ef6c87fc2e700"


def snowflake(moment: datetime) -> str:
    return str((round(moment.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS) << 22)


def at(minutes: float, **changes: Any) -> Tweet:
    """A mention of so many minutes before noon."""
    tweet_id = snowflake(NOON - timedelta(minutes=minutes))
    return replace(Tweet(tweet_id, "hello", tweet_id, kind="mention", source="poll"), **changes)


def many(number: int, last: float = 1) -> list[Tweet]:
    """So many mentions a second apart, the newest that many minutes before noon."""
    return [at(last + second / 60) for second in range(number)]


@dataclass
class Timeline:
    """The account's mentions as X gives them, and charges for them: once each UTC day.

    `failures` are raised by calls of that number, the first being 1. A call takes `seconds`;
    `before_call` is what goes on meanwhile.
    """

    clock: Clock
    posts: list[Tweet] = field(default_factory=list)
    asked: list[tuple[str | None, datetime | None, str | None, int]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    billed: set[tuple[str, str]] = field(default_factory=set)
    failures: dict[int, Exception] = field(default_factory=dict)
    problems: Sequence[str] = ()
    seconds: float = 0
    fingerprint: str = "keys"
    accounts_asked: int = 0
    before_call: Callable[[], object] = lambda: None

    def account_id(self) -> str:
        self.accounts_asked += 1
        self.before_call()
        return OURSELVES

    def pages(
        self,
        account_id: str,
        since_id: str | None,
        since: datetime | None,
        until_id: str | None = None,
        page_size: int = 100,
    ) -> Iterable[tuple[list[Tweet], list[str]]]:
        assert account_id == OURSELVES
        assert 5 <= page_size <= 100
        more = True
        while more:
            self.asked.append((since_id, since, until_id, page_size))
            self.before_call()
            self.clock.wait(self.seconds)
            failure = self.failures.get(len(self.asked))
            if failure:
                raise failure
            found = self._between(since_id, since, until_id)
            page, more = found[:page_size], len(found) > page_size
            self.read += [post.id for post in page]
            self.billed |= {(self.clock().date().isoformat(), post.id) for post in page}
            until_id = page[-1].id if page else until_id
            yield page, list(self.problems)

    def _between(
        self, since_id: str | None, since: datetime | None, until_id: str | None
    ) -> list[Tweet]:
        oldest = since_id or (snowflake(since) if since else "0")
        return [
            post
            for post in sorted(self.posts, key=lambda post: order(post.id), reverse=True)
            if order(post.id) > order(oldest)
            and (until_id is None or order(post.id) < order(until_id))
        ]


def loud(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The levels of what was logged for somebody to see."""
    return [record.levelname for record in caplog.records if record.levelno > logging.INFO]


class _Written(dict[str, str]):
    """Notes, and which of them were written."""

    def __init__(self, notes: dict[str, str]) -> None:
        super().__init__(notes)
        self.names: list[str] = []

    def __setitem__(self, name: str, value: str) -> None:
        self.names.append(name)
        super().__setitem__(name, value)


class World:
    """A poller, what it reads from and what it queues into; cases it is told of are known."""

    def __init__(
        self,
        *known: Tweet,
        cursor: object = None,
        budget: int | None = None,
        store: CaseStore | None = None,
    ) -> None:
        self.clock = Clock()
        self.store = store or MemoryCases()
        self.store.add([case(tweet=tweet) for tweet in known])
        if cursor:
            self.store.set_note(CURSOR, cursor)
        self.queue = MemoryQueue(self.clock)
        self.x = Timeline(self.clock)
        self.ledger = Ledger(self.store, budget)
        self.heeded: list[str] = []
        self.heeding_fails: Exception | None = None
        self.gone: set[str] = set()
        self.within = timedelta(0)
        self.looks = 0
        self.refused: Exception | None = None

    def look(self, ids: Sequence[str]) -> set[str]:
        self.looks += 1
        if self.refused:
            raise self.refused
        return self.gone & set(ids)

    def heed(self, posts: Sequence[Tweet], _now: datetime) -> None:
        if self.heeding_fails:
            raise self.heeding_fails
        self.heeded += [post.id for post in posts]

    @property
    def poller(self) -> Poller:
        deletions = DeletionCheck(self.look, self.store, self.queue, self.ledger, self.within)
        return Poller(
            mentions=self.x,
            store=self.store,
            tweets=self.queue,
            ledger=self.ledger,
            heed=self.heed,
            deletions=deletions,
            clock=self.clock,
            identities=identities(),
            trace=lambda: TRACE,
        )

    def poll(self, *posts: Tweet) -> int:
        """X has these posts too, and a run of the function follows."""
        self.x.posts += posts
        return self.work()["queued"]

    def work(self) -> dict[str, int]:
        ends = self.clock() + timedelta(seconds=TIMEOUT)

        def seconds_left() -> float:
            return (ends - self.clock()).total_seconds()

        return self.poller.work(seconds_left)

    def queued(self) -> list[str]:
        arrivals = [arrival_of(one.body) for one in self.queue.sent]
        return [arrival.what.id for arrival in arrivals if isinstance(arrival.what, Tweet)]

    def note(self, name: str) -> Any:
        return self.store.note(name)

    @property
    def mentions_charged(self) -> int:
        return sum(day.get("mention", 0) for day in self.ledger.month(self.clock()).values())


class TestThePoller:
    def test_looks_an_hour_back_the_first_time_and_not_at_800_old_mentions(self) -> None:
        world = World()
        assert world.poll(at(1), *(at(61 + minutes) for minutes in range(800))) == 1
        assert world.x.asked == [(None, NOON - FIRST_LOOK_BACK, None, PAGE)]
        assert world.note(CURSOR) == {"cursor": at(1).id}

    def test_finds_out_once_whose_account_it_is(self) -> None:
        world = World()
        world.poll(at(1))
        world.poll()
        assert world.x.accounts_asked == 1
        assert world.note(ACCOUNT) == OURSELVES

    def test_asks_whose_account_it_is_when_the_keys_have_changed(self) -> None:
        world = World()
        world.store.set_note(ACCOUNT, "33")
        world.store.set_note(ACCOUNT_KEYS, "keys of another account")
        world.poll(at(1))
        assert world.note(ACCOUNT) == OURSELVES

    def test_reads_an_overlap_again_the_next_time(self) -> None:
        world = World(cursor=at(5).id)
        world.poll()
        assert world.x.asked == [
            (snowflake(NOON - timedelta(minutes=5) - OVERLAP), None, None, PAGE)
        ]

    def test_finds_a_mention_that_was_indexed_late_and_queues_it_once(self) -> None:
        world = World(cursor=at(20).id)
        assert world.poll(at(3)) == 1
        assert world.poll(at(8)) == 1
        assert world.poll() == 0
        assert world.queued() == [at(3).id, at(8).id]
        assert world.note(CURSOR) == {"cursor": at(3).id}

    def test_does_not_queue_again_what_waits_for_its_decision(self) -> None:
        world = World()
        assert world.poll(at(1)) == 1
        assert world.poll() == 0
        assert len(world.queued()) == 1

    def test_reads_not_again_every_minute_what_the_queue_never_takes(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World(cursor=at(20).id)
        world.queue.failure = Refused("SQS never takes 1 of these messages.")
        world.poll(at(3))
        assert "SQS never takes 1" in caplog.text
        assert world.note(CURSOR) == {"cursor": at(3).id}

    def test_does_not_queue_what_the_webhook_brought(self) -> None:
        world = World(at(3), cursor=at(20).id)
        assert world.poll(at(3)) == 0

    def test_reads_all_pages(self) -> None:
        world = World(cursor=at(30).id)
        posts = many(250)
        assert world.poll(*posts) == 250
        assert sorted(world.queued()) == sorted(post.id for post in posts)
        assert world.note(CURSOR) == {"cursor": posts[0].id}

    def test_queues_the_oldest_of_a_page_first(self) -> None:
        world = World()
        world.poll(at(1), at(2), at(3))
        assert world.queued() == [at(3).id, at(2).id, at(1).id]

    def test_does_not_move_its_cursor_where_the_queue_is_full(self) -> None:
        world = World(cursor=at(20).id)
        world.queue.failure = Retryable("The queue does not answer.")
        with pytest.raises(Retryable):
            world.poll(at(1))
        assert world.note(CURSOR) == at(20).id
        world.queue.failure = None
        assert world.poll() == 1

    def test_without_mentions_keeps_its_cursor(self) -> None:
        world = World(cursor=at(20).id)
        assert world.poll() == 0
        assert world.note(CURSOR) == at(20).id

    def test_that_never_found_a_mention_looks_back_to_its_last_run(self) -> None:
        world = World()
        assert world.poll() == 0
        written = at(-10)
        world.clock.wait(3 * 3600)
        assert world.poll(written) == 1, "it was off for three hours"

    def test_goes_on_where_x_refuses_to_look_for_deleted_posts(self) -> None:
        world = World()
        world.refused = Retryable("X gives the app no access.", 3600)
        world.within = timedelta(days=90)
        world.store.add([case(tweet=at(30))])
        assert world.poll(at(1)) == 1
        world.clock.wait(60)
        assert world.poll(at(0.5)) == 1
        assert world.note(NOT_BEFORE) is None
        assert world.looks == 1, "and it is not asked again before X wants to be"
        world.clock.wait(3600)
        world.poll()
        assert world.looks == 2

    def test_that_reads_the_same_overlap_for_weeks_remembers_it_for_two_days(self) -> None:
        world = World()
        world.poll(*(at(n) for n in range(1, 9)))
        for _ in range(30):
            world.clock.wait(24 * 3600)
            world.poll()
        assert sum(map(len, world.note(SEEN).values())) <= 16
        assert len(world.queued()) == 8

    def test_that_finds_nothing_new_writes_nothing(self) -> None:
        store = MemoryCases()
        world = World(store=store)
        world.poll(at(1))
        before = dict(store._notes)
        store._notes = written = _Written(before)
        assert world.poll() == 0
        assert written == before
        assert not written.names

    def test_never_moves_its_cursor_back(self) -> None:
        world = World(cursor=at(3).id)
        world.poll(at(8))
        assert world.note(CURSOR) == at(3).id

    def test_queues_an_edit_of_a_case_it_knows(self) -> None:
        edit = replace(at(1), root_id=at(5).id)
        world = World(at(5), cursor=at(5).id)
        assert world.poll(edit, at(5)) == 1
        assert world.queued() == [edit.id]

    def test_does_not_queue_what_an_edit_it_knows_has_replaced(self) -> None:
        world = World(replace(at(1), root_id=at(5).id), cursor=at(5).id)
        assert world.poll(at(5)) == 0

    def test_does_not_queue_the_accounts_own_posts(self) -> None:
        world = World()
        assert world.poll(at(1, author=Author(OURSELVES)), at(2)) == 1
        assert world.queued() == [at(2).id]
        assert world.note(CURSOR) == {"cursor": at(1).id}

    def test_reads_on_by_time_where_its_cursor_is_too_old_for_x(self) -> None:
        cursor = at(20 * 24 * 60)
        world = World(cursor=cursor.id)
        assert world.poll(at(9 * 24 * 60)) == 1
        assert world.x.asked == [(None, NOON - timedelta(days=20) - OVERLAP, None, PAGE)]

    @pytest.mark.parametrize(
        "cursor", ["soon", 5, ["1"], {"cursor": 5}, {"below": "1"}, {"cursor": "9" * 40}, {"": ""}]
    )
    def test_does_not_trip_over_a_cursor_that_is_none(self, cursor: object) -> None:
        world = World(cursor=cursor)
        world.poll(at(1))
        assert world.note(CURSOR) == {"cursor": at(1).id}

    @pytest.mark.parametrize("seen", ["soon", 5, ["1"], {"2026-11-02": 5}])
    def test_does_not_trip_over_a_memory_that_is_none(self, seen: object) -> None:
        world = World()
        world.store.set_note(SEEN, seen)
        assert world.poll(at(1)) == 1

    def test_tells_of_mentions_it_could_not_read(self, caplog: pytest.LogCaptureFixture) -> None:
        world = World()
        world.x.problems = ["data[0]: The text must be a string, not null."]
        world.poll(at(1))
        assert "A mention is left out: data[0]" in caplog.text

    def test_heeds_opt_outs_once_they_are_queued(self) -> None:
        world = World()
        world.poll(at(1), at(2))
        world.poll()
        assert world.heeded == [at(1).id, at(2).id]
        world.queue.failure = Retryable("The queue does not answer.")
        with pytest.raises(Retryable):
            world.poll(at(0.5))
        assert at(0.5).id not in world.heeded

    @pytest.mark.parametrize("failure", [Retryable("No."), Conflict("No."), Misconfigured(["No."])])
    def test_leaves_opt_outs_to_triage_where_the_store_fails(
        self, failure: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World()
        world.heeding_fails = failure
        assert world.poll(at(1)) == 1
        assert "Opt-outs among 1 posts are left to triage: No." in caplog.text
        assert world.note(CURSOR) == {"cursor": at(1).id}


class TestAPollCutShort:
    """Pages take ten seconds, so that a run of fifty comes to four."""

    def test_by_its_deadline_goes_on_where_it_stopped(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        world, posts = World(cursor=at(30).id), many(650)
        world.x.seconds = 10
        assert world.poll(*posts) == 400
        assert world.note(CURSOR) == {
            "cursor": at(30).id,
            "newest": posts[0].id,
            "below": posts[399].id,
        }
        assert "stops at its deadline" in caplog.text
        assert world.poll() == 250
        assert world.x.read == [post.id for post in posts]
        assert {since_id for since_id, *_ in world.x.asked} == {snowflake(NOON - 4 * OVERLAP)}
        assert world.note(CURSOR) == {"cursor": posts[0].id}

    def test_the_first_time_keeps_where_its_hour_began(self) -> None:
        world, posts = World(), many(450)
        world.x.seconds = 10
        world.poll(*posts)
        world.clock.wait(600)
        world.poll()
        assert {since for _, since, *_ in world.x.asked} == {NOON - FIRST_LOOK_BACK}
        assert len(world.queued()) == 450

    @pytest.mark.parametrize("failed", [1, 2, 3])
    def test_by_a_failure_goes_on_where_it_failed(self, failed: int) -> None:
        world, posts = World(cursor=at(30).id), many(250)
        world.x.failures = {failed: Retryable("X is not answering.")}
        with pytest.raises(Retryable):
            world.poll(*posts)
        assert len(world.queued()) == 100 * (failed - 1)
        assert world.poll() == 250 - 100 * (failed - 1)
        assert world.x.read == [post.id for post in posts]
        assert world.note(CURSOR) == {"cursor": posts[0].id}

    def test_by_a_full_queue_goes_on_with_the_page_that_was_not_queued(self) -> None:
        world, posts = World(cursor=at(30).id), many(250)

        def full() -> None:
            if len(world.x.asked) == 2:
                world.queue.failure = Retryable("The queue does not answer.")

        world.x.before_call = full
        with pytest.raises(Retryable):
            world.poll(*posts)
        world.queue.failure = None
        assert world.poll() == 150
        assert sorted(world.queued()) == sorted(post.id for post in posts)

    def test_reads_newer_mentions_once_it_is_through(self) -> None:
        world, posts = World(cursor=at(30).id), many(450, last=5)
        world.x.seconds = 10
        world.poll(*posts)
        assert world.poll(at(1)) == 50
        assert world.poll() == 1
        assert world.queued().count(at(1).id) == 1

    def test_gets_through_even_if_a_run_has_time_for_one_page_only(self) -> None:
        world, posts = World(cursor=at(30).id), many(430)
        world.x.seconds = TIMEOUT
        runs = [world.poll(*(posts if number == 0 else ())) for number in range(5)]
        assert runs == [100, 100, 100, 100, 30]
        world.poll()
        assert world.note(CURSOR) == {"cursor": posts[0].id}

    def test_by_a_cursor_grown_too_old_reads_on_all_the_same(self) -> None:
        posts = many(20)
        begun = {"cursor": at(9 * 24 * 60).id, "newest": posts[0].id, "below": posts[9].id}
        world = World(cursor=begun)
        assert world.poll(*posts) == 10


class TestWhenXSaysLater:
    LATER = Retryable("X's rate limit is reached.", 300.0)

    def test_the_poll_waits_and_is_no_error(self, caplog: pytest.LogCaptureFixture) -> None:
        world = World(cursor=at(30).id)
        world.x.failures = {2: self.LATER}
        assert world.poll(*many(250)) == 100
        assert world.note(NOT_BEFORE) == (NOON + timedelta(minutes=5)).isoformat()
        assert loud(caplog) == ["WARNING"]
        assert "X is not asked before 2026-11-02T12:05:00+00:00: X's rate limit" in caplog.text

    def test_nothing_is_asked_until_then_and_one_line_says_so(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        world = World()
        world.store.set_note(NOT_BEFORE, (NOON + timedelta(minutes=5)).isoformat())
        world.within = timedelta(days=9)
        world.clock.wait(299)
        assert world.poll(at(1)) == 0
        assert (world.x.asked, world.note(CHECK)) == ([], None)
        [line] = caplog.records
        assert (line.levelname, "before 2026-11-02T12:05:00" in line.message) == ("INFO", True)
        world.clock.wait(1)
        assert world.poll() == 1

    def test_it_may_say_so_when_it_is_asked_whose_account_it_is(self) -> None:
        world = World()

        def limited() -> None:
            raise self.LATER

        world.x.before_call = limited
        assert world.poll(at(1)) == 0
        assert world.note(NOT_BEFORE)

    @pytest.mark.parametrize("failure", [Retryable("X cannot be reached."), Permanent("403")])
    def test_other_failures_are_seen(self, failure: Failure) -> None:
        world = World()
        world.x.failures = {1: failure}
        with pytest.raises(type(failure)):
            world.poll(at(1))
        assert world.note(NOT_BEFORE) is None


class TestTheReadBudget:
    def test_is_not_overdrawn_by_a_single_post(self) -> None:
        world = World(cursor=at(30).id, budget=230)
        assert world.poll(*many(300)) == 230
        assert [size for *_, size in world.x.asked] == [100, 100, 30]
        assert (world.mentions_charged, len(world.x.billed)) == (230, 230)
        assert world.ledger.reads_left(world.clock()) == 0

    @pytest.mark.parametrize(("left", "read"), [(0, 0), (4, 0), (5, 5), (99, 99)])
    def test_with_fewer_posts_left_than_x_gives_at_least_asks_nothing(
        self, left: int, read: int
    ) -> None:
        world = World(cursor=at(30).id, budget=1000)
        world.ledger.charge("own post", 1000 - left, NOON)
        assert world.poll(*many(300)) == read
        assert len(world.x.asked) == (1 if read else 0)

    def test_that_is_used_up_is_told_once_a_day_and_noted(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World(cursor=at(30).id, budget=3)
        for _ in range(5):
            world.poll(at(1))
        assert loud(caplog) == ["ERROR"]
        assert "X_MONTHLY_READ_BUDGET (3 posts) is used up" in caplog.text
        assert world.note(BUDGET_USED) == {"month": "2026-11", "day": "2026-11-02"}
        world.clock.wait(24 * 3600)
        world.poll()
        assert loud(caplog) == ["ERROR", "ERROR"]

    def test_that_has_room_again_is_no_longer_noted_as_used(self) -> None:
        world = World(cursor=at(30).id, budget=3)
        world.poll(at(1))
        world.ledger = Ledger(world.store, 100)
        assert world.poll() == 1
        assert world.note(BUDGET_USED) is None

    def test_of_the_next_month_reads_on_where_the_last_ended(self) -> None:
        world, posts = World(cursor=at(30).id, budget=30), many(50)
        assert world.poll(*posts) == 30
        world.clock.now = datetime.fromisoformat("2026-12-01T00:00:30+00:00")
        world.poll()
        assert sorted(world.queued()) == sorted(post.id for post in posts)
        assert world.x.read[:50] == [post.id for post in posts]

    def test_is_charged_once_for_a_post_however_often_it_is_read_that_day(self) -> None:
        world = World(budget=1000)
        for _ in range(5):
            world.poll(at(1), at(2))
            world.clock.wait(60)
        assert world.mentions_charged == len(world.x.billed) == 2

    def test_is_charged_for_what_the_webhook_had_brought_before(self) -> None:
        world = World(at(1))
        assert world.poll(at(1)) == 0
        assert world.mentions_charged == 1

    def test_is_charged_again_for_the_overlap_of_a_new_day(self) -> None:
        world = World(cursor=at(30).id, budget=1000)
        world.clock.now = datetime.fromisoformat("2026-11-02T23:59:00+00:00")
        late = [snowflake(world.clock() - timedelta(seconds=second)) for second in range(3)]
        for _ in range(4):
            world.poll(*(Tweet(one, "hello", one, source="poll") for one in late))
            world.clock.wait(60)
            late = []
        days = {day: counts["mention"] for day, counts in world.ledger.month(NOON).items()}
        assert days == {"2026-11-02": 3, "2026-11-03": 3}
        assert len(world.x.billed) == 6

    def test_counts_a_mention_that_nobody_can_read(self) -> None:
        world = World(budget=1000)
        world.x.problems = ["data[1]: The text must be a string, not null."]
        world.poll(at(1))
        assert world.mentions_charged == 2

    def test_gets_back_what_was_not_read(self) -> None:
        world = World(cursor=at(30).id, budget=1000)
        world.x.failures = {1: Retryable("X is not answering.")}
        with pytest.raises(Retryable):
            world.poll(*many(3))
        assert world.ledger.reads_left(NOON) == 1000

    def test_loses_nothing_to_runs_that_crash(self) -> None:
        world = World(cursor=at(30).id, budget=1000)

        class Crash(BaseException):
            pass

        def settling(*_: object) -> None:
            raise Crash

        world.x.posts = [at(1)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Ledger, "settle", settling)
            for _ in range(3):
                with pytest.raises(Crash):
                    world.work()
        assert world.poll() == 1
        assert world.ledger.reads_left(NOON) == 999

    def test_is_not_read_by_two_at_once(self) -> None:
        world = World(cursor=at(30).id, budget=150)
        left: list[int | None] = []
        world.x.before_call = lambda: left.append(world.ledger.reads_left(NOON))
        world.poll(at(1))
        assert left == [150, 50]  # whose account it is; its mentions


@given(data=st.data())
def test_whatever_cuts_polls_short_each_mention_is_queued_once_and_paid_for(
    data: st.DataObject,
) -> None:
    budget = data.draw(st.none() | st.integers(300, 900), label="budget")
    world = World(cursor=at(30).id, budget=budget)
    expected: set[str] = set()
    for run in range(12):
        new = [
            snowflake(world.clock() - timedelta(seconds=second / 8))
            for second in range(data.draw(st.sampled_from([0, 1, 30, 180]), label="new"))
        ]
        expected |= set(new)
        world.x.seconds = data.draw(st.sampled_from([0, 4, 20, 60]), label="seconds a call")
        broken = data.draw(st.sampled_from([0, 0, 1, 2]), label="failing call")
        world.x.failures = {
            len(world.x.asked) + broken: Retryable("No.", data.draw(st.sampled_from([None, 30.0])))
        }
        try:
            world.poll(*(Tweet(one, "hello", one, source="poll") for one in new))
        except Retryable:
            assert broken
        assert budget is None or len(world.x.billed) <= budget, run
        world.clock.wait(60)
    world.x.failures, world.x.seconds = {}, 0
    world.ledger = Ledger(world.store, None)
    for _ in range(5):
        world.poll()
        world.clock.wait(60)
    assert sorted(world.queued()) == sorted(expected)
    assert "below" not in (world.note(CURSOR) or {})


class TestOfTwoPollers:
    def test_the_second_does_nothing_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        world = World()
        world.store.lease(LEASE, "another", NOON, NOON + timedelta(seconds=1))
        assert world.poll(at(1)) == 0
        assert (world.x.asked, world.queued(), world.note(CURSOR)) == ([], [], None)
        assert [record.message for record in caplog.records] == [
            "Another poller is reading the mentions, so this one does nothing."
        ]

    def test_one_works_on_where_the_other_crashed_and_its_time_is_over(self) -> None:
        world = World()
        world.store.lease(LEASE, "crashed", NOON - timedelta(seconds=TIMEOUT), NOON)
        assert world.poll(at(1)) == 1

    def test_one_has_the_lease_as_long_as_its_function_may_run(self) -> None:
        world = World()
        free: list[bool] = []

        def watched() -> None:
            for seconds in (0, TIMEOUT - 1, TIMEOUT):
                moment = NOON + timedelta(seconds=seconds)
                free.append(world.store.lease(LEASE, "another", moment, moment))
            world.x.before_call = lambda: None

        world.x.before_call = watched
        world.poll()
        assert free == [False, False, True]

    @pytest.mark.parametrize("failure", [None, Retryable("X is not answering.")])
    def test_one_gives_the_lease_back_whatever_happened(self, failure: Exception | None) -> None:
        world = World()
        world.x.failures = {1: failure} if failure else {}
        if failure:
            with pytest.raises(Retryable):
                world.poll(at(1))
        else:
            world.poll(at(1))
        assert world.store.lease(LEASE, "another", NOON, NOON + timedelta(seconds=1))


class TestAPollersSecondDuty:
    def test_is_to_queue_the_deletion_of_what_is_gone(self) -> None:
        world = World(at(100), cursor=at(30).id)
        world.within, world.gone = timedelta(days=9), {at(100).id}
        assert world.work() == {"queued": 0, "gone": 1}
        [sent] = world.queue.sent
        assert arrival_of(sent.body).what == Deleted(at(100).id, source="poll")

    @pytest.mark.parametrize("failure", [Retryable("No answer."), Conflict("Lost races.")])
    def test_never_fails_the_first(
        self, failure: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World(at(100), cursor=at(30).id)
        world.within, world.gone, world.refused = timedelta(days=9), {at(100).id}, failure
        assert world.poll(at(1)) == 1
        assert f"not looked for before the next run: {failure}" in caplog.text
        world.refused = None
        assert world.work() == {"queued": 0, "gone": 1}

    def test_comes_after_the_first_and_only_if_time_is_left(self) -> None:
        world = World(at(100), cursor=at(30).id)
        world.within, world.gone = timedelta(days=9), {at(100).id}
        world.x.seconds = 40
        world.poll(at(1))
        assert len(world.queue.sent) == 1
        world.x.seconds = 0
        world.poll()
        assert len(world.queue.sent) == 2


class TestAWebhookBody:
    queue: MemoryQueue
    heeded: list[Tweet]

    @pytest.fixture(autouse=True)
    def _fresh(self) -> None:
        self.queue = MemoryQueue(Clock())
        self.heeded = []

    def heed(self, posts: Sequence[Tweet], _now: datetime) -> None:
        self.heeded += posts

    def take(self, body: object) -> Taken:
        return take_events(json.dumps(body).encode(), self.queue, self.heed, NOON)

    def test_has_its_post_queued_with_the_time_it_came(self) -> None:
        assert self.take(fixture("mention")) == Taken(queued=1)
        [sent] = self.queue.sent
        arrival = arrival_of(sent.body)
        assert (arrival.case_id, arrival.received_at) == ("1985000000000000101", NOON)
        assert isinstance(arrival.what, Tweet)
        assert arrival.what.source == "webhook"

    def test_has_its_deletion_queued(self) -> None:
        self.take(fixture("delete"))
        [sent] = self.queue.sent
        arrival = arrival_of(sent.body)
        assert arrival.what == Deleted("1985000000000000101", source="webhook")

    def test_has_a_revocation_queued_and_told_with_what_to_do(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert self.take(fixture("revoke")) == Taken(queued=1)
        [sent] = self.queue.sent
        assert arrival_of(sent.body).what == Revoked(OURS)
        [line] = caplog.records
        assert line.levelname == "ERROR"
        assert f"The account {OURS} took back" in line.message
        assert "make new access tokens" in line.message

    def test_has_its_good_events_queued_and_the_others_told(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        names = ["mention", "repost", "delete", "repost"]
        events = [*(fixture(name)["data"] for name in names), {"event_type": None}]
        taken = self.take({"data": events})
        assert (taken.queued, taken.refused, taken.unreadable) == (2, 1, 0)
        assert taken.ignored == {"post.repost.create": 2}
        assert "Webhook event 4 is left out: The event's data.event_type" in caplog.text
        assert "{'post.repost.create': 2}" in caplog.text

    def test_has_an_event_of_a_kind_we_take_queued_whole_where_it_cannot_be_read(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        strange = fixture("mention")
        strange["data"]["payload"]["text"] = {"runs": ["my card is 4929"]}
        assert self.take(strange) == Taken(unreadable=1)
        [sent] = self.queue.sent
        assert json.loads(sent.body)["event"] == strange
        with pytest.raises(Refused, match="The text must be a string, not an object"):
            arrival_of(sent.body)
        [line] = caplog.records
        assert line.message == (
            "Webhook event 0 is queued as it came: The text must be a string, not an object."
        )

    def test_has_such_an_event_read_by_the_release_that_can(self) -> None:
        strange = fixture("mention")
        strange["data"]["payload"]["text"] = None
        self.take(strange)
        body = json.loads(self.queue.sent[0].body)
        body["event"] = fixture("mention")  # as if null were a text now
        arrival = arrival_of(json.dumps(body))
        assert (arrival.case_id, arrival.received_at) == ("1985000000000000101", NOON)

    def test_loses_only_the_event_that_no_message_can_carry_and_tells_its_size(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        giant = fixture("mention")["data"]
        giant["payload"]["text"] = "words" * (LARGEST_MESSAGE // 5)
        taken = self.take({"data": [giant, fixture("delete")["data"]]})
        assert taken == Taken(queued=1, refused=1)
        [line] = caplog.records
        assert line.levelname == "ERROR"
        assert "Webhook event 0 cannot be read and, with 1,002,0" in line.message
        assert "words" not in line.message

    def test_does_not_come_again_for_what_the_queue_never_takes(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.queue.failure = Refused("SQS never takes 1 of these messages.")
        assert self.take(fixture("mention")) == Taken(queued=1, refused=1)
        assert "SQS never takes 1" in caplog.text

    def test_is_not_taken_where_the_queue_does_not_take_it(self) -> None:
        self.queue.failure = Retryable("The queue does not answer.")
        with pytest.raises(Retryable):
            self.take(fixture("mention"))
        assert self.heeded == []

    def test_has_its_opt_outs_heeded_once_its_posts_are_queued(self) -> None:
        self.take({"data": [fixture(name)["data"] for name in ("mention", "delete", "reply")]})
        assert [post.kind for post in self.heeded] == ["mention", "reply"]

    def test_is_taken_although_opt_outs_cannot_be_noted(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        def failing(_posts: Sequence[Tweet], _now: datetime) -> None:
            raise Retryable("The table does not answer.")

        body = json.dumps(fixture("mention")).encode()
        assert take_events(body, self.queue, failing, NOON) == Taken(queued=1)
        assert "left to triage: The table does not answer." in caplog.text

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"5", b"[" * 100_000])
    def test_that_is_no_json_object_is_refused_and_told(
        self, body: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(Refused, match="not a JSON object of events"):
            take_events(body, self.queue, self.heed, NOON)
        assert f"A webhook body of {len(body)} bytes is no JSON object" in caplog.text

    @pytest.mark.parametrize(
        "value",
        ["[" * 5_000 + "]" * 5_000, '{"a":' * 2_000 + "0" + "}" * 2_000, "9" * 9_000, '"\xff\\""'],
        ids=["deep list", "deep object", "endless number", "no UTF-8"],
    )
    def test_with_one_giant_in_it_loses_nothing_else(self, value: str) -> None:
        good = json.dumps(fixture("mention")["data"])
        strange = (
            f'{{"event_type": "post.mention.create", "payload": {{"id": {value}, "text": "x"}}}}'
        )
        body = f'{{"data": [{good}, {strange}, {good}]}}'.encode("latin-1", "replace")
        taken = take_events(body, self.queue, self.heed, NOON)
        assert (taken.queued, taken.unreadable) == (2, 1)


class TestWebhookAndPollerTogether:
    @pytest.mark.parametrize("order_of_ways", [["webhook", "poll"], ["poll", "webhook"]])
    def test_make_one_case_of_one_post_whoever_is_first(self, order_of_ways: list[str]) -> None:
        event = fixture("mention")
        post_id = event["data"]["payload"]["id"]
        bot, world = Simulation(), World()
        world.store, world.queue = bot.store, bot.tweets
        world.store.set_note(CURSOR, str(int(post_id) - (1 << 22)))
        for way in order_of_ways:
            if way == "webhook":
                take_events(json.dumps(event).encode(), bot.tweets, world.heed, NOON)
            else:
                world.poll(Tweet(post_id, "hey", post_id, source="poll", answer=True))
        bot.run_on()
        assert [one.id for one in bot.store.newest()] == [post_id]
        assert bot.slack.happened.total() + bot.x.happened.total() == 1

    def test_leave_word_that_a_webhook_tells_of_the_deletion_of_posts_we_have(self) -> None:
        event = fixture("delete")
        post_id = event["data"]["payload"]["id"]
        bot, world = Simulation(), World()
        for _ in range(2):
            take_events(json.dumps(event).encode(), bot.tweets, world.heed, NOON)
            bot.run_on()
        assert bot.store.note(DELETIONS_TOLD) is None, "it may have been a post of our own"
        store = MemoryCases()
        tweet = Tweet(post_id, "hey", post_id)
        store.add([case(tweet=tweet)])
        later = NOON + timedelta(minutes=5)
        triage([Arrival(Deleted(post_id), later)], desk(), store, {}, later)
        assert store.note(DELETIONS_TOLD) == NOON.isoformat()

    def test_never_unlearn_that_it_told_later(self) -> None:
        store = MemoryCases()
        for hours in (5, 3, 4):
            tweet = Tweet(str(hours), "hey", str(hours))
            store.add([case(tweet=tweet)])
            arrival = Arrival(Deleted(tweet.id), NOON + timedelta(hours=hours))
            triage([arrival], desk(), store, {}, NOON)
        assert store.note(DELETIONS_TOLD) == (NOON + timedelta(hours=5)).isoformat()

    def test_that_a_look_found_says_nothing_of_a_webhook(self) -> None:
        store = MemoryCases()
        store.add([case()])
        gone = Deleted(store.only().id, source="poll")
        triage([Arrival(gone, NOON)], desk(), store, {}, NOON)
        assert (store.only().erased, store.note(DELETIONS_TOLD)) == (True, None)

    def test_ask_no_store_for_the_case_of_a_revocation(self) -> None:
        class Strict(MemoryCases):
            def get(self, ids: Sequence[str]) -> dict[str, Case]:
                assert all(ids)  # DynamoDB refuses an empty key
                return super().get(ids)

        arrivals = [Arrival(Revoked("44"), NOON), Arrival(at(1), NOON)]
        store, queue = Strict(), MemoryQueue(Clock())
        assert triage(arrivals, desk(), store, {"cards": queue, "replies": queue}, NOON) == {}
        assert store.only().id == at(1).id
