"""Which words moved a decision: each is left out once, in one batch call, for any classifier."""

from dataclasses import dataclass
from typing import Final

from bot.verdicts import Classifier

MOST_WORDS: Final = 60


@dataclass(frozen=True, slots=True)
class Weight:
    """What a word adds to the probability of *escalate*; negative where it takes away."""

    word: str
    weight: float


def weights(tokens: str, classifier: Classifier) -> list[Weight]:
    """The words of a normalized text, those that moved it most first.

    At most the first 60 words are tried. Raises what `Classifier.probabilities` raises.
    """
    words = tokens.split()
    tried = words[:MOST_WORDS]
    shortened = [" ".join(words[:at] + words[at + 1 :]) for at in range(len(tried))]
    asked = [tokens, *shortened] if len(words) > 1 else []
    answers = classifier.probabilities(asked) if asked else []
    if not answers or answers[0] is None:
        return []
    whole = answers[0]
    # Without its only known word a text would be judged by the threshold itself.
    line = 0.5 if classifier.threshold is None else classifier.threshold
    found = [
        Weight(word, whole - (line if without is None else without))
        for word, without in zip(tried, answers[1:], strict=True)
    ]
    return sorted(found, key=lambda weight: -abs(weight.weight))
