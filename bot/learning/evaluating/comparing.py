"""Two models on the same posts: whether one is better, or nothing shows that it is."""

from typing import Final, Literal

from scipy.stats import binomtest

from bot.frozen import frozen
from bot.learning.evaluating.costs import Numbers
from bot.learning.evaluating.evaluation import Said
from bot.learning.evaluating.resampling import Between, Drawn, between
from bot.learning.evaluating.slices import Flags

LOOKS: Final = 3
CHANCE: Final = 0.05 / LOOKS
"""A difference that chance alone brings less often than this is one.

Verdicts, F1 and PR-AUC are looked at; each of three gets its share of one error in twenty
(Bonferroni's correction).
"""

Side = Literal["one", "other"]


@frozen
class Comparison:
    """`one` model and `other`, each at its own threshold.

    `only_one` and `only_other` count the posts that one alone judged rightly; `p_value` is how
    often chance would share them out so unevenly (McNemar's exact test: Psychometrika 12 (1947),
    153-157). The differences are of `one` over `other`, None where people said one side only.
    """

    one: str
    other: str
    rows: int
    only_one: int
    only_other: int
    p_value: float
    f1: Between | None
    pr_auc: Between | None

    @property
    def better(self) -> Side | None:
        """Who is better in something that is shown, and in nothing shown to be worse."""
        sides = {side for side in (self._right, _side(self.f1), _side(self.pr_auc)) if side}
        return sides.pop() if len(sides) == 1 else None

    @property
    def at_odds(self) -> bool:
        """Whether each is shown to be better in something."""
        return len({self._right, _side(self.f1), _side(self.pr_auc)} - {None}) > 1

    @property
    def sentence(self) -> str:
        """The outcome in plain words."""
        if self.at_odds:
            return (
                f"Each is better at something: compare {self.one} and {self.other} line by line, "
                "and look whether another threshold would settle it."
            )
        names = {"one": self.one, "other": self.other}
        return f"{names[self.better]} is better." if self.better else "No difference is shown."

    @property
    def _right(self) -> Side | None:
        if self.p_value >= CHANCE:
            return None
        return "one" if self.only_one > self.only_other else "other"


def compared(truths: Flags, one: Said, other: Said, draws: Drawn | None) -> Comparison:
    """The comparison; `draws` are those of `[one, other]`, in this order."""
    right, others = one.escalates == truths, other.escalates == truths
    only_one, only_other = int((right & ~others).sum()), int((others & ~right).sum())
    apart = only_one + only_other
    return Comparison(
        one=one.model,
        other=other.model,
        rows=len(truths),
        only_one=only_one,
        only_other=only_other,
        p_value=float(binomtest(only_one, apart).pvalue) if apart else 1.0,
        f1=_difference(draws.f1, draws.f1_drawn) if draws else None,
        pr_auc=_difference(draws.pr_auc, draws.pr_auc_drawn) if draws else None,
    )


def _difference(values: Numbers, draws: Numbers) -> Between:
    return between(float(values[0] - values[1]), draws[:, 0] - draws[:, 1], 1 - CHANCE)


def _side(difference: Between | None) -> Side | None:
    if difference is None or difference.low <= 0 <= difference.high:
        return None
    return "one" if difference.low > 0 else "other"
