"""What X took, for the verb `cost` and the console's status line. Days and months are UTC's."""

from argparse import Namespace
from collections import Counter
from collections.abc import Mapping
from typing import Final

from bot import settings
from bot.frozen import frozen
from bot.local.terminal import show
from bot.twitter.ledger import DOLLAR, Action, Counts, price
from bot.twitter.polling import BUDGET_USED
from bot.wiring import Parts

_CENT: Final = DOLLAR // 100
_NAMES: Final[Mapping[Action, str]] = {
    "mention": "mentions read",
    "own post": "own posts read",
    "lookup": "single posts looked up",
    "reply": "answers sent",
    "reply with link": "answers with a link sent",
}


@frozen
class Costs:
    """Posts by action, and what is left of the month's budgets; None is no budget.

    `budget` and `left` are in millionths of a dollar, `read_budget` and `reads_left` in posts.
    `answers_wait` and `reading_ended` are whether automatic replies wait, and mentions stay
    unread, for want of budget.
    """

    today: Counts
    month: Counts
    budget: int | None
    read_budget: int | None
    reads_left: int | None
    answers_wait: bool
    reading_ended: bool

    @property
    def left(self) -> int | None:
        """What is left of the budget of dollars."""
        return None if self.budget is None else max(0, self.budget - price(self.month))


def costs(parts: Parts) -> Costs:
    """What X took until now."""
    ledger, now = parts.ledger, parts.clock()
    days = ledger.month(now)
    ended = parts.store.note(BUDGET_USED)
    return Costs(
        today=days.get(now.date().isoformat(), {}),
        month=_sum(days),
        budget=None if ledger.budget is None else round(ledger.budget * DOLLAR),
        read_budget=ledger.read_budget,
        reads_left=ledger.reads_left(now),
        answers_wait=parts.settings.auto_reply == "on" and not ledger.affords("reply", now),
        reading_ended=bool(ended) and ended["month"] == f"{now:%Y-%m}",
    )


def _sum(days: Mapping[str, Counts]) -> Counts:
    counts: Counter[Action] = Counter()
    for day in days.values():
        counts.update(day)
    return counts


def dollars(millionths: int) -> str:
    """An amount as people read it: in cents, or exactly where it has less than a cent in it."""
    places = 2 if millionths % _CENT == 0 else 3
    return f"${millionths / DOLLAR:,.{places}f}"


def cost(arguments: Namespace, environment: Mapping[str, str]) -> int:
    """What X took today and this month, and what is left of the budgets."""
    parts = Parts(settings.read(environment))
    found = costs(parts)
    if not arguments.json:
        month = f"{parts.clock():%Y-%m}"
        print(f"{'What X took (UTC)':<26}{'today':>20}{month:>24}")  # noqa: T201
    for action, name in _NAMES.items():
        today, whole = ({action: counts.get(action, 0)} for counts in (found.today, found.month))
        _show_line(arguments, action, name, today, whole)
    _show_line(arguments, "all", "all", found.today, found.month)
    _show_budgets(arguments, found)
    return 0


def _show_line(arguments: Namespace, action: str, name: str, today: Counts, month: Counts) -> None:
    row: dict[str, object] = {"action": action}
    plain = f"{name:<26}"
    for period, counts, width in (("today", today, 9), ("month", month, 13)):
        number, paid = sum(counts.values()), price(counts)
        row |= {period: number, f"{period}_usd": paid / DOLLAR}
        plain += f"{number:>{width},}{dollars(paid):>11}"
    show(arguments, row, plain)


def _show_budgets(arguments: Namespace, found: Costs) -> None:
    row: dict[str, object] = {"budget": "usd", "limit": None, "left": None}
    plain = "No budget of dollars is set (X_MONTHLY_BUDGET_USD)."
    if found.budget is not None and found.left is not None:
        row |= {"limit": found.budget / DOLLAR, "left": found.left / DOLLAR}
        left = f"{dollars(found.left)} of the month's {dollars(found.budget)} is left"
        ended = (
            " Automatic replies are held back until the month is over."
            if found.answers_wait
            else ""
        )
        plain = f"{left} (X_MONTHLY_BUDGET_USD).{ended}"
    show(arguments, row, plain)
    row = {"budget": "reads", "limit": found.read_budget, "left": found.reads_left}
    plain = "No budget of reads is set (X_MONTHLY_READ_BUDGET)."
    if found.read_budget is not None:
        left = f"{found.reads_left:,} of the month's {found.read_budget:,} reads are left"
        ended = " Mentions stay unread until the month is over." if found.reading_ended else ""
        plain = f"{left} (X_MONTHLY_READ_BUDGET).{ended}"
    show(arguments, row, plain)
