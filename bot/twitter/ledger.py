"""What X costs: its price of each action, counted by day and month, and held to budgets.

Prices: X developer documentation, "Pricing" (pay-per-use, April 2026). A post read twice on one
UTC day is charged once. X names no price for the events of a webhook; they count as free here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

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

Counts = Mapping[Action, int]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Counts what was read and sent, and says what is left of the month's budgets.

    `read_budget` is in posts, `budget` in dollars; None is no budget. Months and days are UTC's,
    as X counts them.
    """

    store: CaseStore
    read_budget: int | None = None
    budget: float | None = None

    def charge(self, action: Action, number: int, now: datetime) -> None:
        """Counts that many posts; a negative number takes back what X did not charge for."""
        if number:
            self.store.change_note(
                _name(now), lambda month: _counted(month or {}, action, number, now)
            )

    def reserve(
        self, action: Action, most: int, now: datetime, *, least: int = 1, keep: int = 0
    ) -> int:
        """Counts up to `most` posts before they are read, and returns how many may be.

        None where the month's read budget, less what it shall `keep`, holds fewer than `least`.
        Whoever reads at the same time gets none of them; `settle` gives back what was not used.
        """
        if self.read_budget is None:
            return most
        budget = self.read_budget - keep
        granted = 0

        def counted(month: Any) -> Any:
            nonlocal granted
            before = month or {}
            left = min(most, budget - _read(before))
            granted = left if left >= least else 0
            return _counted(before, action, granted, now) if granted else month

        self.store.change_note(_name(now), counted)
        return granted

    def settle(self, action: Action, reserved: int, read: int, now: datetime) -> None:
        """Counts what was read in the end of what was reserved."""
        self.charge(action, read - (reserved if self.read_budget is not None else 0), now)

    def month(self, now: datetime) -> dict[str, Counts]:
        """The counts of this month's days, by their dates."""
        noted: dict[str, Counts] = self.store.note(_name(now)) or {}
        return noted

    def reads_left(self, now: datetime) -> int | None:
        """How many more posts may be read this month; None for any number."""
        if self.read_budget is None:
            return None
        return max(0, self.read_budget - _read(self.month(now)))

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
    return sum(day.get(one, 0) for day in month.values() for one in _READS)


def _counted(
    month: Mapping[str, Counts], action: Action, number: int, now: datetime
) -> dict[str, Counts]:
    day = now.date().isoformat()
    counts = month.get(day, {})
    return {**month, day: {**counts, action: counts.get(action, 0) + number}}


def _name(now: datetime) -> str:
    return f"x-ledger-{now:%Y-%m}"
