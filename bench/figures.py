"""`python -m bench.figures FILE`: how well the starter model judges tweets it has never seen."""

import csv
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from bot.classifier.embedded import EmbeddedClassifier
from bot.classifier.training import roc_auc
from bot.settings import HOUSE
from bot.verdicts import judge

BINS = 10
TRUE = {"1", "true", "yes"}


def f1(judged: Sequence[tuple[bool, bool]], *, side: bool) -> float:
    """The harmonic mean of precision and recall of one side; pairs are (said, true)."""
    hits = sum(said == true == side for said, true in judged)
    named = sum((said == side) + (true == side) for said, true in judged)
    return 2 * hits / named if named else 0.0


def calibration_error(judged: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error of the probability of *escalate*, in ten bins of equal width.

    Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning" (2015), section "Calibration measures".
    """
    error = 0.0
    for number in range(BINS):
        own = [(p, true) for p, true in judged if min(int(p * BINS), BINS - 1) == number]
        error += abs(sum(p for p, _ in own) - sum(true for _, true in own))
    return error / len(judged)


def run() -> None:
    given = ArgumentParser(prog="python -m bench.figures", description=__doc__)
    given.add_argument("file", type=Path, help="CSV with a text column and a column of labels")
    given.add_argument("--label", default="label", help="the column that is 1 where it escalates")
    given.add_argument("--model", type=Path, default=HOUSE / "build" / "model.tar.gz")
    asked = given.parse_args()
    with asked.file.open(newline="", encoding="utf-8") as file:
        rows = [(row["text"], row[asked.label].lower() in TRUE) for row in csv.DictReader(file)]
    verdicts = judge([text for text, _ in rows], EmbeddedClassifier(asked.model), None)
    judged = [
        (verdict.probability, true) for verdict, (_, true) in zip(verdicts, rows, strict=True)
    ]
    sides = [(verdict.escalate, true) for verdict, (_, true) in zip(verdicts, rows, strict=True)]
    figures = {
        "rows": f"{len(rows):,}",
        "share that escalates": f"{sum(true for _, true in rows) / len(rows):.3f}",
        "ROC-AUC": f"{roc_auc(judged):.3f}",
        "accuracy": f"{sum(said == true for said, true in sides) / len(sides):.3f}",
        "macro-F1": f"{(f1(sides, side=True) + f1(sides, side=False)) / 2:.3f}",
        "F1 of escalate": f"{f1(sides, side=True):.3f}",
        "calibration error": f"{calibration_error(judged):.3f}",
    }
    print("| figure | |\n|---|---|")
    for name, figure in figures.items():
        print(f"| {name} | {figure} |")


if __name__ == "__main__":
    run()
