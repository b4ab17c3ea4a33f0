"""Files of labelled posts, made up for one test."""

import csv
from collections.abc import Sequence
from pathlib import Path

from bot.learning.labelled import Labelled

ANGRY = ("you lost my parcel", "i am furious", "worst service ever", "refund me now")
CALM = ("thank you so much", "what a lovely shop", "when do you open", "the app is great")


def posts(each: int = 20) -> list[Labelled]:
    """So many of each text, told apart by a number; half of them need a person."""
    sides = [*((text, True) for text in ANGRY), *((text, False) for text in CALM)]
    return [Labelled(f"{text} number {n}", side) for n in range(each) for text, side in sides]


def table(
    path: Path, rows: Sequence[Sequence[object]], columns: Sequence[str] = ("text", "escalate")
) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def posts_file(path: Path, each: int = 20) -> Path:
    return table(path, [(post.text, post.escalate) for post in posts(each)])
