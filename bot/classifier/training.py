"""Training a model from labelled tweets, with settings that suit small data."""

import csv
import hashlib
import math
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import fasttext

from bot.classifier.artifact import ANSWER, BINARY, ESCALATE, Description, pack
from bot.classifier.embedded import calibrated, logistic
from bot.errors import Refused
from bot.normalize import EMOJI, tokens

# The reference's settings (10 epochs at a rate of 0.05, words seen five times) underfit below
# some ten thousand rows, and its two million buckets make 80 MB; these were chosen by
# cross-validation over trades on the project's own corpus: each judged by a model that has not
# seen its trade (docs/model.md). One thread, so that a corpus makes one model.
SETTINGS: Final[dict[str, Any]] = {
    "lr": 0.3,
    "wordNgrams": 2,
    "dim": 8,
    "bucket": 200_000,
    "minCount": 1,
    "loss": "softmax",
    "seed": 0,
    "thread": 1,
    "verbose": 0,
}
EPOCHS: Final = (5, 25)
"""At least and at most."""
SEEN: Final = 100_000
"""Examples over all epochs: more gain nothing, and only make the model too sure of itself."""
FOLDS: Final = 5
THRESHOLD: Final = 0.5
FEWEST_ROWS: Final = 50
_CONVERGED: Final = 1e-8
_MOST_STEPS: Final = 100
_TRUE: Final = frozenset({"1", "true", "yes"})
_FALSE: Final = frozenset({"0", "false", "no"})


@dataclass(frozen=True, slots=True)
class Example:
    """A normalized text and whether it is for a human."""

    tokens: str
    escalate: bool


def examples(path: Path) -> list[Example]:
    """The rows of a CSV file with the columns `text` and `escalate` (or `label`).

    Rows without a token are left out. Raises `Refused` where the file cannot be learnt from.
    """
    found: list[Example] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                label = (row.get("escalate") or row.get("label") or "").strip().lower()
                if row.get("text") is None or label not in _TRUE | _FALSE:
                    raise Refused(
                        f"{path}, row {number}: it needs a text, and True or False as escalate."
                    )
                normalized = tokens(row["text"], EMOJI)
                if normalized:
                    found.append(Example(normalized, label in _TRUE))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path} cannot be read as CSV: {error}.") from None
    sides = {example.escalate for example in found}
    if len(found) < FEWEST_ROWS or len(sides) < 2:  # noqa: PLR2004
        raise Refused(f"{path} needs at least {FEWEST_ROWS} rows, and both labels among them.")
    # Files are often sorted by label or topic, which neither folds nor fastText can bear.
    random.Random(0).shuffle(found)  # noqa: S311
    return found


def train(path: Path, archive: Path, name: str) -> Description:
    """Trains on the file's rows, writes the archive and returns its description.

    Calibration and metrics come from cross-validation: every row judged by a model that has not
    seen it. Raises `Refused` where the file cannot be learnt from.
    """
    rows = examples(path)
    judged = _out_of_fold(rows)
    slope, offset = platt(judged)
    scaled = [(calibrated(raw, slope, offset), truth) for raw, truth in judged]
    description = Description(
        name=name,
        normalizer=EMOJI,
        threshold=THRESHOLD,
        calibration=(slope, offset),
        metrics={
            "rows": len(rows),
            "accuracy": round(sum((p >= THRESHOLD) == truth for p, truth in scaled) / len(rows), 4),
            "roc_auc": round(roc_auc(scaled), 4),
        },
        data=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder, BINARY)
        _fit(rows, Path(folder)).save_model(str(binary))
        pack(binary, description, archive)
    return description


def _fit(rows: Sequence[Example], folder: Path) -> Any:
    lines = folder / "train.txt"
    text = (f"{ESCALATE if row.escalate else ANSWER} {row.tokens}\n" for row in rows)
    lines.write_text("".join(text), encoding="utf-8")
    fewest, most = EPOCHS
    epochs = min(max(SEEN // len(rows), fewest), most)
    return fasttext.train_supervised(str(lines), epoch=epochs, **SETTINGS)


def _out_of_fold(rows: Sequence[Example]) -> list[tuple[float, bool]]:
    judged: list[tuple[float, bool]] = []
    with tempfile.TemporaryDirectory() as folder:
        for fold in range(FOLDS):
            seen = [row for at, row in enumerate(rows) if at % FOLDS != fold]
            model = _fit(seen, Path(folder))
            for row in rows[fold::FOLDS]:
                answers = model.f.predict(f"{row.tokens}\n", 2, 0.0, "strict")
                raw = next((p for p, label in answers if label == ESCALATE), 0.0)
                judged.append((raw, row.escalate))
    return judged


def platt(judged: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Slope and offset that fit probabilities to what was true, by Newton's method.

    Targets are drawn in a little, as in Platt's "Probabilistic Outputs for Support Vector
    Machines" (1999), section 2.2, so that separable data gives no endless slope; steps that lead
    uphill are halved, as in Lin, Lin and Weng's note on it (2007).
    """
    yes = sum(truth for _, truth in judged)
    targets = {True: (yes + 1) / (yes + 2), False: 1 / (len(judged) - yes + 2)}
    points = [(_log_odds(raw), targets[truth]) for raw, truth in judged]
    slope, offset = 0.0, _log_odds((yes + 1) / (len(judged) + 2))
    loss = _loss(points, slope, offset)
    for _ in range(_MOST_STEPS):
        down, aside = _newton_step(points, slope, offset)
        # Where nearly all are certain a whole step overshoots, and the next one more so.
        while (reached := _loss(points, slope - down, offset - aside)) > loss:
            down, aside = down / 2, aside / 2
        slope, offset, loss = slope - down, offset - aside, reached
        if abs(down) + abs(aside) < _CONVERGED:
            break
    return round(slope, 6), round(offset, 6)


def _newton_step(
    points: Sequence[tuple[float, float]], slope: float, offset: float
) -> tuple[float, float]:
    g0 = g1 = h01 = 0.0
    h00 = h11 = 1e-9
    for x, target in points:
        p = logistic(slope * x + offset)
        w = p * (1 - p)
        g0, g1 = g0 + (p - target), g1 + (p - target) * x
        h00, h01, h11 = h00 + w, h01 + w * x, h11 + w * x * x
    determinant = h00 * h11 - h01 * h01
    return (h00 * g1 - h01 * g0) / determinant, (h11 * g0 - h01 * g1) / determinant


def _loss(points: Sequence[tuple[float, float]], slope: float, offset: float) -> float:
    lines = ((slope * x + offset, target) for x, target in points)
    return sum(max(z, 0.0) + math.log1p(math.exp(-abs(z))) - target * z for z, target in lines)


def _log_odds(probability: float) -> float:
    certain = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(certain / (1 - certain))


def roc_auc(judged: Sequence[tuple[float, bool]]) -> float:
    """The probability that a random true one ranks above a random false one; ties count half."""
    ranked = sorted(judged)
    rank_sum, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        mean_rank = (at + end + 1) / 2
        rank_sum += mean_rank * sum(truth for _, truth in ranked[at:end])
        at = end
    yes = sum(truth for _, truth in ranked)
    return (rank_sum - yes * (yes + 1) / 2) / (yes * (len(ranked) - yes))
