"""What the channel is told that is about no single post: an incident, a day's digest, a drift.

A notice is kept as a case of its own (`bot.cases.Case.notice`), so its card is sent once and drawn
anew like any other.
"""

from datetime import datetime, timedelta
from typing import Literal

from bot.frozen import frozen

Cause = Literal["burst", "classifier"]
Conclusion = Literal["fine", "watch", "retrain"]


@frozen
class Bursts:
    """More new cards than `size` within `window` are collected; with 0 none ever are."""

    size: int = 10
    window: timedelta = timedelta(minutes=5)


@frozen
class Incident:
    """Many escalations at once, or a classifier that does not answer.

    `cases` are the last ones it collected and `count` how many in all; `waiting` is how many
    tweets wait for the classifier. `until` is when it was over, None while it lasts.
    """

    cause: Cause
    since: datetime
    count: int = 0
    cases: tuple[str, ...] = ()
    waiting: int = 0
    until: datetime | None = None


@frozen
class Digest:
    """The numbers of the day from `since` to `until`.

    `to_claim` and `to_answer` are the medians of the seconds from a post's coming in until an
    agent claimed it, and until an agent's answer was public; None where there was none.
    `corrected` labels differ from the verdict. `cost` is in millionths of a dollar, None where
    nothing is counted. `waiting` cases were open when it was made. `partly` is whether more came
    than were counted, which are then the last.
    """

    since: datetime
    until: datetime
    received: int
    escalated: int
    answered_by_bot: int
    skipped: int
    to_claim: float | None
    to_answer: float | None
    corrected: int
    waiting: int
    cost: int | None = None
    partly: bool = False


@frozen
class Drift:
    """How well `model` still fits what came in from `since` to `until`: what to do, and why.

    It judged so many `posts`; `said` are the sentences.
    """

    since: datetime
    until: datetime
    model: str
    posts: int
    conclusion: Conclusion
    said: tuple[str, ...] = ()


Notice = Incident | Digest | Drift
