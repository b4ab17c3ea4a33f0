"""fastText fitted to examples: its settings, one model, and what models say of unseen texts."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import fasttext
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from bot.classifier.artifact import ANSWER, ESCALATE
from bot.frozen import frozen
from bot.learning.metrics import Judged
from bot.learning.training.examples import Example

Settings = dict[str, Any]
"""fastText's own names and values (fastText documentation, "List of options")."""

REFERENCE: Final[Settings] = {
    "lr": 0.05,
    "epoch": 10,
    "wordNgrams": 2,
    "dim": 10,
    "bucket": 2_000_000,
    "minCount": 5,
}
"""BlazingText's, as the reference's notebook sets them and leaves the others (SageMaker developer
guide, "BlazingText hyperparameters"). It stops early, fastText does not."""

# Chosen on tweets of two kinds (docs/model.md): parts of five letters carry over to words that were
# never seen; more kinds of parts drown the words themselves; more dimensions gain nothing.
USUAL: Final[Settings] = {
    "lr": 0.1,
    "wordNgrams": 2,
    "minn": 5,
    "maxn": 5,
    "dim": 8,
    "bucket": 200_000,
    "minCount": 1,
}
EPOCHS: Final = (5, 100)
"""At least and at most."""
SEEN: Final = 150_000
"""Examples over all epochs: more gain nothing, and only make the model too sure of itself."""
FOLDS: Final = 5
MOST_ALONE: Final = 100_000
"""Examples up to which one fit runs on one core, so that the same rows make the same model."""

Step = Callable[[], object]
"""Is told of each model that is done."""


def usual(rows: int) -> Settings:
    """The settings for so many rows."""
    fewest, most = EPOCHS
    return {**USUAL, "epoch": min(max(SEEN // rows, fewest), most)}


def fit(examples: Sequence[Example], settings: Settings, seed: int, **more: Any) -> Any:
    """A fastText model of these examples. One that weighs more is shown more often.

    `more` are options of fastText that are no setting of the model, such as those of autotune.
    """
    threads = 1 if len(examples) <= MOST_ALONE else cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder, "examples.txt")
        write(examples, shown)
        fixed = {"loss": "softmax", "verbose": 0, "seed": seed, "thread": threads}
        return fasttext.train_supervised(str(shown), **{**fixed, **settings, **more})


def write(examples: Sequence[Example], path: Path) -> None:
    """Into a file, as fastText and BlazingText read them: a label and tokens a line."""
    with path.open("w", encoding="utf-8") as file:
        for example in examples:
            line = f"{ESCALATE if example.escalate else ANSWER} {example.tokens}\n"
            file.write(line * max(round(example.weight), 1))


@frozen
class Unseen:
    """What was said of texts that the models had not seen, before calibration.

    `examples` are these texts in the order of `judged`; `unknown` is which share of their words
    the models did not know, either.
    """

    examples: Sequence[Example]
    judged: Judged
    unknown: float


def cross_validated(
    examples: Sequence[Example], settings: Settings, seed: int, step: Step = lambda: None
) -> Unseen:
    """Each fold of the examples as judged by a model of the others.

    The folds are fitted beside one another, on as many cores as there are.
    """
    said = np.empty(len(examples))
    known = truths(examples)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)

    def judge(fold: tuple[NDArray[np.int64], NDArray[np.int64]]) -> float:
        seen, unseen = fold
        found = held_out(
            fit([examples[at] for at in seen], settings, seed), [examples[at] for at in unseen]
        )
        said[unseen] = found.judged.probabilities
        step()
        return found.unknown

    with ThreadPoolExecutor(min(FOLDS, cpu_count() or 1)) as pool:
        unknown = list(pool.map(judge, folds.split(np.zeros(len(examples)), known)))
    return Unseen(examples, Judged(said, known), fmean(unknown))


def held_out(model: Any, examples: Sequence[Example]) -> Unseen:
    """The examples as judged by a model that was fitted to others."""
    words = frozenset(model.words)
    asked = [word for example in examples for word in example.tokens.split()]
    unknown = sum(word not in words for word in asked) / max(len(asked), 1)
    said = np.fromiter((_probability(model, one.tokens) for one in examples), np.float64)
    return Unseen(examples, Judged(said, truths(examples)), unknown)


def _probability(model: Any, text: str) -> float:
    # The pybind object's own method, as the embedded classifier asks.
    answers = model.f.predict(f"{text}\n", 2, 0.0, "strict")
    return next((min(p, 1.0) for p, label in answers if label == ESCALATE), 0.0)


def truths(examples: Sequence[Example]) -> NDArray[np.bool_]:
    """What people said of each."""
    return np.fromiter((example.escalate for example in examples), np.bool_, len(examples))
