"""How the bot stands: what came lately, what waits, what it decides by."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from bot.cases import Case
from bot.frozen import frozen
from bot.notices import Incident
from bot.policy import Route
from bot.tryouts import came_in

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MOST: Final = 5_000
"""Cases that are read to count them."""


class Turned(Protocol):
    """Who turned a switch, and when."""

    @property
    def who(self) -> str:
        """A person's id, or the console."""
        ...

    @property
    def at(self) -> datetime:
        """The moment."""
        ...


@frozen
class Counts:
    """Tweets of the last hour and the last day by route; `last_at` is when the last one came.

    `floor` says that there were more than were read, so the counts are the least there may be.
    """

    hour: Mapping[Route, int] = field(default_factory=dict)
    day: Mapping[Route, int] = field(default_factory=dict)
    last_at: datetime | None = None
    floor: bool = False

    @property
    def escalated(self) -> float | None:
        """The share of the last day's tweets that needed a person, 0 to 1; None of none."""
        came = sum(self.day.values())
        return self.day.get("escalate", 0) / came if came else None


@frozen
class Status:
    """What `/triage status` tells, at that moment.

    `queues` holds, by name, how many messages wait and how many are dead. `open_cases` wait for a
    person, of which `unclaimed` are nobody's. `threshold_by` is who chose the threshold in force,
    or whether it is the setting's or the model's own. `classifier_up` is None where nobody knows.
    `cost` is this month's in millionths of a dollar, `budget_left` likewise, `reads_left` in
    posts; None where there is no such budget.
    """

    at: datetime
    counts: Counts
    queues: Mapping[str, tuple[int, int]]
    open_cases: int
    unclaimed: int
    model: str
    threshold: float
    threshold_by: Turned | Literal["setting", "model"]
    classifier_up: bool | None = None
    paused: Turned | None = None
    incident: Incident | None = None
    cost: int | None = None
    budget_left: int | None = None
    reads_left: int | None = None


def counts(newest: Iterable[Case], now: datetime, most: int = MOST) -> Counts:
    """The counts of the last day's cases, which come newest first.

    At most so many are read, and none beyond that day but to find when the last tweet came.
    """
    hour, day = Counter[Route](), Counter[Route]()
    last_at, floor = None, False
    for number, case in enumerate(newest):
        old = case.received_at <= now - DAY
        if number == most or (old and last_at):
            floor = not old
            break
        if case.route == "notice" or not came_in(case):  # nobody's tweet
            continue
        last_at = last_at or case.received_at
        if not old:
            day[case.route] += 1
            if case.received_at > now - HOUR:
                hour[case.route] += 1
    return Counts(dict(hour), dict(day), last_at, floor)
