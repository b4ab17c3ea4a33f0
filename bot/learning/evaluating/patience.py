"""A classifier that is asked again while it does not answer: nobody's post waits for it here."""

from collections.abc import Callable, Sequence
from typing import Final

from bot.errors import Retryable, Unknown
from bot.learning.evaluating.evaluation import AT_ONCE
from bot.local.files import chunks
from bot.verdicts import AroundClassifier, Classifier

WAITS: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between tries; an endpoint that scales or loads its model needs about a minute."""
LONGEST_WAIT: Final = 60.0


class PatientClassifier(AroundClassifier):
    """`bot.verdicts.Classifier` over another, asked for `AT_ONCE` texts at a time.

    What failed and may work later is asked again after each of `WAITS`, then it fails for good.
    """

    def __init__(self, inner: Classifier, wait: Callable[[float], None]) -> None:
        super().__init__(inner)
        self._wait = wait

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        """See `bot.verdicts.Classifier`."""
        return [one for chunk in chunks(texts, AT_ONCE) for one in self._asked(chunk)]

    def _asked(self, texts: Sequence[str]) -> list[float | None]:
        for pause in WAITS:
            try:
                return self.inner.probabilities(texts)
            except (Retryable, Unknown) as failure:
                wished = (isinstance(failure, Retryable) and failure.after) or 0.0
                self._wait(min(max(pause, wished), LONGEST_WAIT))
        return self.inner.probabilities(texts)
