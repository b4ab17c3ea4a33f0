"""A classifier whose calls are timed, whichever it is."""

import logging
from collections.abc import Callable, Sequence

from bot import telemetry
from bot.errors import Failure
from bot.verdicts import AroundClassifier, Classifier

log = logging.getLogger(__name__)


class TimedClassifier(AroundClassifier):
    """`bot.verdicts.Classifier` over another; `seconds` is a clock that is never put back.

    How long an answer took goes to the log, and a failure is marked as the classifier's.
    """

    def __init__(self, inner: Classifier, seconds: Callable[[], float]) -> None:
        super().__init__(inner)
        self._seconds = seconds

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        """See `bot.verdicts.Classifier`."""
        begun = self._seconds()
        try:
            found = self.inner.probabilities(texts)
        except Failure as failure:
            raise failure.of("classifier") from None
        took = (self._seconds() - begun) * 1000
        extra = {"model": self.model, **telemetry.timed("ClassifierLatency", took)}
        # Below what a person at a laptop sees: it says nothing of any one post.
        log.debug("The classifier judged %d texts.", len(texts), extra=extra)
        return found
