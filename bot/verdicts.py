"""What a classifier says of a text."""

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from bot.errors import Failure
from bot.frozen import frozen
from bot.normalize import tokens


@frozen
class Weight:
    """A word, or a pair of neighbours, and what it adds to the probability of *escalate*.

    The weight is negative where it takes away.
    """

    words: str
    weight: float


@frozen
class Verdict:
    """A classifier's word on one text.

    `probability` of *escalate*, 0 to 1; `escalate` where it is at or above `threshold`;
    `tokens` is the normalized text; `model` names who said so. `known` is False where the text
    has no word the model knows: the probability is then the threshold itself, so the text
    escalates by the narrowest of margins. `words` are those that moved it, most first, where
    somebody has asked (`bot.explanation`).
    """

    probability: float
    threshold: float
    tokens: str
    model: str
    known: bool = True
    words: tuple[Weight, ...] = ()

    @property
    def escalate(self) -> bool:
        """Whether the text is for a human."""
        return self.probability >= self.threshold

    @property
    def confidence(self) -> float:
        """The probability of the side taken, 0 to 1."""
        return self.probability if self.escalate else 1 - self.probability

    def unsure(self, margin: float) -> bool:
        """Whether the probability lies within `margin` of the threshold."""
        return abs(self.probability - self.threshold) <= margin


class Classifier(Protocol):
    """A text model. What it says of itself holds for its last answer; a hosted one may change."""

    @property
    def model(self) -> str:
        """The model's name, for verdicts and cases."""
        ...

    @property
    def normalizer(self) -> str:
        """The normalizer its training used."""
        ...

    @property
    def threshold(self) -> float | None:
        """The model's own threshold, None where it brings none."""
        ...

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        """The probability of *escalate* for each normalized text, in order.

        None stands for a text of which the model knows no word. Raises `Permanent`, `Retryable`
        or `Unknown`.
        """
        ...


class AroundClassifier:
    """What a classifier around another one says of itself: what `inner` says."""

    def __init__(self, inner: Classifier) -> None:
        self.inner = inner

    @property
    def model(self) -> str:
        """See `Classifier`."""
        return self.inner.model

    @property
    def normalizer(self) -> str:
        """See `Classifier`."""
        return self.inner.normalizer

    @property
    def threshold(self) -> float | None:
        """See `Classifier`."""
        return self.inner.threshold


def line_of(classifier: Classifier, threshold: float | None) -> float:
    """The threshold that holds: that one, else the model's own, else 0.5.

    A classifier that has none of its own to tell yet is asked about a word first.
    """
    if threshold is None and classifier.threshold is None:
        with suppress(Failure):
            classifier.probabilities(["hello"])
    return _line(classifier, threshold)


def judge(texts: Sequence[str], classifier: Classifier, threshold: float | None) -> list[Verdict]:
    """A verdict for each text, in order, by one call to the classifier.

    A second call follows where the first told that the model wants another normalizer.
    `threshold` overrides the model's own; where neither is set it is 0.5. Raises what
    `Classifier.probabilities` raises.
    """
    believed = classifier.normalizer
    normalized, answers = _asked(texts, classifier, believed)
    if classifier.normalizer != believed:
        normalized, answers = _asked(texts, classifier, classifier.normalizer)
    line, told = _line(classifier, threshold), iter(answers)

    def verdict(text: str) -> Verdict:
        probability = next(told) if text else None
        if probability is None or math.isnan(probability):
            return Verdict(line, line, text, classifier.model, known=False)
        return Verdict(min(max(probability, 0.0), 1.0), line, text, classifier.model)

    return [verdict(text) for text in normalized]


def _asked(
    texts: Sequence[str], classifier: Classifier, normalizer: str
) -> tuple[list[str], list[float | None]]:
    normalized = [tokens(text, normalizer) for text in texts]
    asked = [text for text in normalized if text]
    return normalized, classifier.probabilities(asked) if asked else []


def _line(classifier: Classifier, threshold: float | None) -> float:
    return next((t for t in (threshold, classifier.threshold) if t is not None), 0.5)
