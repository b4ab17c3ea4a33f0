"""A test set is set aside: posts that training never sees, nor any that says the same."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sklearn.model_selection import train_test_split

from bot.errors import Refused
from bot.learning.labelled import Labelled
from bot.local.keeping import keep
from bot.normalize import tokens

COLUMNS: Final = ("text", "escalate", "created_at", "language")


def stratified(
    rows: Sequence[Labelled], share: float, normalizer: str, seed: int
) -> tuple[list[Labelled], list[Labelled]]:
    """The rows to learn from, and a share of both labels to be judged by, drawn at random.

    Texts that normalize to the same go to the same side. Raises `Refused` where the share is no
    share, or leaves a side without a label.
    """
    _check(share)
    texts = list(dict.fromkeys(tokens(row.text, normalizer) for row in rows))
    side = {tokens(row.text, normalizer): row.escalate for row in rows}
    try:
        _, drawn = train_test_split(
            texts, test_size=share, random_state=seed, stratify=[side[text] for text in texts]
        )
    except ValueError:
        raise Refused(
            f"{len(texts)} different texts are too few to set {share:.0%} aside with both labels."
        ) from None
    return _parted(rows, frozenset(drawn), normalizer)


def newest(
    rows: Sequence[Labelled], share: float, normalizer: str
) -> tuple[list[Labelled], list[Labelled]]:
    """The older rows to learn from, and the newest share to be judged by.

    An older row that says the same as a new one is left out. Raises `Refused` where a row does
    not say when it was written.
    """
    _check(share)
    undated = sum(row.at is None for row in rows)
    if undated:
        raise Refused(
            f"{undated} of {len(rows)} rows have no created_at that can be read: without it "
            "nobody knows which are the newest."
        )
    ordered = sorted(rows, key=lambda row: row.at.timestamp() if row.at else 0.0)
    cut = len(ordered) - round(len(ordered) * share)
    return without(ordered[:cut], ordered[cut:], normalizer), ordered[cut:]


def without(rows: Sequence[Labelled], asked: Sequence[Labelled], normalizer: str) -> list[Labelled]:
    """The rows that say something else than all those that will be asked for."""
    said = frozenset(tokens(row.text, normalizer) for row in asked)
    return _parted(rows, said, normalizer)[0]


def _parted(
    rows: Sequence[Labelled], aside: frozenset[str], normalizer: str
) -> tuple[list[Labelled], list[Labelled]]:
    sides: tuple[list[Labelled], list[Labelled]] = ([], [])
    for row in rows:
        sides[tokens(row.text, normalizer) in aside].append(row)
    return sides


def _check(share: float) -> None:
    if not 0 < share < 1:
        raise Refused(f"A share to hold out lies between 0 and 1, such as 0.2: not {share:g}.")


def write(rows: Sequence[Labelled], path: Path) -> None:
    """The rows as a CSV file that `labelled` reads (`bot.local.keeping`). Raises `OSError`."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for row in rows:
        at = row.at.isoformat() if row.at else ""
        table.writerow([row.text, row.escalate, at, row.language or ""])
    keep(path, text.getvalue().encode("utf-8", "replace"))
