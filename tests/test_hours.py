"""When people work, and time counted in their hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Misconfigured
from bot.hours import ALWAYS, Hours, hours_from, hours_of

LISBON = ZoneInfo("Europe/Lisbon")
WEEKDAYS = frozenset(range(5))
OFFICE = Hours(LISBON, WEEKDAYS, 9 * 60, 17 * 60)
QUARTER = timedelta(minutes=15)

ZONES = [
    "UTC",
    "Europe/Lisbon",
    "America/New_York",
    "America/Havana",  # the clock goes from 0:00 to 1:00, and from 1:00 back to 0:00
    "America/Nuuk",  # from 23:00 to 0:00, and from 0:00 back to 23:00
    "Asia/Beirut",  # from 0:00 to 1:00, and from 0:00 back to 23:00
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # by half an hour
]
CHANGES = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in [(3, 5), (3, 26), (4, 2), (10, 1), (10, 22), (10, 29)]
]
"""Days shortly before some of these zones change their clocks."""

hours = st.builds(
    lambda zone, days, ends: Hours(ZoneInfo(zone), days, 15 * min(ends), 15 * max(ends)),
    st.sampled_from(ZONES),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.sets(st.integers(0, 96), min_size=2, max_size=2),
)
moments = st.builds(
    lambda midnight, quarters: midnight + quarters * QUARTER,
    st.sampled_from(CHANGES),
    st.integers(0, 96 * 7),
)
spans = st.integers(0, 60).map(lambda quarters: quarters * QUARTER)


def at(moment: str) -> datetime:
    """That time on Lisbon's clocks."""
    return datetime.fromisoformat(moment).replace(tzinfo=LISBON)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def later(moment: str, number: int) -> datetime:
    """The same, by the office's hours and in Lisbon's time."""
    found = OFFICE.later(at(moment), minutes(number))
    assert found.tzinfo is UTC
    return found.astimezone(LISBON)


class TestALaterMoment:
    @pytest.mark.parametrize(
        ("now", "number", "then"),
        [
            ("2026-11-06 16:50", 5, "2026-11-06 16:55"),
            ("2026-11-06 16:50", 10, "2026-11-06 17:00"),
            ("2026-11-06 16:50", 15, "2026-11-09 09:05"),
            ("2026-11-07 11:00", 15, "2026-11-09 09:15"),
            ("2026-11-09 03:00", 15, "2026-11-09 09:15"),
            ("2026-11-05 17:00", 15, "2026-11-06 09:15"),
            ("2026-11-05 12:00", 16 * 60, "2026-11-09 12:00"),
            ("2026-11-05 12:00", 0, "2026-11-05 12:00"),
            ("2026-11-07 12:00", 0, "2026-11-09 09:00"),
        ],
    )
    def test_counts_only_the_time_in_which_people_work(
        self, now: str, number: int, then: str
    ) -> None:
        assert later(now, number) == at(then)

    def test_counts_the_hour_that_is_shown_twice_twice(self) -> None:
        night = Hours(LISBON, frozenset({6}), 0, 4 * 60)
        begin = at("2026-10-25 00:00")
        assert night.later(begin, minutes(5 * 60)) == at("2026-10-25 04:00")
        assert night.later(begin, minutes(5 * 60 + 1)) == at("2026-11-01 00:01")

    def test_does_not_count_the_hour_that_is_never_shown(self) -> None:
        night = Hours(LISBON, frozenset({6}), 0, 4 * 60)
        begin = at("2026-03-29 00:00")
        assert night.later(begin, minutes(3 * 60)) == at("2026-03-29 04:00")
        assert night.later(begin, minutes(3 * 60 + 1)) == at("2026-04-05 00:01")

    def test_passes_over_a_day_whose_hours_are_never_shown(self) -> None:
        night = Hours(LISBON, frozenset({6}), 60 + 15, 60 + 45)
        assert night.later(at("2026-03-29 00:00"), minutes(0)) == at("2026-04-05 01:15")
        assert night.next_opening(at("2026-03-28 12:00")) == at("2026-04-05 01:15")

    def test_may_be_the_midnight_until_which_people_work(self) -> None:
        late = Hours(LISBON, frozenset({0}), 21 * 60, 24 * 60)
        midnight = late.later(at("2026-11-02 20:00"), minutes(3 * 60))
        assert midnight == at("2026-11-03 00:00")
        assert late.later(midnight, minutes(0)) == midnight
        assert late.later(midnight, minutes(1)) == at("2026-11-09 21:01")

    def test_is_simply_later_where_people_always_work(self) -> None:
        now = datetime(2026, 12, 31, 23, 59, 59, 5, UTC)
        assert ALWAYS.later(now, timedelta(days=40, seconds=7)) == now + timedelta(40, 7)

    @given(hours, moments, spans)
    def test_has_as_much_business_time_before_it_as_was_asked_for(
        self, hours: Hours, now: datetime, span: timedelta
    ) -> None:
        then, at, worked = hours.later(now, span), now, timedelta()
        while at < then:
            worked += QUARTER * hours.open(at)
            at += QUARTER
        assert worked == span

    @given(hours, moments, spans)
    def test_lies_in_business_hours_or_at_their_end(
        self, hours: Hours, now: datetime, span: timedelta
    ) -> None:
        then = hours.later(now, span)
        assert then >= now
        assert hours.open(then) or hours.open(then - timedelta.resolution)

    @given(hours, moments, spans, st.integers(0, 96 * 3), spans)
    def test_is_never_earlier_for_asking_later_or_for_more(
        self, hours: Hours, now: datetime, span: timedelta, quarters: int, more: timedelta
    ) -> None:
        then = hours.later(now, span)
        assert then <= hours.later(now + quarters * QUARTER, span)
        assert then <= hours.later(now, span + more)

    @given(hours, moments, spans, spans)
    def test_is_reached_in_one_step_or_in_two(
        self, hours: Hours, now: datetime, first: timedelta, second: timedelta
    ) -> None:
        assert hours.later(hours.later(now, first), second) == hours.later(now, first + second)


class TestTheNextOpening:
    @pytest.mark.parametrize(
        ("now", "then"),
        [
            ("2026-11-05 03:00", "2026-11-06 09:00"),
            ("2026-11-05 16:00", "2026-11-06 09:00"),
            ("2026-11-06 16:00", "2026-11-09 09:00"),
            ("2026-11-08 23:59", "2026-11-09 09:00"),
            ("2026-10-23 16:00", "2026-10-26 09:00"),
        ],
    )
    def test_is_on_the_next_day_on_which_people_work(self, now: str, then: str) -> None:
        found = OFFICE.next_opening(at(now))
        assert (found, found.tzinfo) == (at(then), UTC)

    def test_is_tomorrow_as_the_place_has_it(self) -> None:
        tokyo = Hours(ZoneInfo("Asia/Tokyo"), WEEKDAYS, 9 * 60, 17 * 60)
        evening = datetime(2026, 11, 4, 20, tzinfo=UTC)  # five in the morning there
        assert tokyo.next_opening(evening) == datetime(2026, 11, 6, tzinfo=UTC)

    @pytest.mark.parametrize("end", [24 * 60, 23 * 60])
    def test_is_at_nine_for_those_who_work_round_the_clock(self, end: int) -> None:
        assert Hours(LISBON, WEEKDAYS, 0, end).next_opening(at("2026-11-06 10:00")) == at(
            "2026-11-09 09:00"
        )
        now = datetime(2026, 11, 6, 23, tzinfo=UTC)
        assert ALWAYS.next_opening(now) == datetime(2026, 11, 7, 9, tzinfo=UTC)

    def test_is_at_midnight_for_those_who_work_at_night(self) -> None:
        night = Hours(LISBON, WEEKDAYS, 0, 9 * 60)
        assert night.next_opening(at("2026-11-04 10:00")) == at("2026-11-05 00:00")


class TestAnHourOfTheDay:
    @pytest.mark.parametrize(
        ("now", "hour", "then"),
        [
            ("2026-07-06 12:00", 17, "2026-07-06 17:00"),
            ("2026-07-06 23:59", 0, "2026-07-06 00:00"),
            ("2026-10-25 23:00", 1, "2026-10-25 01:00"),  # the first of two
            ("2026-03-29 23:00", 1, "2026-03-29 02:00"),  # passed over
            ("2026-07-04 12:00", 9, "2026-07-04 09:00"),  # a Saturday
        ],
    )
    def test_is_that_of_the_place(self, now: str, hour: int, then: str) -> None:
        found = OFFICE.day_hour(at(now), hour)
        assert (found, found.tzinfo) == (at(then).astimezone(UTC), UTC)


class TestBusinessHours:
    @given(hours, moments)
    def test_are_what_the_clock_shows_but_for_the_hours_it_shows_twice(
        self, hours: Hours, now: datetime
    ) -> None:
        there = now.astimezone(hours.zone)
        shown = hours.begin <= 60 * there.hour + there.minute < hours.end
        if there.fold == 0:
            assert hours.open(now) == (shown and there.weekday() in hours.days)

    def test_are_always_open_for_a_team_that_names_none(self) -> None:
        assert all(ALWAYS.open(datetime(2026, 3, 26, tzinfo=UTC) + n * QUARTER) for n in range(999))

    def test_need_a_day(self) -> None:
        problems: list[str] = []
        table = {"timezone": "Europe/Lisbon", "days": [], "from": "09:00", "to": "17:00"}
        assert hours_from(table, ZoneInfo, problems) is None
        assert problems == ["[hours] days must be a list of mon, tue, wed, thu, fri, sat, sun."]
        assert hours_from({**table, "days": ["mon"]}, ZoneInfo, problems) == Hours(
            LISBON, frozenset({0}), 9 * 60, 17 * 60
        )

    def test_are_read_whatever_else_their_file_holds(self) -> None:
        table = {"timezone": "Europe/Lisbon", "days": ["mon"], "from": "09:00", "to": "17:00"}
        data = {"default": 5, "hours": table}
        assert hours_of(data, ZoneInfo) == Hours(LISBON, frozenset({0}), 9 * 60, 17 * 60)
        assert hours_of({"default": 5}, ZoneInfo) is ALWAYS
        with pytest.raises(Misconfigured, match=r"replies\.toml: \[hours\] days must be a list"):
            hours_of({"hours": {**table, "days": []}}, ZoneInfo)
