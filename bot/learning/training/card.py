"""The model's card: its story for people, kept inside the artifact; it holds no post's text."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.frozen import frozen
from bot.learning.labelled import Labelled
from bot.learning.metrics import Figures, Judged, figures, shares
from bot.learning.training.examples import Example, Prepared

LENGTHS: Final = ((1, 4), (5, 9), (10, 19), (20, 39), (40, 10**6))
"""Words of a post, from and to."""
MOST_LANGUAGES: Final = 10
FEWEST: Final = 30
"""People who needed us, below which a group says nothing."""
WEAKER: Final = 0.05
"""By how much less of a group is found before it is named a weakness."""
ALWAYS: Final = (
    "Irony, and complaints without a harsh word, are often missed: it sees words, not meaning.",
    "A language or a trade that is rare in the data is judged worse than the figures say.",
)


@frozen
class Source:
    """A file that was learnt from."""

    name: str
    sha256: str


def source(path: Path) -> Source:
    """That file, by its name without the folder."""
    with path.open("rb") as file:
        return Source(path.name, hashlib.file_digest(file, "sha256").hexdigest())


def of_all(sources: Sequence[Source]) -> str:
    """One SHA-256 for all that was learnt from: of a single file its own."""
    if len(sources) == 1:
        return sources[0].sha256
    return hashlib.sha256("".join(one.sha256 for one in sources).encode()).hexdigest()


def data(rows: Sequence[Labelled], prepared: Prepared, sources: Sequence[Source]) -> dict[str, Any]:
    """What it learnt from: files, numbers, dates and languages."""
    moments = [row.at for row in rows if row.at]
    languages = Counter(row.language for row in rows if row.language)
    return {
        "files": [asdict(one) for one in sources],
        "rows": len(rows),
        "examples": len(prepared.examples),
        "empty": prepared.empty,
        "repeated": prepared.repeated,
        "disputed": prepared.disputed,
        "escalate": round(
            sum(one.escalate for one in prepared.examples) / len(prepared.examples), 4
        ),
        "from": _day(min(moments, default=None)),
        "until": _day(max(moments, default=None)),
        "languages": dict(languages.most_common(MOST_LANGUAGES)),
    }


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None


def rounded(found: Figures) -> dict[str, Any]:
    """Figures as they stand in a card, to four digits."""
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in asdict(found).items()
    }


def baseline(judged: Judged, unknown: float, threshold: float) -> dict[str, Any]:
    """What drift is measured against (`bot.drift`)."""
    wrong = (judged.probabilities >= threshold) != judged.truths
    return {
        "scores": shares(judged.probabilities),
        "unknown": round(unknown, 4),
        "mistakes": round(float(wrong.mean()), 4),
    }


def failures(examples: Sequence[Example], judged: Judged, threshold: float) -> list[str]:
    """Where it is weaker than on the whole, a sentence each."""
    return [*_weak_lengths(examples, judged, threshold), *ALWAYS]


def _weak_lengths(examples: Sequence[Example], judged: Judged, threshold: float) -> Iterator[str]:
    words = np.array([len(example.tokens.split()) for example in examples])
    whole = figures(judged, threshold).recall
    for least, most in LENGTHS:
        group = (words >= least) & (words <= most)
        if judged.truths[group].sum() < FEWEST:
            continue
        recall = figures(
            Judged(judged.probabilities[group], judged.truths[group]), threshold
        ).recall
        if recall < whole - WEAKER:
            long = f"{least} to {most}" if most < LENGTHS[-1][1] else f"{least} or more"
            yield (
                f"Of posts of {long} words it finds {recall:.0%} of those that need a person, of "
                f"all {whole:.0%}."
            )
