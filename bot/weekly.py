"""The figures of a week by which a model is known: its scores, its words, its corrections."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.cases import Case
from bot.chance import BINS
from bot.tryouts import came_in
from bot.verdicts import Verdict

WEEK: Final = timedelta(days=7)
_COUNTS: Final = ("words", "unknown", "looked_at", "wrong", "expected", "others")


@dataclass(slots=True)
class Figures:
    """Those of one model; they add up case by case.

    `scores` are posts by tenth of the probability. Of its `words`, so many are `unknown`, both 0
    where nobody knows. Agents judged `looked_at` posts and found `wrong` so many, where the
    model's own probabilities let expect `expected`. `others` were judged by another model, and
    `partly` is whether more came than were read.
    """

    since: datetime
    until: datetime
    model: str = ""
    scores: list[int] = field(default_factory=lambda: [0] * BINS)
    words: int = 0
    unknown: int = 0
    looked_at: int = 0
    wrong: int = 0
    expected: float = 0.0
    others: int = 0
    partly: bool = False

    @property
    def posts(self) -> int:
        """How many the model had a score for."""
        return sum(self.scores)

    @property
    def unknown_share(self) -> float | None:
        """Of the words; None where nobody knows."""
        return self.unknown / self.words if self.words else None

    @property
    def wrong_share(self) -> float | None:
        """Of what agents judged; None where they judged nothing."""
        return self.wrong / self.looked_at if self.looked_at else None

    def add(self, case: Case, verdict: Verdict, known: frozenset[str] | None) -> None:
        """Counts one more of the model's; of a text somebody tried its label alone.

        `known` are the words that the model knows.
        """
        came = came_in(case)
        if came and known is not None:
            words = verdict.tokens.split()
            self.words += len(words)
            self.unknown += sum(word not in known for word in words)
        if not verdict.known:  # its probability is the threshold, and nobody's opinion
            return
        if came:
            self.scores[min(int(verdict.probability * BINS), BINS - 1)] += 1
        right = _right(case, verdict)
        if right is not None:
            self.looked_at += 1
            self.wrong += not right
            self.expected += 1 - verdict.confidence

    def join(self, other: "Figures") -> None:
        """Takes up those of another week."""
        self.scores = [mine + its for mine, its in zip(self.scores, other.scores, strict=True)]
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.since, self.until = min(self.since, other.since), max(self.until, other.until)


def _right(case: Case, verdict: Verdict) -> bool | None:
    """Whether agents found the verdict right; None where none looked.

    They label what is wrong, and seldom what is right: a card that one of them saw through to its
    end without a word about it was rightly made.
    """
    if case.label:
        return case.label.escalate == verdict.escalate
    seen = case.route == "escalate" and case.resolved and verdict.escalate and came_in(case)
    return True if seen else None


def figures(
    newest: Iterable[Case],
    since: datetime,
    until: datetime,
    words: Mapping[str, frozenset[str]],
    most: int | None = None,
) -> Figures:
    """Those of the cases received between these times, at most so many; they come newest first.

    They are of the model that judged last; `words` are what a model knows, by its name.
    """
    week = Figures(since, until)
    told = (case for case in newest if since <= case.received_at < until)
    for number, case in enumerate(told):
        if number == most:
            week.partly = True
            break
        verdict = case.verdict
        if verdict is None or case.erased:
            continue
        week.model = week.model or verdict.model
        if verdict.model == week.model:
            week.add(case, verdict, words.get(week.model))
        else:
            week.others += came_in(case)
    return week


def to_json(week: Figures) -> dict[str, Any]:
    """The figures as plain JSON values."""
    numbers = {name: getattr(week, name) for name in ("model", "scores", *_COUNTS, "partly")}
    return {"since": week.since.isoformat(), "until": week.until.isoformat(), **numbers}


def from_json(record: Mapping[str, Any]) -> Figures:
    """The figures of what `to_json` made."""
    moments = {
        name: datetime.fromisoformat(record[name]).astimezone(UTC) for name in ("since", "until")
    }
    # A newer release may have written figures of its own before it was rolled back.
    known = {one.name: record[one.name] for one in fields(Figures) if one.name in record}
    return Figures(**{**known, **moments})
