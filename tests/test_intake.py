import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.errors import Refused, Retryable
from bot.triage import arrival_of
from bot.tweets import Tweet
from bot.twitter.intake import (
    ACCOUNT,
    ACCOUNT_KEYS,
    CURSOR,
    FIRST_LOOK_BACK,
    LEASE,
    OVERLAP,
    Taken,
    poll,
    take_events,
)
from bot.wire import Deleted
from tests.examples import NOON, case
from tests.fakes import Clock, MemoryCases, MemoryQueue, PagedMentions
from tests.test_wire import fixture

TIMEOUT = 50.0
EPOCH = datetime.fromisoformat("2010-11-04T01:42:54.657+00:00")


def snowflake(moment: datetime) -> str:
    return str(round((moment - EPOCH).total_seconds() * 1000) << 22)


def at(minutes: float, **changes: Any) -> Tweet:
    """A mention of so many minutes before noon."""
    tweet_id = snowflake(NOON - timedelta(minutes=minutes))
    return replace(Tweet(tweet_id, "hello", tweet_id, kind="mention", source="poll"), **changes)


class Poller:
    """Polls from pages into a queue; cases it is told of are known."""

    def __init__(self, *known: Tweet, cursor: object = None) -> None:
        self.store = MemoryCases()
        self.store.add([case(tweet=tweet) for tweet in known])
        if cursor:
            self.store.set_note(CURSOR, cursor)
        self.queue = MemoryQueue(Clock())
        self.mentions = PagedMentions()

    def poll(self, *pages: Sequence[Tweet] | Exception, seconds: Sequence[float] = ()) -> int:
        left = iter([TIMEOUT, *seconds, *[30.0] * 20])
        self.mentions.given = pages
        return poll(self.mentions, self.store, self.queue, NOON, lambda: next(left), "me")

    def queued(self) -> list[str]:
        return [arrival.what.id for arrival in (arrival_of(one.body) for one in self.queue.sent)]

    @property
    def cursor(self) -> Any:
        return self.store.note(CURSOR)


class TestThePoller:
    def test_looks_an_hour_back_the_first_time(self) -> None:
        poller = Poller()
        poller.poll([at(1)])
        assert poller.mentions.asked == [("44", None, NOON - FIRST_LOOK_BACK)]
        assert poller.store.note(ACCOUNT) == "44"
        assert poller.cursor == at(1).id

    def test_asks_whose_account_it_is_when_the_keys_have_changed(self) -> None:
        poller = Poller()
        poller.store.set_note(ACCOUNT, "33")
        poller.store.set_note(ACCOUNT_KEYS, "keys of another account")
        poller.poll([at(1)])
        assert poller.mentions.asked[0][0] == poller.store.note(ACCOUNT) == "44"

    def test_reads_an_overlap_again_the_next_time(self) -> None:
        poller = Poller(cursor=at(5).id)
        poller.poll()
        [(_, since_id, since)] = poller.mentions.asked
        assert (since_id, since) == (snowflake(NOON - timedelta(minutes=5) - OVERLAP), None)

    def test_finds_a_mention_that_was_indexed_late_and_queues_it_once(self) -> None:
        poller = Poller(at(3), cursor=at(3).id)
        assert poller.poll([at(3), at(8)]) == 1
        assert poller.queued() == [at(8).id]
        assert poller.cursor == at(3).id

    def test_queues_the_oldest_of_a_page_first(self) -> None:
        poller = Poller()
        poller.poll([at(1), at(2)], [at(3)])
        assert poller.queued() == [at(2).id, at(1).id, at(3).id]

    @pytest.mark.parametrize("failed", [0, 1, 2])
    def test_moves_its_cursor_only_when_all_pages_are_queued(self, failed: int) -> None:
        pages: list[Sequence[Tweet] | Exception] = [[at(1)], [at(2)], [at(3)]]
        pages[failed] = Retryable("X is not answering.")
        poller = Poller(cursor=at(20).id)
        with pytest.raises(Retryable):
            poller.poll(*pages)
        assert poller.cursor == at(20).id
        assert len(poller.queued()) == failed

    def test_does_not_move_its_cursor_where_the_queue_is_full(self) -> None:
        poller = Poller(cursor=at(20).id)
        poller.queue.failure = Retryable("The queue does not answer.")
        with pytest.raises(Retryable):
            poller.poll([at(1)])
        assert poller.cursor == at(20).id

    def test_stops_at_its_deadline_and_leaves_its_cursor(self) -> None:
        poller = Poller(cursor=at(20).id)
        assert poller.poll([at(1)], [at(2)], [at(3)], seconds=[30, 0.5]) == 2
        assert poller.cursor == at(20).id
        assert poller.poll([at(1)], [at(2)], [at(3)]) == 3
        assert poller.cursor == at(1).id

    def test_without_mentions_keeps_its_cursor(self) -> None:
        poller = Poller(cursor=at(20).id)
        assert poller.poll([]) == 0
        assert poller.cursor == at(20).id
        fresh = Poller()
        assert fresh.poll([]) == 0
        assert fresh.cursor is None

    def test_never_moves_its_cursor_back(self) -> None:
        poller = Poller(cursor=at(3).id)
        poller.poll([at(8)])
        assert poller.cursor == at(3).id

    def test_queues_an_edit_of_a_case_it_knows(self) -> None:
        edit = replace(at(1), root_id=at(5).id)
        poller = Poller(at(5), cursor=at(5).id)
        assert poller.poll([edit, at(5)]) == 1
        assert poller.queued() == [edit.id]

    def test_does_not_queue_what_an_edit_it_knows_has_replaced(self) -> None:
        poller = Poller(replace(at(1), root_id=at(5).id), cursor=at(5).id)
        assert poller.poll([at(5)]) == 0

    def test_reads_all_that_x_still_gives_where_its_cursor_is_too_old_for_x(self) -> None:
        poller = Poller(cursor=at(8 * 24 * 60).id)
        poller.poll()
        [(_, since_id, since)] = poller.mentions.asked
        assert since_id is None
        assert since is not None
        assert timedelta(days=6) < NOON - since < timedelta(days=7)

    @pytest.mark.parametrize("cursor", ["soon", 5, ["1"]])
    def test_does_not_trip_over_a_cursor_that_is_none(self, cursor: object) -> None:
        poller = Poller(cursor=cursor)
        poller.poll([at(1)])
        assert poller.cursor == at(1).id

    def test_tells_of_mentions_it_could_not_read(self, caplog: pytest.LogCaptureFixture) -> None:
        poller = Poller()
        poller.mentions.problems = ["data[0]: The text must be a string, not null."]
        poller.poll([at(1)])
        assert "A mention is left out: data[0]" in caplog.text


class TestOfTwoPollers:
    def test_the_second_does_nothing_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        poller = Poller()
        poller.store.lease(LEASE, "another", NOON, NOON + timedelta(seconds=1))
        assert poller.poll([at(1)]) == 0
        assert (poller.mentions.asked, poller.queued(), poller.cursor) == ([], [], None)
        assert [record.message for record in caplog.records] == [
            "Another poller is reading the mentions, so this one does nothing."
        ]

    def test_one_works_on_where_the_other_crashed_and_its_time_is_over(self) -> None:
        poller = Poller()
        poller.store.lease(LEASE, "crashed", NOON - timedelta(seconds=TIMEOUT), NOON)
        assert poller.poll([at(1)]) == 1

    def test_one_has_the_lease_as_long_as_its_function_may_run(self) -> None:
        poller = Poller()
        free: list[bool] = []

        class Watched(PagedMentions):
            def account_id(self) -> str:
                for seconds in (0, TIMEOUT - 1, TIMEOUT):
                    moment = NOON + timedelta(seconds=seconds)
                    free.append(poller.store.lease(LEASE, "another", moment, moment))
                return super().account_id()

        poller.mentions = Watched()
        poller.poll()
        assert free == [False, False, True]

    @pytest.mark.parametrize("page", [[at(1)], Retryable("X is not answering.")])
    def test_one_gives_the_lease_back_whatever_happened(
        self, page: Sequence[Tweet] | Exception
    ) -> None:
        poller = Poller()
        with suppress(Retryable):
            poller.poll(page)
        assert poller.store.lease(LEASE, "another", NOON, NOON + timedelta(seconds=1))


class TestAWebhookBody:
    queue: MemoryQueue

    @pytest.fixture(autouse=True)
    def _fresh(self) -> None:
        self.queue = MemoryQueue(Clock())

    def take(self, body: object) -> Taken:
        return take_events(json.dumps(body).encode(), self.queue, NOON)

    def test_has_its_post_queued_with_the_time_it_came(self) -> None:
        assert self.take(fixture("mention")) == Taken(queued=1, ignored=0, refused=0)
        [sent] = self.queue.sent
        arrival = arrival_of(sent.body)
        assert (arrival.case_id, arrival.received_at) == ("1985000000000000101", NOON)

    def test_has_its_deletion_queued(self) -> None:
        self.take(fixture("delete"))
        [sent] = self.queue.sent
        assert arrival_of(sent.body).what == Deleted("1985000000000000101")

    def test_has_its_good_events_queued_and_the_others_told(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        names = ["mention", "repost", "delete"]
        events = [*(fixture(name)["data"] for name in names), {"event_type": None}]
        assert self.take({"data": events}) == Taken(queued=2, ignored=1, refused=1)
        assert "Webhook event 3 is left out: The event's data.event_type" in caplog.text
        assert "post.repost.create" in caplog.text

    def test_is_not_taken_where_the_queue_does_not_take_it(self) -> None:
        self.queue.failure = Retryable("The queue does not answer.")
        with pytest.raises(Retryable):
            self.take(fixture("mention"))

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"5", b"[" * 100_000])
    def test_that_is_no_json_object_is_refused(self, body: bytes) -> None:
        with pytest.raises(Refused, match="not a JSON object of events"):
            take_events(body, self.queue, NOON)
