"""How the bot stands, as far as its cases tell."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.cases import Case
from bot.notices import Incident
from bot.policy import Route
from bot.standing import Counts, counts
from bot.tryouts import REASON
from tests.examples import NOON, case


def came(minutes: float, **changes: Any) -> Case:
    """A case that came so long before noon."""
    return replace(case(received_at=NOON - timedelta(minutes=minutes)), **changes)


NOTICE = came(1, route="notice", notice=Incident("burst", NOON))
TRYOUT = came(2, route="skip", reasons=(REASON,))


def test_tweets_are_counted_by_route_for_the_last_hour_and_the_last_day() -> None:
    newest = [
        came(0),
        came(5, route="reply"),
        came(59),
        came(60, route="skip"),
        came(1_439, route="reply"),
        came(1_440),
    ]
    found = counts(newest, NOON)
    assert found.hour == {"escalate": 2, "reply": 1}
    assert found.day == {"escalate": 2, "reply": 2, "skip": 1}
    assert found.escalated == 0.4
    assert not found.floor


def test_the_last_tweet_is_the_newest_that_is_one() -> None:
    assert counts([NOTICE, TRYOUT, came(7), came(9)], NOON).last_at == came(7).received_at


def test_notices_and_texts_somebody_tried_are_no_tweets() -> None:
    assert counts([NOTICE, TRYOUT], NOON) == Counts()


def test_where_nothing_came_there_is_no_share() -> None:
    assert counts([], NOON) == Counts()
    assert counts([], NOON).escalated is None


def test_the_last_tweet_is_found_beyond_the_day_and_nothing_is_read_behind_it() -> None:
    old = came(3_000)
    read: list[Case] = []

    def newest() -> Iterator[Case]:
        for one in (replace(NOTICE, received_at=came(2_000).received_at), old, old, old):
            read.append(one)
            yield one

    assert counts(newest(), NOON) == Counts(last_at=old.received_at)
    assert len(read) == 3


def test_reading_ends_with_the_day() -> None:
    read: list[Case] = []

    def newest() -> Iterator[Case]:
        for minutes in (1, 1_440, 1_500, 1_600):
            read.append(came(minutes))
            yield read[-1]

    assert counts(newest(), NOON).day == {"escalate": 1}
    assert len(read) == 2


def test_of_more_than_can_be_read_the_counts_are_the_least_there_may_be() -> None:
    busy = [came(1)] * 4
    read: dict[Route, int] = {"escalate": 3}
    assert counts(busy, NOON, most=3) == Counts(read, read, came(1).received_at, floor=True)
    assert not counts(busy, NOON, most=4).floor
    assert not counts([*busy[:3], came(1_441)], NOON, most=3).floor
