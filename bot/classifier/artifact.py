"""The model artifact: fastText's `model.bin` and our `model.json`.

The same is served embedded and hosted on SageMaker, whose BlazingText reads and writes `model.bin`
(Amazon SageMaker developer guide, "BlazingText algorithm"). It travels as one file, packed
(`bot.classifier.archive`); a function's package has it unpacked: a cold start would spend a fifth
of its time on that.
"""

import json
import math
import re
import struct
from dataclasses import field, replace
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Final

from bot.errors import Misconfigured
from bot.frozen import frozen
from bot.normalize import NORMALIZERS, PLAIN

BINARY: Final = "model.bin"
DESCRIPTION: Final = "model.json"
ESCALATE: Final = "__label__1"
ANSWER: Final = "__label__0"
_MAGIC: Final = 793712314
_ARGUMENTS: Final = struct.Struct("<12id")
_DICTIONARY: Final = struct.Struct("<3i2q")
_ENTRY: Final = rb"[^\0]*\0.{9}"
"""A word of the dictionary: its bytes, how often it stood (8 bytes), what it is (1)."""
_WORD: Final = re.compile(rb"([^\0]*)\0.{9}", re.DOTALL)

VERSION: Final = 1
"""The form of `model.json` that is written here; a higher one is a newer release's."""


@frozen
class Description:
    """What `model.json` says of a model.

    `calibration` holds slope and offset of Platt scaling on the log-odds; `data` is the SHA-256
    of what it was trained on; `card` is its story for people (`bot.learning.training.card`).
    """

    name: str = "fasttext"
    labels: tuple[str, ...] = (ANSWER, ESCALATE)
    normalizer: str = PLAIN
    threshold: float | None = None
    calibration: tuple[float, float] | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    data: str = ""
    card: dict[str, Any] = field(default_factory=dict)
    version: int = VERSION


def described(folder: Path) -> Description:
    """The description of an archive that lies unpacked in `folder`; raises what `unpack` raises."""
    try:
        text = (folder / DESCRIPTION).read_text("utf-8")
    except FileNotFoundError:
        return Description(name=folder.name)
    except OSError as error:
        raise Misconfigured([f"{folder} holds no {DESCRIPTION} to read: {error}"]) from None
    try:
        return description_of(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise Misconfigured([f"{folder / DESCRIPTION} describes no model: {error}"]) from None


def description_of(record: Any) -> Description:
    """The description that is in a parsed `model.json`. Raises `ValueError` and `TypeError`."""
    version = record.get("version", VERSION) if isinstance(record, dict) else None
    if not isinstance(version, int):
        raise TypeError(f"it is no description, but {record!r:.60}")  # JSON may be anything
    if version > VERSION:
        raise ValueError("a newer release of Tweet Escalator wrote it, so upgrade this one")
    description = Description(**record)
    if set(description.labels) != {ANSWER, ESCALATE}:
        raise ValueError(
            f"its labels are {', '.join(description.labels)}, and must be {ANSWER} and {ESCALATE}"
        )
    texts = (description.name, description.data)
    if not all(isinstance(text, str) for text in texts) or not isinstance(description.card, dict):
        raise TypeError("its name, data or card are of another kind")
    if description.normalizer not in NORMALIZERS:
        raise ValueError(f"its normalizer «{description.normalizer}» is not known")
    if description.calibration is not None:
        slope, offset = (float(number) for number in description.calibration)
        if not (math.isfinite(slope) and math.isfinite(offset)):
            raise ValueError("its calibration is no number")
        description = replace(description, calibration=(slope, offset))
    if description.threshold is not None:
        threshold = float(description.threshold)
        if not 0 <= threshold <= 1:  # nor NaN, by which nothing would ever escalate
            raise ValueError(f"its threshold, {threshold:g}, is not between 0 and 1")
        description = replace(description, threshold=threshold)
    return replace(description, labels=tuple(description.labels))


def vocabulary(binary: Path) -> frozenset[str]:
    """The words a fastText model knows.

    The package that only predicts cannot name them, so they are read from the file's dictionary
    (fastText source: `FastText::loadModel`, `Args::load`, `Dictionary::load`). Raises
    `Misconfigured` where it is no such file, or one that tells other labels apart than ours.
    """
    try:
        with binary.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            words, labels = _dictionary(data)
    except (struct.error, ValueError, OSError):
        raise Misconfigured([f"{binary.name} is no fastText model, or not a whole one."]) from None
    if set(labels) != {ANSWER, ESCALATE}:
        told = ", ".join(labels) or "nothing"
        problem = (
            f"The model tells {told} apart instead of {ESCALATE} and {ANSWER}: use one that "
            "`python -m bot train` made, or one trained like it."
        )
        raise Misconfigured([problem])
    return frozenset(words) - {"</s>"}


def _dictionary(data: mmap) -> tuple[list[str], list[str]]:
    """Words and labels, which follow one another."""
    magic, _version = struct.unpack_from("<2i", data)
    if magic != _MAGIC:
        raise ValueError(magic)
    at = 8 + _ARGUMENTS.size
    size, words, _labels, _tokens, _pruned = _DICTIONARY.unpack_from(data, at)
    at += _DICTIONARY.size
    if not 0 < words <= size:
        raise ValueError(words)
    entries = re.compile(rb"(?:%b){%d}" % (_ENTRY, size), re.DOTALL).match(data, at)
    if entries is None:
        raise ValueError(size)
    # At once: one by one takes longer than all else here.
    listed = b"\0".join(_WORD.findall(data, at, entries.end()))
    names = listed.decode("utf-8", "replace").split("\0")
    return names[:words], names[words:]
