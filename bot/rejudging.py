"""Past cases under another model or threshold: which of them would have gone the other way.

The rules hold as they are now, on both sides, so what is shown is what the model or the threshold
alone would change.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Literal

from bot.cases import Case
from bot.frozen import frozen
from bot.policy import MUTED, Route, Rules, decide
from bot.tryouts import came_in
from bot.verdicts import Verdict

DAY: Final = timedelta(days=1)
AT_ONCE: Final = 256
"""Cases that are judged by one call to the classifier."""

Turn = Literal["more", "fewer", "stay"]
"""A case that would escalate too, that would no longer, and one that stays where it is."""
Refusal = Callable[[Case], str | None]
"""Why the bot must not answer a post, None where it may."""
Judge = Callable[[Sequence[Case]], Sequence[Verdict]]
"""The other verdict on each of these cases, which have one, in order."""


@frozen
class Terms:
    """What both verdicts on a case are turned into a route by."""

    rules: Rules
    unsure_margin: float
    refusal: Refusal = lambda _case: None

    def route(self, case: Case, verdict: Verdict | None) -> Route:
        """Where the case goes by that verdict, as triage decides.

        One that goes on with a conversation that a person has is that person's by any verdict.
        """
        if case.thread:
            return "escalate"
        return decide(
            case.tweet,
            verdict,
            self.rules,
            unsure_margin=self.unsure_margin,
            refusal=self.refusal(case),
            muted=MUTED in case.reasons,
        ).route


@frozen
class Rejudged:
    """A case, the other verdict on it, and its route by the verdict it has and by the other."""

    case: Case
    after: Verdict
    routes: tuple[Route, Route]

    @property
    def turn(self) -> Turn:
        """Which way it would go."""
        before, after = (route == "escalate" for route in self.routes)
        if before == after:
            return "stay"
        return "more" if after else "fewer"


def judged(newest: Iterable[Case]) -> Iterator[Case]:
    """Those that came in and were judged: no notices, tests and tried texts, nothing erased."""
    return (case for case in newest if case.verdict and not case.erased and came_in(case))


def rejudged(
    cases: Iterable[Case], judge: Judge, terms: Terms, at_once: int = AT_ONCE
) -> Iterator[Rejudged]:
    """Judges such cases again, as they are read, at most `at_once` by one call.

    Raises what `judge` raises.
    """
    left = iter(cases)
    while some := list(islice(left, at_once)):
        for case, after in zip(some, judge(some), strict=True):
            routes = (terms.route(case, case.verdict), terms.route(case, after))
            yield Rejudged(case, after, routes)


def by_threshold(value: float) -> Judge:
    """The verdicts that the cases have, under another threshold: no model is asked."""

    def judge(cases: Sequence[Case]) -> list[Verdict]:
        return [_under(case.verdict, value) for case in cases if case.verdict]

    return judge


def _under(verdict: Verdict, value: float) -> Verdict:
    probability = verdict.probability if verdict.known else value
    return replace(verdict, threshold=value, probability=probability)


@frozen
class Side:
    """How many cases, how many of these agents labelled, and said they needed a person."""

    cases: int = 0
    labelled: int = 0
    needed: int = 0


@dataclass(slots=True)
class Tally:
    """Counts what would have gone the other way; `first` and `last` are when cases came in."""

    counts: Counter[tuple[Turn, bool | None]] = field(default_factory=Counter)
    missed_before: int = 0
    missed_after: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, one: Rejudged) -> None:
        """Counts one more. A miss is a post that needed a person, said an agent, and got none."""
        label = one.case.label.escalate if one.case.label else None
        self.counts[one.turn, label] += 1
        if label:
            before, after = one.routes
            self.missed_before += before != "escalate"
            self.missed_after += after != "escalate"
        at = one.case.received_at
        self.first, self.last = min(self.first or at, at), max(self.last or at, at)

    def side(self, *turns: Turn) -> Side:
        """What went these ways."""
        found = {label: sum(self.counts[turn, label] for turn in turns) for label in _LABELS}
        labelled = found[True] + found[False]
        return Side(labelled + found[None], labelled, found[True])

    @property
    def whole(self) -> Side:
        """All that was judged again."""
        return self.side("more", "fewer", "stay")

    @property
    def days(self) -> float:
        """From the first case to the last, and one at least."""
        if self.first is None or self.last is None:
            return 1.0
        return max((self.last - self.first) / DAY, 1.0)

    @property
    def cards_a_day(self) -> float:
        """How many more cards a day there would be; below 0 fewer."""
        return (self.side("more").cases - self.side("fewer").cases) / self.days


_LABELS: Final = (True, False, None)
