"""Which words moved a decision: each, and each pair of neighbours, is left out once.

Any classifier can be asked so, and one call answers for a whole batch of texts.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Final

from bot.frozen import frozen
from bot.normalize import EMOJI, tokens
from bot.verdicts import Classifier, Verdict, Weight

MOST_WORDS: Final = 60
"""How many words of a text are tried, from its first on."""
LONGEST: Final = 2_000
"""Characters of tokens: of a longer text its beginning stands for the whole."""
MOST_KEPT: Final = 12
_LEAST: Final = 0.1
_LEAST_SHARE: Final = 0.2
_MORE_THAN_ALONE: Final = 0.25
"""In log-odds, because near certainty no single word moves the probability any more: what moved
less than the first, or than this share of the heaviest, is noise to a reader; a pair is named
where it weighs that much beyond its two words."""
_CERTAIN: Final = 1e-6
_PIECE: Final = re.compile(r"[^\W_]+|[^\w\s]+|_+|\s+")


def explained(verdicts: Sequence[Verdict], classifier: Classifier) -> list[Verdict]:
    """The verdicts with the words and pairs that moved each, those that moved it most first.

    Raises what `Classifier.probabilities` raises.
    """
    trials = [_Trial.of(verdict) for verdict in verdicts]
    asked = [text for trial in trials for text in trial.texts if text]
    answers = iter(classifier.probabilities(asked) if asked else ())
    found: list[Verdict] = []
    for verdict, trial in zip(verdicts, trials, strict=True):
        told = dict(zip(filter(None, trial.texts), answers, strict=False))
        found.append(replace(verdict, words=tuple(islice(_moved(trial, told, verdict), MOST_KEPT))))
    return found


@frozen
class _Trial:
    """A text, and the same without each of its words, and without each pair of neighbours."""

    whole: str
    words: tuple[str, ...]
    without: tuple[str, ...]
    without_pairs: tuple[str, ...]

    @classmethod
    def of(cls, verdict: Verdict) -> "_Trial":
        all_words = verdict.tokens[:LONGEST].split() if verdict.known else []

        def left(start: int, end: int) -> str:
            return " ".join(all_words[:start] + all_words[end:])

        tried = tuple(all_words[:MOST_WORDS])
        return cls(
            whole=" ".join(all_words),
            words=tried,
            without=tuple(left(at, at + 1) for at in range(len(tried))),
            without_pairs=tuple(left(at, at + 2) for at in range(len(tried) - 1)),
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """All that the classifier is asked, the whole text first."""
        return (self.whole, *self.without, *self.without_pairs)


def _moved(trial: _Trial, told: Mapping[str, float | None], verdict: Verdict) -> Iterator[Weight]:
    def answer(text: str) -> float:
        # A text without a word that is known would be judged by the threshold itself.
        probability = told.get(text)
        if probability is None or math.isnan(probability):
            return verdict.threshold
        return probability

    whole = answer(trial.whole)

    def moved(words: str, text: str) -> _Moved:
        left = answer(text)
        # Figures rather than places, as near certainty a weight is small and its sign counts.
        weight = float(f"{whole - left:.3g}")
        return _Moved(Weight(words, weight), _log_odds(whole) - _log_odds(left))

    singles = [moved(*one) for one in zip(trial.words, trial.without, strict=True)]
    pairs = [
        moved(f"{first} {second}", text)
        for (first, second), text in zip(pairwise(trial.words), trial.without_pairs, strict=True)
    ]
    beyond = [
        pair
        for pair, (one, other) in zip(pairs, pairwise(singles), strict=True)
        if abs(pair.log_odds) > abs(one.log_odds) + abs(other.log_odds) + _MORE_THAN_ALONE
    ]
    found = sorted([*singles, *beyond], key=lambda one: -abs(one.log_odds))
    least = max(_LEAST, _LEAST_SHARE * abs(found[0].log_odds)) if found else _LEAST
    strongest: dict[str, Weight] = {}
    for one in found:
        if abs(one.log_odds) >= least:
            strongest.setdefault(one.weight.words, one.weight)
    yield from strongest.values()


@frozen
class _Moved:
    """A word that moved the verdict, and the log-odds it moved it to."""

    weight: Weight
    log_odds: float


def _log_odds(probability: float) -> float:
    certain = min(max(probability, _CERTAIN), 1 - _CERTAIN)
    return math.log(certain / (1 - certain))


@frozen
class Part:
    """A stretch of a text; `weight` is None where nothing in it moved the decision."""

    text: str
    weight: float | None = None


def marked(text: str, words: Sequence[Weight]) -> list[Part]:
    """The text in parts that add up to it, with the words that moved the decision apart."""
    weights = {weight.words: weight.weight for weight in words if " " not in weight.words}
    pairs = {weight.words: weight.weight for weight in words if " " in weight.words}
    pieces = [piece.group() for piece in _PIECE.finditer(text)] if weights or pairs else [text]
    read = [tokens(piece, EMOJI).split() for piece in pieces]
    found: list[float | None] = [
        max((weights[word] for word in own if word in weights), key=abs, default=None)
        for own in read
    ]
    spoken = [at for at, own in enumerate(read) if own]
    spoken_pairs = [
        (first, second, weight)
        for first, second in pairwise(spoken)
        if (weight := pairs.get(f"{read[first][-1]} {read[second][0]}")) is not None
    ]
    for first, second, weight in spoken_pairs:
        for at in (first, second):
            found[at] = max(weight, found[at] or 0.0, key=abs)
    for first, second, weight in spoken_pairs:
        if weight in (found[first], found[second]):  # else a blank would be marked by itself
            found[first + 1 : second] = [weight] * (second - first - 1)
    return _joined(pieces, found)


def _joined(pieces: Sequence[str], weights: Sequence[float | None]) -> list[Part]:
    parts: list[Part] = []
    for piece, weight in zip(pieces, weights, strict=True):
        if parts and parts[-1].weight == weight:
            parts[-1] = Part(parts[-1].text + piece, weight)
        else:
            parts.append(Part(piece, weight))
    return parts
