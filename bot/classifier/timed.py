"""A classifier whose calls are timed, whichever it is."""

import logging
from collections.abc import Callable, Sequence

from bot import telemetry
from bot.errors import Failure
from bot.verdicts import Classifier

log = logging.getLogger(__name__)


class TimedClassifier:
    """`bot.verdicts.Classifier` over another; `seconds` is a clock that is never put back.

    How long an answer took goes to the log, and a failure is marked as the classifier's.
    """

    def __init__(self, inner: Classifier, seconds: Callable[[], float]) -> None:
        self._inner = inner
        self._seconds = seconds

    @property
    def model(self) -> str:
        """See `bot.verdicts.Classifier`."""
        return self._inner.model

    @property
    def normalizer(self) -> str:
        """See `bot.verdicts.Classifier`."""
        return self._inner.normalizer

    @property
    def threshold(self) -> float | None:
        """See `bot.verdicts.Classifier`."""
        return self._inner.threshold

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        """See `bot.verdicts.Classifier`."""
        begun = self._seconds()
        try:
            found = self._inner.probabilities(texts)
        except Failure as failure:
            raise failure.of("classifier") from None
        took = (self._seconds() - begun) * 1000
        extra = {"model": self.model, **telemetry.timed("ClassifierLatency", took)}
        # Below what a person at a laptop sees: it says nothing of any one post.
        log.debug("The classifier judged %d texts.", len(texts), extra=extra)
        return found
