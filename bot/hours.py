"""When people work, and time counted in their hours."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from bot.errors import Misconfigured
from bot.frozen import frozen

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MORNING: Final = 9 * 60
"""The minute of the day at which the morning begins for those who work round the clock."""

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_FIELDS: Final = {"timezone", "days", "from", "to"}
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)


@frozen
class Hours:
    """Business hours: on `days` (Monday is 0) from one minute of the day until another.

    They last from the first time that the clock shows `begin` until the first time that it shows
    `end`; what it passes over when it is put forward counts as shown at that moment.
    """

    zone: tzinfo
    days: frozenset[int]
    begin: int
    end: int

    def open(self, now: datetime) -> bool:
        """Whether people work at this moment."""
        day = self._day(now)
        return day.weekday() in self.days and self._begin(day) <= now < self._close(day)

    def later(self, now: datetime, span: timedelta) -> datetime:
        """The moment, in UTC, at which `span` of business time has passed since `now`.

        People work then, or have just stopped. No time at all passes at once, or where people do
        not work, when they begin.
        """
        at, left = now.astimezone(UTC), span
        # People who work until midnight stop on the next day.
        for day in self._working_days(self._day(now) - _DAY):
            at, close = max(at, self._begin(day)), self._close(day)
            if at + left <= close:
                break
            left -= max(close - at, timedelta())
        return at + left

    def next_opening(self, now: datetime) -> datetime:
        """The moment, in UTC, at which business hours begin on a later day than that of `now`.

        Those that begin at midnight are taken to begin in the morning, at nine.
        """
        day = next(self._working_days(self._day(now) + _DAY))
        round_the_clock = self.begin == 0 and self.end > MORNING
        return self._at(day, MORNING) if round_the_clock else self._begin(day)

    def day_hour(self, now: datetime, hour: int) -> datetime:
        """The moment, in UTC, at which it is that hour (0 to 23) on the day of `now`."""
        return self._at(self._day(now), 60 * hour)

    def _day(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def _working_days(self, first: date) -> Iterator[date]:
        day = first
        while True:
            if day.weekday() in self.days and self._begin(day) < self._close(day):
                yield day
            day += _DAY

    def _begin(self, day: date) -> datetime:
        return self._at(day, self.begin)

    def _close(self, day: date) -> datetime:
        return self._at(day, self.end)

    def _at(self, day: date, minute: int) -> datetime:
        """When the clock first shows that minute of the day, or passes over it."""
        wall = datetime.combine(day, time(), self.zone) + minute * _MINUTE
        # A time that is passed over has two readings, the earlier one with `fold` (PEP 495).
        at, before = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
        if before >= at:
            return at
        shown = bisect_left(
            range((at - before) // _MINUTE),
            wall.replace(tzinfo=None),
            key=lambda n: (before + n * _MINUTE).astimezone(self.zone).replace(tzinfo=None),
        )
        return before + shown * _MINUTE


ALWAYS: Final = Hours(UTC, frozenset(range(len(DAYS))), 0, 24 * 60)
"""The hours of a team that names none: round the clock, in UTC."""


def hours_of(data: Mapping[str, Any], zone_named: Callable[[str], tzinfo]) -> Hours:
    """Those of the parsed `replies.toml`, whatever else it holds; `ALWAYS` where it names none.

    Raises `Misconfigured` where they are wrong.
    """
    if "hours" not in data:
        return ALWAYS
    problems: list[str] = []
    hours = hours_from(data["hours"], zone_named, problems)
    if hours is None:
        raise Misconfigured([f"replies.toml: {problem}" for problem in problems])
    return hours


def hours_from(
    table: object, zone_named: Callable[[str], tzinfo], problems: list[str]
) -> Hours | None:
    """The hours of the table `[hours]`, None where they are wrong; `problems` gets how.

    `zone_named` knows time zones by name, as `zoneinfo.ZoneInfo` does.
    """
    if not isinstance(table, dict) or table.keys() != _FIELDS:
        problems.append(f"[hours] needs {', '.join(sorted(_FIELDS))}, and no more.")
        return None
    zone = _zone(table["timezone"], zone_named)
    if zone is None:
        problems.append(
            f"[hours] timezone «{table['timezone']}» is not known: name one such as Europe/Lisbon."
        )
    days = table["days"]
    if not isinstance(days, list) or not days or not set(map(str, days)) <= set(DAYS):
        problems.append(f"[hours] days must be a list of {', '.join(DAYS)}.")
        days = []
    begin, end = _minute(table["from"]), _minute(table["to"])
    if begin is None or end is None or begin >= end:
        problems.append('[hours] from must be a time before to, such as "09:00" and "17:30".')
        return None
    return Hours(zone, frozenset(map(DAYS.index, days)), begin, end) if zone and days else None


def _zone(name: Any, zone_named: Callable[[str], tzinfo]) -> tzinfo | None:
    try:
        return zone_named(name)
    except (KeyError, ValueError, OSError, TypeError):
        return None


def _minute(written: object) -> int | None:
    """The minute of the day; midnight at its end is 24:00."""
    if not isinstance(written, str) or not _CLOCK.fullmatch(written):
        return None
    hour, minute = written.split(":")
    return 60 * int(hour) + int(minute)
