"""What an agent starts: one function for Slack, the console and the command line alike."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final, Literal, Protocol

from bot import cases, delivery
from bot.cases import Case
from bot.errors import Refused
from bot.ports import CaseStore, Queue

Act = Literal["claim", "resolve"]


class _Change(Protocol):
    def __call__(self, case: Case, *, who: str, now: datetime) -> Case: ...


_CHANGES: Final[Mapping[str, _Change]] = {"claim": cases.claimed, "resolve": cases.resolved}


def act(
    deed: str,
    case_id: str,
    who: str,
    store: CaseStore,
    workers: Mapping[delivery.Worker, Queue],
    now: datetime,
) -> Case:
    """An agent's deed on a case; its card is drawn anew. Safe to run twice.

    Raises `Refused` where the deed or the case is not known.
    """
    if deed not in _CHANGES:
        raise Refused(f"«{deed:.40}» is nothing an agent can do to a case.")
    case = store.change(case_id, partial(_CHANGES[deed], who=who, now=now))
    if case is None:
        raise Refused("This case is no longer here: its time was over or its author erased it.")
    delivery.enqueue([case], workers)
    return case
