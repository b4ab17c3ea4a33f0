"""What a line of the log carries beside its sentence: fields to search by, and one metric at most.

A metric travels with the line that tells of it. So it stands beside the ids of what it counts, is
counted once, and is lost by no crash that the line survives; `bot.observability` makes of it what
the home it runs in can read. Use these as `extra` of a line.
"""

from typing import Any, Final, Literal

from bot.cases import Case
from bot.errors import Conflict, Failure, Neighbour, Refused
from bot.frozen import frozen

Counted = Literal["Received", "Escalated", "Skipped", "Answered", "WebhookRefused", "Failures"]
Timed = Literal["PostToCard", "ClassifierLatency"]
Gauged = Literal["HoursSinceTweet", "Drift"]
Kind = Literal[Neighbour, "message"]
"""Whose failure: a neighbour's, or a message that cannot be read."""

METRIC: Final = "metric"
"""The name under which a line carries its metric."""

Extra = dict[str, Any]


@frozen
class Metric:
    """A figure as CloudWatch keeps it; `kind` is a further dimension, of failures only."""

    name: Counted | Timed | Gauged
    unit: Literal["Count", "Milliseconds", "None"]
    value: float
    kind: Kind | None = None


def about(case: Case) -> Extra:
    """What leads from a line to its case, and from there to all lines about it."""
    return {"case": case.id, "trace": case.trace}


def counted(name: Counted, number: int = 1) -> Extra:
    """So many of them."""
    return {METRIC: Metric(name, "Count", number)}


def timed(name: Timed, milliseconds: float) -> Extra:
    """How long it took."""
    return {METRIC: Metric(name, "Milliseconds", round(milliseconds, 3))}


def gauged(name: Gauged, value: float) -> Extra:
    """How it stands now."""
    return {METRIC: Metric(name, "None", round(value, 3))}


def failed(kind: Kind) -> Extra:
    """A failure of that kind: to be counted where it is decided what becomes of it, and once."""
    return {METRIC: Metric("Failures", "Count", 1, kind)}


def failure(error: Exception) -> Extra:
    """The same of an error that tells whose it is, nothing of another."""
    kind = _kind(error)
    return failed(kind) if kind else {}


def _kind(error: Exception) -> Kind | None:
    if isinstance(error, Failure):
        return error.neighbour
    if isinstance(error, Conflict):
        return "storage"
    return "message" if isinstance(error, Refused) else None
