"""A neighbour that does not answer is left alone for a while, then asked once.

Martin Fowler, "CircuitBreaker" (martinfowler.com/bliki); the state is this process's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.ports import Clock
from bot.verdicts import AroundClassifier, Classifier

FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(seconds=60)


@dataclass(slots=True)
class Breaker:
    """Says when a neighbour may be asked; told what became of each call."""

    wait: timedelta = FIRST_WAIT
    spared_until: datetime | None = None
    """None while it answers."""
    reason: str = ""

    def seconds_left(self, now: datetime) -> float:
        """For how long nobody may ask; 0 for whoever may ask now, who is then the only one."""
        if self.spared_until is None:
            return 0
        if now < self.spared_until:
            return (self.spared_until - now).total_seconds()
        # Until it is known what becomes of this call, the others wait; two threads that come in
        # the same instant may both ask.
        self.spared_until = now + self.wait
        return 0

    def answered(self) -> None:
        """The neighbour is there."""
        self.spared_until, self.wait = None, FIRST_WAIT

    def failed(self, failure: Failure, now: datetime) -> None:
        """A call failed by the neighbour; it is left alone as long as it asks, within limits."""
        asked = timedelta(seconds=(isinstance(failure, Retryable) and failure.after) or 0)
        self.spared_until = now + min(max(self.wait, asked), LONGEST_WAIT)
        self.wait = min(self.wait * 2, LONGEST_WAIT)
        self.reason = str(failure)


class SparedClassifier(AroundClassifier):
    """`bot.verdicts.Classifier` that spares another one which does not answer."""

    def __init__(self, classifier: Classifier, clock: Clock) -> None:
        super().__init__(classifier)
        self._clock = clock
        self._breaker = Breaker()

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        """See `bot.verdicts.Classifier`; `Retryable` at once while the other is left alone."""
        left = self._breaker.seconds_left(self._clock())
        if left:
            raise Retryable(
                f"{self.model} is not asked for {left:.0f} s, because it failed: "
                f"{self._breaker.reason}",
                left,
            )
        try:
            found = self.inner.probabilities(texts)
        except Failure as failure:
            if _concerns_all(failure):
                self._breaker.failed(failure, self._clock())
            else:
                self._breaker.answered()
            raise
        self._breaker.answered()
        return found


def _concerns_all(failure: Failure) -> bool:
    """Whether it is the neighbour that failed, and not the text it was asked about."""
    if isinstance(failure, Permanent):
        return failure.mendable
    return isinstance(failure, Retryable | Unknown)
