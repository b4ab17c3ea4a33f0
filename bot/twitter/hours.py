"""When people work."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_FIELDS: Final = {"timezone", "days", "from", "to"}


@dataclass(frozen=True, slots=True)
class Hours:
    """Business hours: on `days` (Monday is 0) from one minute of the day until another."""

    zone: ZoneInfo
    days: frozenset[int]
    begin: int
    end: int

    def open(self, now: datetime) -> bool:
        """Whether people work at this moment."""
        there = now.astimezone(self.zone)
        minute = 60 * there.hour + there.minute
        return there.weekday() in self.days and self.begin <= minute < self.end


def hours_from(table: object, problems: list[str]) -> Hours | None:
    """The hours of the table `[hours]`, None where they are wrong; `problems` gets how."""
    if not isinstance(table, dict) or table.keys() != _FIELDS:
        problems.append(f"[hours] needs {', '.join(sorted(_FIELDS))}, and no more.")
        return None
    zone = _zone(table["timezone"])
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
    return Hours(zone, frozenset(map(DAYS.index, days)), begin, end) if zone else None


def _zone(name: Any) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        return None


def _minute(written: object) -> int | None:
    """The minute of the day; midnight at its end is 24:00."""
    if not isinstance(written, str) or not _CLOCK.fullmatch(written):
        return None
    hour, minute = written.split(":")
    return 60 * int(hour) + int(minute)
