"""How well probabilities and verdicts agree with what people said, in figures."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from bot.frozen import frozen

BINS: Final = 10
"""Of equal width, over which calibration is measured."""


@frozen
class Judged:
    """Probabilities of *escalate*, 0 to 1, and beside each what people said."""

    probabilities: NDArray[np.float64]
    truths: NDArray[np.bool_]

    @property
    def both_sides(self) -> bool:
        """Whether people said both: figures of rank need that."""
        return bool(self.truths.any() and not self.truths.all())


@frozen
class Figures:
    """What is counted at a threshold, and what holds over all thresholds.

    `f1`, `precision` and `recall` are of *escalate*; `roc_auc` and `pr_auc` are None where people
    said one side only; `calibration_error` is the expected calibration error. `hits` and `misses`
    are people who needed us, `alarms` those who did not and `passed` the rest.
    """

    rows: int
    threshold: float
    accuracy: float
    precision: float
    recall: float
    f1: float
    macro_f1: float
    roc_auc: float | None
    pr_auc: float | None
    calibration_error: float
    hits: int
    misses: int
    alarms: int
    passed: int


def figures(judged: Judged, threshold: float) -> Figures:
    """All figures of judgements, of which there must be at least one."""
    truths, said = judged.truths, judged.probabilities >= threshold
    passed, alarms, misses, hits = confusion_matrix(truths, said, labels=[False, True]).ravel()
    return Figures(
        rows=len(truths),
        threshold=threshold,
        accuracy=float(accuracy_score(truths, said)),
        precision=float(precision_score(truths, said, zero_division=0.0)),
        recall=float(recall_score(truths, said, zero_division=0.0)),
        f1=float(f1_score(truths, said, zero_division=0.0)),
        macro_f1=float(f1_score(truths, said, average="macro", zero_division=0.0)),
        roc_auc=roc_auc(judged),
        pr_auc=pr_auc(judged),
        calibration_error=calibration_error(judged),
        hits=int(hits),
        misses=int(misses),
        alarms=int(alarms),
        passed=int(passed),
    )


def roc_auc(judged: Judged) -> float | None:
    """The probability that who needed us ranks above who did not; None where one side is empty."""
    if not judged.both_sides:
        return None
    return float(roc_auc_score(judged.truths, judged.probabilities))


def pr_auc(judged: Judged) -> float | None:
    """Average precision over all recalls; None where one side is empty."""
    if not judged.both_sides:
        return None
    return float(average_precision_score(judged.truths, judged.probabilities))


def calibration_error(judged: Judged) -> float:
    """Expected calibration error: by how much probabilities miss the share that was true.

    Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning" (2015), section "Calibration measures".
    """
    at = bins(judged.probabilities)
    promised = np.bincount(at, judged.probabilities, BINS)
    true = np.bincount(at, judged.truths.astype(np.float64), BINS)
    return float(np.abs(promised - true).sum() / len(at))


def bins(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """In which of the bins each probability lies, 0 to `BINS` - 1."""
    return np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)


def shares(probabilities: NDArray[np.float64]) -> list[float]:
    """Which share of the probabilities lies in each bin."""
    counted = np.bincount(bins(probabilities), minlength=BINS)
    return [round(float(share), 4) for share in counted / max(len(probabilities), 1)]
