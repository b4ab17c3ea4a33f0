"""What a model learns from: normalized texts, each once, in an order that tells nothing."""

import random
from collections.abc import Sequence
from typing import Final

from bot.errors import Refused
from bot.frozen import frozen
from bot.learning.labelled import Labelled
from bot.normalize import tokens

FEWEST: Final = 50
"""Below this many different texts there is nothing to measure a model by."""
FEWEST_OF_A_LABEL: Final = 10


@frozen
class Example:
    """A normalized text, whether it is for a person, and for how many it counts."""

    tokens: str
    escalate: bool
    weight: float = 1.0


@frozen
class Prepared:
    """`examples`, and what of the rows became none of them.

    `empty` rows have no word, `repeated` ones say the same as an earlier one, and over `disputed`
    texts people disagree: the heavier side holds, and *escalate* where there is none.
    """

    examples: list[Example]
    empty: int
    repeated: int
    disputed: int


def prepared(rows: Sequence[Labelled], normalizer: str, seed: int = 0) -> Prepared:
    """The rows as examples: a text that comes twice would be learnt from and asked for.

    Files are often sorted by label or topic, which neither folds nor fastText can bear, so they
    are shuffled.
    """
    sides: dict[str, tuple[float, float]] = {}
    heaviest: dict[str, float] = {}
    empty = 0
    for row in rows:
        text = tokens(row.text, normalizer)
        if not text:
            empty += 1
            continue
        no, yes = sides.get(text, (0.0, 0.0))
        sides[text] = (no, yes + row.weight) if row.escalate else (no + row.weight, yes)
        heaviest[text] = max(row.weight, heaviest.get(text, 0.0))
    found = [Example(text, yes >= no, heaviest[text]) for text, (no, yes) in sides.items()]
    random.Random(seed).shuffle(found)  # noqa: S311
    disputed = sum(bool(no and yes) for no, yes in sides.values())
    return Prepared(found, empty, len(rows) - empty - len(found), disputed)


def check(examples: Sequence[Example], rows: int) -> None:
    """Raises `Refused` where they are too few to learn from, or nearly all on one side."""
    if len(examples) < FEWEST:
        raise Refused(
            f"{rows} rows hold {len(examples)} different texts, and a model needs {FEWEST} at "
            "least: a few hundred of each label are a start."
        )
    yes = sum(example.escalate for example in examples)
    fewer = min(yes, len(examples) - yes)
    if fewer < FEWEST_OF_A_LABEL:
        said = "False" if yes > fewer else "True"
        raise Refused(
            f"Of {len(examples)} different texts {fewer} say {said}, and a model learns what tells "
            f"both labels apart: add rows that say {said}, {FEWEST_OF_A_LABEL} at least."
        )
