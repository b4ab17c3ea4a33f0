"""fastText's settings: the usual ones, the reference's, or found for these very examples."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, get_args

from sklearn.model_selection import train_test_split

from bot.errors import Refused
from bot.learning.metrics import pr_auc
from bot.learning.training.examples import Example
from bot.learning.training.fitting import (
    MOST_ALONE,
    REFERENCE,
    USUAL,
    Settings,
    cross_validated,
    fit,
    held_out,
    truths,
    usual,
    write,
)

Way = Literal["usual", "search", "autotune", "reference"]
WAYS: Final[tuple[Way, ...]] = get_args(Way)
HELD_OUT: Final = 0.2
"""Share of the examples that a model is judged by where folds would take too long."""

# What autotune may change (fastText documentation, "Automatic hyperparameter optimization").
_TUNED: Final = ("lr", "epoch", "wordNgrams", "dim", "bucket", "minCount", "minn", "maxn")
# Left to itself it begins with 100 dimensions of two million buckets: 3 GB of memory.
_FIXED: Final = {name: USUAL[name] for name in ("dim", "bucket")}

Seconds = Callable[[], float]
"""A clock that is never put back."""
Done = Callable[[str], object]
"""Is told of each step that is done."""


def chosen(
    way: Way,
    examples: Sequence[Example],
    seed: int,
    minutes: float,
    seconds: Seconds,
    done: Done,
) -> Settings:
    """The settings by that way; `search` and `autotune` look for so many minutes."""
    match way:
        case "usual":
            return usual(len(examples))
        case "reference":
            return dict(REFERENCE)
        case "autotune":
            return _autotuned(examples, seed, minutes)
        case "search":
            return _searched(examples, seed, minutes * 60, seconds, done)


def candidates(rows: int) -> Iterator[Settings]:
    """Settings worth trying, the most promising first."""
    base = usual(rows)
    yield base
    yield {**base, "minn": 0, "maxn": 0, "lr": 0.3, "epoch": max(base["epoch"] // 2, 5)}
    yield {**base, "minn": 4, "maxn": 6}
    yield {**base, "epoch": base["epoch"] * 2, "lr": USUAL["lr"] / 2}
    yield {**base, "wordNgrams": 3}
    yield {**base, "minCount": 2}
    yield {**base, "lr": USUAL["lr"] * 2}
    yield {**base, "dim": 16, "bucket": USUAL["bucket"] // 2}
    yield {**base, "wordNgrams": 1}
    yield {**base, "minn": 3}


def _searched(
    examples: Sequence[Example], seed: int, within: float, seconds: Seconds, done: Done
) -> Settings:
    begun, best, found = seconds(), -1.0, usual(len(examples))
    for settings in candidates(len(examples)):
        score = _score(examples, settings, seed)
        told = ", ".join(f"{name} {value}" for name, value in settings.items())
        done(f"PR-AUC {score:.4f} with {told}")
        if score > best:
            best, found = score, settings
        if seconds() - begun >= within:
            break
    return found


def _score(examples: Sequence[Example], settings: Settings, seed: int) -> float:
    if len(examples) <= MOST_ALONE:
        unseen = cross_validated(examples, settings, seed)
    else:
        seen, rest = divided(examples, seed)
        unseen = held_out(fit(seen, settings, seed), rest)
    return pr_auc(unseen.judged) or 0.0


def _autotuned(examples: Sequence[Example], seed: int, minutes: float) -> Settings:
    seen, rest = divided(examples, seed)
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "asked.txt")
        write(rest, asked)
        try:
            model = fit(
                seen,
                _FIXED,
                seed,
                autotuneValidationFile=str(asked),
                autotuneDuration=max(round(minutes * 60), 1),
            )
        except RuntimeError:
            raise Refused(
                f"fastText found no settings in {minutes:g} minutes: give it more with --minutes."
            ) from None
    tuned = model.f.getArgs()
    return {name: getattr(tuned, name) for name in _TUNED}


def divided(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """The examples to learn from, and a share of both labels to be judged by."""
    seen, rest = train_test_split(
        examples, test_size=HELD_OUT, random_state=seed, stratify=truths(examples)
    )
    return seen, rest
