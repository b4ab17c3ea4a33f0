"""The numbers of a day, told once a day."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import cases, deeds, tryouts
from bot.cases import Case, Channels, Effect
from bot.digests import Digests, numbers
from bot.hours import ALWAYS, Hours
from bot.notices import Digest, Incident
from bot.tweets import typed
from bot.verdicts import Verdict
from tests.examples import NOON, case
from tests.fakes import MemoryCases
from tests.simulation import QUEUED
from tests.test_cases import CONSOLE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NINE = NOON - 3 * HOUR
YESTERDAY = NINE - 12 * HOUR
BERLIN = Hours(ZoneInfo("Europe/Berlin"), frozenset(range(5)), 9 * 60, 17 * 60)


def came(number: int, at: datetime = YESTERDAY, **changes: Any) -> Case:
    """A case received and decided at that time."""
    made = case(received_at=at, decided_at=at, **changes)
    return replace(made, tweet=replace(made.tweet, id=str(number), root_id=str(number)))


def counted(*found: Case) -> Digest:
    newest = sorted(found, key=lambda one: one.received_at, reverse=True)
    return numbers(newest, NINE - DAY, NINE, 0, None)


class TestTheNumbers:
    def test_count_each_route(self) -> None:
        routes = ["escalate"] * 3 + ["reply"] * 2 + ["skip"]
        digest = counted(*(came(n, route=route) for n, route in enumerate(routes)))
        assert (digest.received, digest.escalated, digest.skipped) == (6, 3, 1)

    def test_are_of_what_came_within_the_day(self) -> None:
        edges = [NINE - DAY - MINUTE, NINE - DAY, NINE - MINUTE, NINE]
        assert counted(*(came(n, at) for n, at in enumerate(edges))).received == 2

    def test_of_more_than_are_read_say_so_and_are_of_the_last(self) -> None:
        newest = [came(n, NINE - n * MINUTE) for n in range(1, 6)]
        assert not numbers(newest, NINE - DAY, NINE, 0, None, 5).partly
        digest = numbers(newest, NINE - DAY, NINE, 0, None, 4)
        assert (digest.received, digest.partly) == (4, True)

    def test_leave_out_what_is_about_no_tweet(self) -> None:
        notice = came(1, route="notice", notice=Incident("burst", YESTERDAY))
        assert counted(notice) == counted()

    def test_count_no_text_that_was_only_tried_but_its_label(self) -> None:
        store = MemoryCases()
        wrong = replace(came(1), tweet=typed("I am angry", "tried-1"))
        tried = tryouts.labelled(store, wrong, False, "U1", NOON)
        digest = counted(tried)
        assert (digest.received, digest.skipped, digest.corrected) == (0, 0, 1)

    def test_say_how_many_the_bot_answered(self) -> None:
        replies = [
            Effect("reply", "sent"),
            Effect("reply", "sent", by="U1"),
            Effect("reply", "dry-run"),
            Effect("reply", "failed"),
            Effect("reply", "unknown"),
        ]
        digest = counted(*(came(n, route="reply", effects=(e,)) for n, e in enumerate(replies)))
        assert digest.answered_by_bot == 1

    @pytest.mark.parametrize(
        ("waits", "middle"), [([], None), ([5], 300), ([5, 1, 60], 300), ([1, 3, 5, 60], 240)]
    )
    def test_say_how_long_the_middle_one_waited_to_be_claimed(
        self, waits: list[float], middle: float | None
    ) -> None:
        claimed = [
            deeds.claimed(came(n), "U1", YESTERDAY + wait * MINUTE) for n, wait in enumerate(waits)
        ]
        assert counted(*claimed, came(99)).to_claim == middle

    def test_say_when_it_was_claimed_first(self) -> None:
        made = deeds.claimed(came(1), "U1", YESTERDAY + 5 * MINUTE)
        made = deeds.released(made, "U1", QUEUED, YESTERDAY + 6 * MINUTE)
        made = deeds.claimed(made, "U2", YESTERDAY + 60 * MINUTE)
        assert counted(made).to_claim == 300

    def test_say_how_long_the_middle_one_waited_for_an_agents_answer(self) -> None:
        tweet = replace(came(1).tweet, answer=True)
        made = deeds.answered(replace(came(1), tweet=tweet), "Sorry!", "U1", YESTERDAY)
        begun = cases.begun(made, "reply", "t", YESTERDAY)
        sent = cases.sent(begun, "reply", "t", "77", YESTERDAY + 8 * MINUTE)
        of_bot = came(2, route="reply", effects=(Effect("reply", "sent"),))
        assert counted(sent, of_bot).to_answer == 480
        assert counted(of_bot).to_answer is None
        assert counted(begun).to_answer is None

    @pytest.mark.parametrize(
        ("probability", "label", "corrected"),
        [(0.9, False, 1), (0.9, True, 0), (0.1, True, 1), (0.1, False, 0), (0.1, None, 0)],
    )
    def test_count_the_labels_that_differ_from_the_verdict(
        self, probability: float, label: bool | None, corrected: int
    ) -> None:
        made = came(1, verdict=Verdict(probability, 0.5, "a", "m"))
        if label is not None:
            made = deeds.relabelled(made, label, "U1", QUEUED, NOON)
        assert counted(made).corrected == corrected

    def test_read_no_more_than_the_day(self) -> None:
        read: list[str] = []

        def newest() -> Any:
            for number in range(100):
                made = came(number, NINE - HOUR - number * HOUR)
                read.append(made.id)
                yield made

        assert numbers(newest(), NINE - DAY, NINE, 0, None).received == 24
        assert len(read) == 25


class Desk:
    """Digests over a store in memory."""

    def __init__(
        self,
        found: Sequence[Case] = (),
        *,
        hour: int | None = 9,
        hours: Hours = ALWAYS,
        channels: Channels = QUEUED,
        costs: Callable[[datetime], int | None] = lambda _day: None,
    ) -> None:
        self.store = MemoryCases()
        self.store.add(found)
        self.digests = Digests(self.store, channels, hours, hour, costs)

    def told(self, now: datetime) -> list[Digest]:
        notices = [made.notice for made in self.digests.due(now)]
        assert all(isinstance(notice, Digest) for notice in notices)
        return [notice for notice in notices if isinstance(notice, Digest)]


class TestADigest:
    def test_is_told_at_its_hour_once(self) -> None:
        desk = Desk([came(1)])
        assert desk.told(NINE - MINUTE) == []
        [told] = desk.told(NINE)
        assert (told.since, told.until, told.received, told.waiting) == (NINE - DAY, NINE, 1, 1)
        for later in (NINE, NINE + MINUTE, NINE + 14 * HOUR):
            assert desk.told(later) == []

    def test_has_a_card_to_be_sent_and_is_no_case_to_work_on(self) -> None:
        desk = Desk([came(1)])
        [made] = desk.digests.due(NINE)
        assert desk.store.get([made.id]) == {made.id: made}
        [card] = made.effects
        assert (made.id, made.route, card.kind, card.state) == (
            "digest-20261102",
            "notice",
            "card",
            "pending",
        )
        assert (made.open, made.remind_at) == (False, None)

    def test_of_the_next_day_follows(self) -> None:
        desk = Desk([came(1)])
        [first], [second] = desk.told(NINE), desk.told(NINE + DAY)
        assert second.since == first.until
        assert (second.received, second.waiting) == (0, 1)

    def test_is_told_late_where_the_bot_was_off_at_its_hour(self) -> None:
        desk = Desk([came(1)])
        [told] = desk.told(NINE + 5 * HOUR)
        assert told.until == NINE

    def test_is_made_once_by_two_at_once(self) -> None:
        desk = Desk([came(1)])
        made = desk.digests.due(NINE)
        desk.store.set_note("digest", None)  # the other one has not seen this yet
        assert desk.digests.due(NINE) == []
        assert len(made) == 1

    def test_of_a_bot_that_has_just_begun_is_left_out(self) -> None:
        desk = Desk()
        assert desk.told(NINE) == []
        desk.store.add([came(1)])
        assert desk.told(NINE + MINUTE) == [], "it has not begun at midnight"

    def test_is_told_for_what_waits_alone(self) -> None:
        assert Desk([came(1, NINE - 3 * DAY)]).told(NINE)[0].waiting == 1

    @pytest.mark.parametrize("switched_off", [{"hour": None}, {"channels": CONSOLE}])
    def test_is_left_out_where_nobody_wants_it_or_would_see_it(
        self, switched_off: dict[str, Any]
    ) -> None:
        assert Desk([came(1)], **switched_off).told(NINE) == []

    def test_tells_what_the_day_cost(self) -> None:
        asked: list[datetime] = []

        def cost(day: datetime) -> int:
            asked.append(day)
            return 7_000

        [told] = Desk([came(1)], costs=cost).told(NINE)
        assert (told.cost, asked) == (7_000, [NINE - DAY])

    @pytest.mark.parametrize("hour", [0, 1, 9, 23])
    @pytest.mark.parametrize("month", [3, 10])
    def test_is_told_each_day_and_leaves_no_gap_when_the_clock_is_put_forward_or_back(
        self, hour: int, month: int
    ) -> None:
        first = datetime(2026, month, 21, 12, tzinfo=UTC)
        desk = Desk([came(1, first - 10 * DAY)], hour=hour, hours=BERLIN)
        desk.told(first)
        told = [one for at in range(10 * 24) for one in desk.told(first + at * HOUR)]
        assert len(told) == 10
        assert [one.since for one in told[1:]] == [one.until for one in told[:-1]]
        assert {one.until.astimezone(BERLIN.zone).hour for one in told} == {hour}
