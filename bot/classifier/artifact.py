"""The model artifact: `model.tar.gz` with fastText's `model.bin` and our `model.json`.

The same file is served embedded and hosted on SageMaker, whose BlazingText reads and writes
`model.bin` (Amazon SageMaker developer guide, "BlazingText algorithm"). A function's package has it
unpacked: a cold start would spend a fifth of its time on that.
"""

import json
import re
import struct
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Final

from bot.errors import Misconfigured
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


@dataclass(frozen=True, slots=True)
class Description:
    """What `model.json` says of a model.

    `calibration` holds slope and offset of Platt scaling on the log-odds; `data` is the SHA-256
    of what it was trained on.
    """

    name: str = "fasttext"
    labels: tuple[str, ...] = (ANSWER, ESCALATE)
    normalizer: str = PLAIN
    threshold: float | None = None
    calibration: tuple[float, float] | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    data: str = ""


def described(folder: Path) -> Description:
    """The description of an archive that lies unpacked in `folder`; raises what `unpack` raises."""
    try:
        text = (folder / DESCRIPTION).read_text("utf-8")
    except FileNotFoundError:
        return Description(name=folder.name)
    except OSError as error:
        raise Misconfigured([f"{folder} holds no {DESCRIPTION} to read: {error}"]) from None
    try:
        return _described(json.loads(text))
    except (ValueError, TypeError) as error:
        raise Misconfigured([f"{folder / DESCRIPTION} describes no model: {error}"]) from None


def unpack(archive: Path, folder: Path) -> Description:
    """Unpacks `model.bin` into `folder` and returns the description beside it.

    An archive without `model.json` (one BlazingText wrote) is described by the defaults. Raises
    `Misconfigured` where the file is missing or is no such archive.
    """
    try:
        with tarfile.open(archive) as tar:
            (folder / BINARY).write_bytes(_content(tar, BINARY))
            if DESCRIPTION not in tar.getnames():
                return Description(name=archive.name.split(".")[0])
            return _described(json.loads(_content(tar, DESCRIPTION)))
    except FileNotFoundError:
        raise Misconfigured(
            [f"There is no model at {archive}: run make setup, or set MODEL_PATH."]
        ) from None
    except (
        tarfile.TarError,
        zlib.error,
        EOFError,
        KeyError,
        ValueError,
        TypeError,
        OSError,
    ) as error:
        raise Misconfigured(
            [f"{archive} is no model archive holding {BINARY} and {DESCRIPTION}: {error}"]
        ) from None


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member.read()


def _described(record: dict[str, Any]) -> Description:
    description = Description(**record)
    if description.normalizer not in NORMALIZERS:
        raise ValueError(f"its normalizer «{description.normalizer}» is not known")
    if description.calibration is not None:
        slope, offset = (float(number) for number in description.calibration)
        description = replace(description, calibration=(slope, offset))
    if description.threshold is not None:
        description = replace(description, threshold=float(description.threshold))
    return replace(description, labels=tuple(description.labels))


def pack(binary: Path, description: Description, archive: Path) -> None:
    """Writes the archive of a model, whole or not at all."""
    record = json.dumps(asdict(description), indent=2, sort_keys=True) + "\n"
    described = binary.with_name(DESCRIPTION)
    described.write_text(record)
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_name(archive.name + ".part")
    with tarfile.open(unfinished, "w:gz") as tar:
        tar.add(binary, BINARY)
        tar.add(described, DESCRIPTION)
    unfinished.replace(archive)


def vocabulary(binary: Path) -> frozenset[str]:
    """The words a fastText model knows.

    The package that only predicts cannot name them, so they are read from the file's dictionary
    (fastText source: `FastText::loadModel`, `Args::load`, `Dictionary::load`). Raises
    `Misconfigured` where it is no such file.
    """
    try:
        with binary.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            return frozenset(_words(data)) - {"</s>"}
    except (struct.error, ValueError, OSError):
        raise Misconfigured([f"{binary.name} is no fastText model, or not a whole one."]) from None


def _words(data: mmap) -> Iterator[str]:
    magic, _version = struct.unpack_from("<2i", data)
    if magic != _MAGIC:
        raise ValueError(magic)
    at = 8 + _ARGUMENTS.size
    size, words, _labels, _tokens, _pruned = _DICTIONARY.unpack_from(data, at)
    at += _DICTIONARY.size
    entries = re.compile(rb"(?:%b){%d}" % (_ENTRY, min(size, words)), re.DOTALL).match(data, at)
    if entries is None:
        raise ValueError(words)
    return (word.decode("utf-8", "replace") for word in _WORD.findall(data, at, entries.end()))
