"""What X costs: its price of each action, counted by day and month, and held to budgets.

Prices: X developer documentation, "Pricing" (pay-per-use, April 2026). A post read twice on one
UTC day is charged once. X names no price for the events of a webhook; they count as free here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, get_args

from bot.frozen import frozen
from bot.ports import CaseStore
from bot.tweets import Tweet

Action = Literal["mention", "own post", "lookup", "reply", "reply with link"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

PRICES: Final[Mapping[Action, int]] = {
    "mention": 1_000,  # an owned read
    "own post": 1_000,
    "lookup": 5_000,
    "reply": 10_000,  # to a post that summoned the account
    "reply with link": 200_000,
}
"""Millionths of a dollar for each post read or sent."""
DOLLAR: Final = 1_000_000

_READS: Final[tuple[Action, ...]] = ("mention", "own post", "lookup")
_RESERVED: Final = "reserved"
"""Where a month's note has the posts that may be being read now, by action, beside its days."""

Counts = Mapping[Action, int]


@frozen
class Ledger:
    """Counts what was read and sent, and says what is left of the month's budgets.

    `read_budget` is in posts, `budget` in dollars; None is no budget. Months and days are UTC's,
    as X counts them.
    """

    store: CaseStore
    read_budget: int | None = None
    budget: float | None = None

    def charge(self, action: Action, number: int, now: datetime) -> None:
        """Counts that many posts; a negative number takes back what X did not charge for.

        No more is taken back than the month has: what it was counted in may be over.
        """
        if number:
            self.store.change_note(_name(now), lambda month: _counted(month, action, number, now))

    def reserve(
        self, action: Action, most: int, now: datetime, *, least: int = 1, keep: int = 0
    ) -> int:
        """Sets aside up to `most` posts before they are read, and returns how many may be.

        None where the month's read budget, less what it shall `keep`, holds fewer than `least`.
        Whoever reads at the same time gets none of them. `settle` counts what was read of them,
        and gives back the others; where nobody came to that, `release` does.
        """
        if self.read_budget is None:
            return most
        budget = self.read_budget - keep
        granted = 0

        def counted(month: Any) -> Any:
            nonlocal granted
            left = min(most, budget - _read(month or {}))
            granted = left if left >= least else 0
            return _set_aside(month, action, granted)

        self.store.change_note(_name(now), counted)
        return granted

    def settle(self, action: Action, reserved: int, read: int, now: datetime) -> None:
        """Counts what was read in the end of what was reserved."""
        if self.read_budget is None:
            self.charge(action, read, now)
            return
        self.store.change_note(
            _name(now),
            lambda month: _counted(_set_aside(month, action, -reserved), action, read, now),
        )

    def release(self, now: datetime) -> None:
        """Gives back what was set aside by a run that came to no end.

        For the one poller alone, before it reads: nobody else sets posts aside.
        """
        if self.read_budget is not None:
            self.store.change_note(_name(now), _released)

    def month(self, now: datetime) -> dict[str, Counts]:
        """The counts of this month's days, by their dates."""
        return _days(self.store.note(_name(now))) or {}

    def reads_left(self, now: datetime) -> int | None:
        """How many more posts may be read this month; None for any number."""
        if self.read_budget is None:
            return None
        return max(0, self.read_budget - _read(self.store.note(_name(now)) or {}))

    def affords(
        self, action: Action, now: datetime, *, number: int = 1, share: float = 1.0
    ) -> bool:
        """Whether that many more fit into the month's budget of dollars, or a share of it."""
        if self.budget is None:
            return True
        spent = sum(price(day) for day in self.month(now).values())
        return spent + number * PRICES[action] <= round(share * self.budget * DOLLAR)


def price(counts: Counts) -> int:
    """Millionths of a dollar that these counts cost; a count of an unknown name costs nothing."""
    return sum(PRICES[one] * counts.get(one, 0) for one in ACTIONS)


def cost_of_reading(tweet: Tweet) -> int:
    """Millionths of a dollar that X took for giving us `tweet`."""
    return PRICES["mention"] if tweet.source == "poll" else 0


def _read(month: Mapping[str, Counts]) -> int:
    # What is set aside counts as if it were read.
    return sum(counts.get(one, 0) for counts in month.values() for one in _READS)


def _days(month: Any) -> Any:
    return month and {day: counts for day, counts in month.items() if day != _RESERVED}


def _counted(month: Any, action: Action, number: int, now: datetime) -> Any:
    days = _days(month) or {}
    number = max(number, -sum(counts.get(action, 0) for counts in days.values()))
    return _added(month, now.date().isoformat(), action, number)


def _set_aside(month: Any, action: Action, number: int) -> Any:
    aside = (month or {}).get(_RESERVED, {}).get(action, 0)
    return _added(month, _RESERVED, action, max(number, -aside))


def _released(month: Any) -> Any:
    aside = (month or {}).get(_RESERVED, {})
    return _days(month) if any(aside.values()) else month


def _added(month: Any, part: str, action: Action, number: int) -> Any:
    if not number:
        return month
    counts = (month or {}).get(part, {})
    return {**(month or {}), part: {**counts, action: counts.get(action, 0) + number}}


def _name(now: datetime) -> str:
    return f"x-ledger-{now:%Y-%m}"
