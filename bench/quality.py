"""`python -m bench.quality FILE`: our training against the reference's and a stronger model."""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline, make_union

from bench.measures import seconds
from bot.learning.labelled import labelled
from bot.learning.metrics import Judged, figures
from bot.learning.training.examples import Example, prepared
from bot.learning.training.fitting import (
    REFERENCE,
    Settings,
    cross_validated,
    fit,
    held_out,
    truths,
    usual,
)
from bot.learning.training.scaling import platt, scaled
from bot.normalize import EMOJI, PLAIN

SEEDS = range(5)
SMALL = 1_900
SHOWN = {
    "pr_auc": "PR-AUC",
    "roc_auc": "ROC-AUC",
    "f1": "F1",
    "accuracy": "accuracy",
    "calibration_error": "calibration error",
}


@dataclass(frozen=True, slots=True)
class Result:
    """One model on one split: figures by name, its megabytes, seconds to judge the test part."""

    found: dict[str, float]
    megabytes: float
    spent: float


def own(seen: Sequence[Example], asked: Sequence[Example], seed: int) -> Result:
    """By the usual settings, calibrated by cross-validation over what is learnt from."""
    settings = usual(len(seen))
    scaling = platt(cross_validated(seen, settings, seed + 1).judged)
    model = fit(seen, settings, seed)
    said: list[Judged] = []
    spent = seconds(lambda: said.append(scaled(held_out(model, asked).judged, scaling)))
    return Result(shown(said[0]), size(model), spent)


def reference(seen: Sequence[Example], asked: Sequence[Example], seed: int) -> Result:
    """By the reference's settings; it calibrates nothing."""
    model = fit(seen, REFERENCE, seed)
    said: list[Judged] = []
    spent = seconds(lambda: said.append(held_out(model, asked).judged))
    return Result(shown(said[0]), size(model), spent)


def tfidf(seen: Sequence[Example], asked: Sequence[Example], seed: int) -> Result:
    """Words, pairs of words and parts of words by TF-IDF, with logistic regression."""
    words = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True)  # noqa: S106
    parts = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2)
    regression = LogisticRegression(C=3, max_iter=1000, random_state=seed)
    model = make_pipeline(make_union(words, parts), regression)
    model.fit([one.tokens for one in seen], truths(seen))
    texts = [one.tokens for one in asked]
    said: list[Any] = []
    spent = seconds(lambda: said.append(model.predict_proba(texts)[:, 1]))
    return Result(shown(Judged(said[0], truths(asked))), 0.0, spent)


def shown(judged: Judged) -> dict[str, float]:
    found = asdict(figures(judged, 0.5))
    return {name: found[name] for name in SHOWN}


def size(model: Any) -> float:
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.bin")
        model.save_model(str(path))
        return path.stat().st_size / 1e6


def parts(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    seen, asked = train_test_split(
        examples, test_size=0.2, random_state=seed, stratify=truths(examples)
    )
    return seen, asked


def small(examples: Sequence[Example], settings: Settings | None) -> Iterator[float]:
    """F1 in cross-validation over so many rows, for each draw of them."""
    for seed in SEEDS:
        drawn, _ = train_test_split(
            examples, train_size=SMALL, random_state=seed, stratify=truths(examples)
        )
        judged = cross_validated(drawn, settings or usual(len(drawn)), seed).judged
        yield shown(judged)["f1"]


def row(name: str, results: Sequence[Result], pace: float) -> str:
    found = [f"{fmean(one.found[key] for one in results):.4f}" for key in SHOWN]
    megabytes = f"{max(one.megabytes for one in results):.1f}" if results[0].megabytes else "-"
    return f"| {name} | {' | '.join(found)} | {megabytes} | {pace:.1f} |"


def run() -> None:
    given = ArgumentParser(prog="python -m bench.quality", description=__doc__)
    given.add_argument("file", type=Path, help="CSV with the columns text and label or escalate")
    rows = labelled([given.parse_args().file])
    ours, plain = (prepared(rows, normalizer).examples for normalizer in (EMOJI, PLAIN))
    print(f"{len(ours):,} texts, 80/20, mean of the seeds {list(SEEDS)}, threshold 0.5")
    results: dict[str, list[Result]] = {}
    for seed in SEEDS:
        seen, asked = parts(ours, seed)
        results.setdefault("ours", []).append(own(seen, asked, seed))
        results.setdefault("reference", []).append(reference(*parts(plain, seed), seed))
        results.setdefault("TF-IDF, logistic regression", []).append(tfidf(seen, asked, seed))
    slowest = np.median([one.spent for one in results["TF-IDF, logistic regression"]])
    print(f"| model | {' | '.join(SHOWN.values())} | MB | times as fast |\n|---{'|---' * 7}|")
    for name, found in results.items():
        print(row(name, found, float(slowest / np.median([one.spent for one in found]))))
    print(f"\nF1 in cross-validation over {SMALL:,} rows, mean of {len(SEEDS)} draws:")
    print(f"ours {fmean(small(ours, None)):.3f}, reference {fmean(small(plain, REFERENCE)):.3f}")


if __name__ == "__main__":
    run()
