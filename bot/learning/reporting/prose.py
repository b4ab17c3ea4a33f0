"""What figures mean, in sentences for somebody who is no statistician."""

from typing import Final

from bot.learning.evaluating.comparing import Comparison
from bot.learning.evaluating.costs import NEARLY, PER, Cost
from bot.learning.evaluating.evaluation import Evaluation
from bot.learning.evaluating.resampling import Between
from bot.learning.evaluating.slices import Share
from bot.learning.reporting.told import Result

FEW: Final = 200
"""Posts, below which figures say little."""
_WORD_KEPT: Final = 0.025
_ROUGHLY: Final = 0.06
"""Calibration errors: what counts as well calibrated, and what nobody would notice at work."""
_MANY_UNKNOWN: Final = 0.02
_NEARLY_ALL: Final = 900
"""Cards of 1,000 posts."""
_RARE: Final = 0.001


def percent(share: float) -> str:
    """A share for people to read; what is nearly all or none is not rounded to it."""
    digits = 1 if 0 < share < 0.01 or 0.99 < share < 1 else 0  # noqa: PLR2004
    return f"{share * 100:.{digits}f} %"


def shared(share: Share | None) -> str:
    """A share with its interval."""
    if share is None:
        return "none to tell of"
    return f"{percent(share.value)} ({share.low * 100:.0f} to {share.high * 100:.0f})"


def figure(value: float | None) -> str:
    """A figure from 0 to 1."""
    return "cannot be told" if value is None else f"{value:.3f}"


def interval(found: Between | Share | None) -> str:
    """From where to where."""
    return f"({found.low:.3f} to {found.high:.3f})" if found else ""


def counted(number: int, thing: str) -> str:
    """So many of a thing: 1 post, 2 posts."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def cautions(found: Evaluation) -> list[str]:
    """What the reader must know before any figure."""
    rows, needing, said = found.figures.rows, found.needing, []
    if not 0 < needing < rows:
        side = "needed a person" if needing else "did not need a person"
        every = "The one post" if rows == 1 else f"All {rows:,} posts"
        said.append(
            f"{every} {side}. How well the model tells the two apart cannot be seen "
            "from one side: add posts of the other."
        )
    if rows < FEW:
        there = "There is" if rows == 1 else "There are"
        said.append(
            f"{there} only {counted(rows, 'post')}. Chance alone moves every figure here by many "
            f"points: judge nothing by them, and label at least {FEW}."
        )
    elif 0 < min(needing, rows - needing) < FEW // 4:
        fewer = "needed a person" if needing < rows - needing else "did not need a person"
        said.append(
            f"Only {min(needing, rows - needing):,} of {rows:,} posts {fewer}: what is said of "
            "them is uncertain, as the brackets show."
        )
    if found.unknown >= rows * _MANY_UNKNOWN:
        said.append(_unknown(found))
    return said


def _unknown(found: Evaluation) -> str:
    if found.unknown == 1:
        needed = "needed" if found.unknown_needing else "did not need"
        return (
            f"1 post has no word that the model knows (it {needed} a person). It becomes a card by "
            "rule, and is counted so."
        )
    return (
        f"{found.unknown:,} posts have no word that the model knows ({found.unknown_needing:,} of "
        "them needed a person). They become cards by rule, and are counted so."
    )


def seen_before(model: str, names: str) -> str:
    """A model is measured on what it has learnt from."""
    return (
        f"{model} has learnt from {names}. It is right about posts that it has seen before more "
        "often than about new ones: measure it on others."
    )


def advice(evaluation: Evaluation) -> str:
    """Whether another threshold would be cheaper."""
    found = evaluation.costs
    now, best = found.now, found.cheapest
    if not 0 < evaluation.needing < evaluation.figures.rows:
        return "Posts of one side alone say nothing about where the threshold belongs."
    low, high = found.near
    if now.cost <= best.cost * NEARLY:
        return f"The threshold in force, {now.threshold:.2f}, is as good as any on these posts."
    near = " That is nearly every post." if best.cards > _NEARLY_ALL else ""
    near += f" Anything from {low:.2f} to {high:.2f} is nearly as good." if low < high else ""
    return (
        f"At {now.threshold:.2f}, in force, {_brings(now)}. Cheapest on these posts would be "
        f"{best.threshold:.2f}: {_brings(best)}.{near}"
    )


def _brings(cost: Cost) -> str:
    missed = round(cost.missed)
    people = "1 person is" if missed == 1 else f"{missed:,} people are"
    return (
        f"{PER:,} posts make {counted(round(cost.cards), 'card')}, {cost.needless:,.0f} of them "
        f"needless, and {people} missed"
    )


def believed(evaluation: Evaluation) -> str:
    """What the calibration error means at work."""
    error = evaluation.figures.calibration_error
    if evaluation.figures.rows < FEW:
        return "There are too few posts to tell."
    points = f"{error * 100:.1f} points"
    if error <= _WORD_KEPT:
        return f"Yes: on average they are off by {points}."
    if error <= _ROUGHLY:
        return f"Roughly: on average they are off by {points}."
    return (
        f"No: on average they are off by {points}. Take them as an order, from the least to the "
        "most likely, and choose the threshold by the cards it makes and the people it misses."
    )


def outcome(found: Comparison) -> list[str]:
    """What the paired test and the two differences say."""
    said = [
        (
            f"{found.one} alone is right about {counted(found.only_one, 'post')}, "
            f"{found.other} alone about {found.only_other:,}. {_chance(found.p_value)}"
        )
    ]
    told = (("F1", found.f1), ("PR-AUC", found.pr_auc))
    return said + [_apart(name, found.one, between) for name, between in told if between]


def _apart(name: str, model: str, difference: Between) -> str:
    if difference.low == difference.value == difference.high:
        return f"{name} of {model} is the same."
    way = "higher" if difference.value > 0 else "lower"
    reach = f"{difference.low:+.3f} to {difference.high:+.3f}"
    shown = "" if difference.low > 0 or difference.high < 0 else ", so perhaps not at all"
    return f"{name} of {model} is {abs(difference.value):.3f} {way} ({reach}{shown})."


def _chance(p_value: float) -> str:
    often = "less than once" if p_value < _RARE else f"{p_value * 1000:.0f} times"
    return f"If they were equally good, chance would part them so unevenly {often} in 1,000."


def measures(result: Result) -> list[tuple[str, str, str, str]]:
    """Each figure: its name, its value, its interval, and what it means."""
    found, one = result.evaluation, result.evaluation.figures
    rate = found.needing / one.rows
    lazy = max(rate, 1 - rate)
    rows: list[tuple[str, float | None, Between | Share | None, str]] = [
        ("Recall", one.recall, found.recall, "Of those who needed a person, who got a card."),
        ("Precision", one.precision, found.precision, "Of the cards, those that were needed."),
        ("F1 of escalate", one.f1, result.f1, "Both in one number; 1 is without a fault."),
        (
            "Accuracy",
            one.accuracy,
            found.accuracy,
            f"Judged rightly. Saying the same of every post would reach {lazy:.3f}.",
        ),
        ("Macro-F1", one.macro_f1, None, "F1 of both sides, each counting the same."),
        (
            "ROC-AUC",
            one.roc_auc,
            None,
            "How often who needed us is scored above who did not; guessing reaches 0.500.",
        ),
        (
            "PR-AUC",
            one.pr_auc,
            result.pr_auc,
            f"Precision, averaged over all recalls; guessing reaches {rate:.3f}.",
        ),
        (
            "Calibration error",
            one.calibration_error,
            None,
            "By how much its percentages miss what comes true, on average; 0 is best.",
        ),
    ]
    return [(name, figure(value), interval(between), says) for name, value, between, says in rows]
