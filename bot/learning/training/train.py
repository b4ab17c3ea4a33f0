"""Training: labelled posts in, one artifact out, with its calibration, threshold and card."""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bot.classifier.archive import pack
from bot.classifier.artifact import BINARY, Description
from bot.errors import Refused
from bot.frozen import frozen
from bot.learning.labelled import Labelled
from bot.learning.metrics import figures
from bot.learning.training import aims, card, choosing
from bot.learning.training.choosing import Done, Seconds, Way
from bot.learning.training.examples import Example, Prepared, check, prepared
from bot.learning.training.fitting import (
    FOLDS,
    MOST_ALONE,
    Settings,
    Unseen,
    cross_validated,
    fit,
    held_out,
)
from bot.learning.training.scaling import platt, scaled
from bot.normalize import EMOJI, tokens

TOLD: Final = (
    "rows",
    "accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "pr_auc",
    "calibration_error",
)
"""The figures that a description repeats outside its card."""
NAME: Final = "own"


@frozen
class Plan:
    """How a model is to be trained; `minutes` is for the ways that look for settings.

    A model without a name is called by what it became: two of them are told apart.
    """

    name: str | None = None
    normalizer: str = EMOJI
    settings: Way = "usual"
    minutes: float = 5.0
    aim: aims.Aim = field(default_factory=aims.usual)
    seed: int = 0


@frozen
class Surroundings:
    """The time, a clock for how long something takes, and who is told of each step done."""

    now: Callable[[], datetime]
    seconds: Seconds
    done: Done = lambda _: None


@frozen
class Trained:
    """A fastText model and what is known of it."""

    model: Any
    description: Description

    def pack(self, archive: Path) -> None:
        """Writes the artifact, whole or not at all, and leaves nothing else behind."""
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=archive.parent) as folder:
            binary, whole = Path(folder, BINARY), Path(folder, archive.name)
            self.model.save_model(str(binary))
            pack(binary, self.description, whole)
            whole.replace(archive)


def train(
    rows: Sequence[Labelled],
    sources: Sequence[card.Source],
    plan: Plan,
    around: Surroundings,
    agents_words: int = 0,
) -> Trained:
    """Trains on these rows, which come from these sources; so many of them are agents' labels.

    Calibration, threshold and figures come from posts that the model judging them had not seen:
    by cross-validation, or, of more than 100,000 examples, from a fifth that is left out. Raises
    `Refused` where the rows cannot be learnt from.
    """
    ready = prepared(rows, plan.normalizer, plan.seed)
    check(ready.examples, len(rows))
    settings = choosing.chosen(
        plan.settings, ready.examples, plan.seed, plan.minutes, around.seconds, around.done
    )
    fitted = _fitted(ready, settings, plan.seed, around.done)
    story = {
        "made": around.now().isoformat(timespec="seconds"),
        "data": {**card.data(rows, ready, sources), "agents": agents_words},
        "settings": {"by": plan.settings, "seed": plan.seed, **settings},
    }
    named = replace(plan, name=plan.name or _called(fitted.model))
    described = description(named, fitted.unseen, fitted.measured, story, card.of_all(sources))
    return Trained(fitted.model, described)


def _called(model: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder, BINARY)
        model.save_model(str(binary))
        return f"{NAME}-{hashlib.sha256(binary.read_bytes()).hexdigest()[:6]}"


@frozen
class _Fitted:
    """A model, what it has not seen, and how it was measured."""

    model: Any
    unseen: Unseen
    measured: str


def _fitted(ready: Prepared, settings: Settings, seed: int, done: Done) -> _Fitted:
    examples = ready.examples
    if len(examples) > MOST_ALONE:
        # Others than those by which settings were chosen, for the same reason as below.
        seen, rest = choosing.divided(examples, seed + 1)
        model = fit(seen, settings, seed)
        done("fitted")
        measured = f"on the {choosing.HELD_OUT:.0%} of it that was not learnt from"
        return _Fitted(model, held_out(model, rest), measured)
    # Other folds than the search's: what was chosen by those looks too good on them.
    unseen = cross_validated(examples, settings, seed + 1, lambda: done("a fold"))
    model = fit(examples, settings, seed)
    done("fitted")
    return _Fitted(model, unseen, f"by cross-validation in {FOLDS} folds")


def description(
    plan: Plan, unseen: Unseen, measured: str, story: dict[str, Any], data: str
) -> Description:
    """What `model.json` says of a model by what was said of posts it had not seen.

    `measured` tells how, `story` is the beginning of its card, `data` the hash of what it learnt
    from.
    """
    scaling = platt(unseen.judged)
    judged = scaled(unseen.judged, scaling)
    threshold = plan.aim.threshold(judged)
    found = card.rounded(figures(judged, threshold))
    return Description(
        name=plan.name or NAME,
        normalizer=plan.normalizer,
        threshold=threshold,
        calibration=scaling,
        metrics={name: found[name] for name in TOLD},
        data=data,
        card={
            **story,
            "aim": plan.aim.says,
            "measured": measured,
            "figures": found,
            "failures": card.failures(unseen.examples, judged, threshold),
            "baseline": card.baseline(judged, unseen.unknown, threshold),
        },
    )


def examined(made: Trained, asked: Sequence[Labelled]) -> Trained:
    """The same model, with what it says of a test set on its card.

    Raises `Refused` where the set has no word in it.
    """
    described = made.description
    # Each row as it comes, as `evaluate` counts them: a day has its repetitions, too.
    texts = ((tokens(row.text, described.normalizer), row.escalate) for row in asked)
    examples = [Example(text, escalate) for text, escalate in texts if text]
    if not examples:
        raise Refused("The test set has no text with a word in it: nothing can be measured by it.")
    judged = scaled(held_out(made.model, examples).judged, described.calibration or (1.0, 0.0))
    threshold = aims.USUAL if described.threshold is None else described.threshold
    found = card.rounded(figures(judged, threshold))
    test = {name: found[name] for name in TOLD}
    return replace(made, description=replace(described, card={**described.card, "test": test}))
