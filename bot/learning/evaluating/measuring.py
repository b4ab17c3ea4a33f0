"""From labelled posts and one model or two to the report of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.frozen import frozen
from bot.learning.evaluating.comparing import compared
from bot.learning.evaluating.evaluation import (
    Evaluation,
    Progress,
    Said,
    evaluated,
    said_of,
    truths_of,
)
from bot.learning.evaluating.mistakes import mistakes
from bot.learning.evaluating.resampling import SEED, Drawn, between, drawn
from bot.learning.labelled import Labelled
from bot.learning.reporting import prose
from bot.learning.reporting.told import Report, Result
from bot.learning.training.card import Source
from bot.verdicts import Classifier


@frozen
class Candidate:
    """A classifier, and the threshold it is judged at; None for its own.

    `learnt_from` holds the SHA-256 of files that it was trained on, as far as that is known.
    """

    classifier: Classifier
    threshold: float | None = None
    learnt_from: frozenset[str] = frozenset()


def measured(
    rows: Sequence[Labelled],
    sources: Sequence[Source],
    candidates: Sequence[Candidate],
    miss_costs: float,
    progress: Progress = lambda _: None,
) -> Report:
    """The report of the first candidate, which a second one is compared with.

    There must be at least one row. Raises what `said_of` raises.
    """
    said = _told_apart(
        [said_of(rows, one.classifier, one.threshold, progress) for one in candidates]
    )
    truths = truths_of(rows)
    draws = drawn(truths, said)
    results = [
        _result(evaluated(rows, one, miss_costs), draws, place) for place, one in enumerate(said)
    ]
    first = results[0].evaluation
    return Report(
        sources=tuple(sources),
        result=results[0],
        mistakes=tuple(mistakes(rows, said[0], candidates[0].classifier)),
        cautions=(*_seen_before(candidates, sources), *prose.cautions(first)),
        seed=SEED,
        draws=draws.draws if draws else 0,
        against=results[1] if results[1:] else None,
        comparison=compared(truths, said[0], said[1], draws) if said[1:] else None,
    )


def _seen_before(candidates: Sequence[Candidate], sources: Sequence[Source]) -> Iterator[str]:
    for one in candidates:
        names = ", ".join(file.name for file in sources if file.sha256 in one.learnt_from)
        if names:
            yield prose.seen_before(one.classifier.model, names)


def _told_apart(said: Sequence[Said]) -> list[Said]:
    """Two models of one name are two models all the same."""
    first, *others = said
    same = [other.model == first.model for other in others]
    return [first] + [
        replace(other, model=f"{other.model} (--against)") if alike else other
        for other, alike in zip(others, same, strict=True)
    ]


def _result(evaluation: Evaluation, draws: Drawn | None, place: int) -> Result:
    if draws is None:
        return Result(evaluation, None, None)
    return Result(
        evaluation,
        between(draws.f1[place], draws.f1_drawn[:, place]),
        between(draws.pr_auc[place], draws.pr_auc_drawn[:, place]),
    )
