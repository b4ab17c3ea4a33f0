"""All that a report tells."""

from bot.frozen import frozen
from bot.learning.evaluating.comparing import Comparison
from bot.learning.evaluating.evaluation import Evaluation
from bot.learning.evaluating.mistakes import Mistake
from bot.learning.evaluating.resampling import Between
from bot.learning.training.card import Source


@frozen
class Result:
    """A model's figures; the intervals are None where people said one side only."""

    evaluation: Evaluation
    f1: Between | None
    pr_auc: Between | None


@frozen
class Report:
    """All that is told; `draws` is how often the bootstrap drew, from `seed` on."""

    sources: tuple[Source, ...]
    result: Result
    mistakes: tuple[Mistake, ...]
    cautions: tuple[str, ...]
    seed: int
    draws: int
    against: Result | None = None
    comparison: Comparison | None = None
