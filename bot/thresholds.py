"""The threshold that is set while the bot runs, and what another one would have changed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from bot.cases import Case
from bot.errors import Refused
from bot.frozen import frozen
from bot.policy import Rules
from bot.ports import CaseStore

LOOKED_AT: Final = 200
"""The newest judged cases that a change is tried on."""
_NOTE: Final = "threshold"


@frozen
class Chosen:
    """A threshold, who chose it and when."""

    value: float
    who: str
    at: datetime


@frozen
class Changed:
    """What another threshold would have changed: `more` escalate by it, `fewer` no longer do."""

    looked_at: int
    more: tuple[Case, ...]
    fewer: tuple[Case, ...]


@frozen
class Thresholds:
    """`usual` is the setting, None where the model's own holds. Raises what the store raises."""

    store: CaseStore
    usual: float | None

    def __call__(self) -> float | None:
        """The one in force; None where it is the model's own."""
        chosen = self.chosen()
        return chosen.value if chosen else self.usual

    def chosen(self) -> Chosen | None:
        """What somebody chose while the bot ran."""
        noted: Any = self.store.note(_NOTE)
        if not noted:
            return None
        at = datetime.fromisoformat(noted["at"]).astimezone(UTC)
        return Chosen(noted["value"], noted["who"], at)

    def choose(self, value: float, who: str, now: datetime) -> None:
        """From now on that one holds. Raises `Refused` where it is no probability."""
        noted = {"value": checked(value), "who": who, "at": now.isoformat()}
        self.store.set_note(_NOTE, noted)

    def forget(self) -> None:
        """The setting, or the model's own, holds again."""
        self.store.set_note(_NOTE, None)


def checked(value: object) -> float:
    """A threshold, of a number or what someone typed. Raises `Refused` where it is none."""
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise Refused(f"A threshold is a number from 0 to 1, such as 0.6, not «{value!s:.40}».")
    return number


def changed(cases: Iterable[Case], value: float, rules: Rules, unsure_margin: float) -> Changed:
    """What `value` would have changed over the newest judged cases, which come newest first.

    The rules hold as they are now, so what escalates by rule does so by any threshold.
    """
    # Triage, which asks for the threshold alone, shall start without it.
    from bot.rejudging import Terms, by_threshold, judged, rejudged  # noqa: PLC0415

    terms = Terms(rules, unsure_margin)
    found = rejudged(islice(judged(cases), LOOKED_AT), by_threshold(value), terms, LOOKED_AT)
    turned = list(found)
    more, fewer = (
        tuple(one.case for one in turned if one.turn == turn) for turn in ("more", "fewer")
    )
    return Changed(len(turned), more, fewer)
