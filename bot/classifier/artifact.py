"""The model artifact: `model.tar.gz` with fastText's `model.bin` and our `model.json`.

The same file is served embedded and hosted on SageMaker, whose BlazingText reads and writes
`model.bin` (Amazon SageMaker developer guide, "BlazingText algorithm"). A function's package has it
unpacked: a cold start would spend a fifth of its time on that.
"""

import gzip
import json
import math
import re
import struct
import tarfile
import zlib
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


_AT_ONCE: Final = 1 << 20
VERSION: Final = 1
"""The form of `model.json` that is written here; a higher one is a newer release's."""


@dataclass(frozen=True, slots=True)
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
        return _described(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise Misconfigured([f"{folder / DESCRIPTION} describes no model: {error}"]) from None


def unpack(archive: Path, folder: Path) -> Description:
    """Unpacks `model.bin` into `folder` and returns the description beside it.

    An archive without `model.json` (one BlazingText wrote) is described by the defaults. Raises
    `Misconfigured` where the file is missing or is no such archive.
    """
    try:
        with tarfile.open(archive) as tar:
            (folder / BINARY).write_bytes(_content(tar, BINARY))
            names = tar.getnames()
            # tarfile takes rubbish for the end; only at the true end gzip compares its sum.
            while tar.fileobj and tar.fileobj.read(_AT_ONCE):
                pass
            if DESCRIPTION not in names:
                return Description(name=archive.name.split(".")[0])
            return _described(json.loads(_content(tar, DESCRIPTION)))
    except FileNotFoundError:
        problem = (
            f"There is no model at {archive}: name another file, or run make setup for the starter "
            "model."
        )
        raise Misconfigured([problem]) from None
    except (
        tarfile.TarError,
        zlib.error,
        EOFError,
        KeyError,
        ValueError,
        TypeError,
        OSError,
        RecursionError,
    ) as error:
        raise Misconfigured(
            [f"{archive} is no model archive holding {BINARY} and {DESCRIPTION}: {_brief(error)}"]
        ) from None


def _brief(error: Exception) -> str:
    """What went wrong, in one line: tarfile goes on with what else it tried."""
    return str(error).partition("\n")[0].rstrip(":")


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member.read()


def _described(record: Any) -> Description:
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


def pack(binary: Path, description: Description, archive: Path) -> None:
    """Writes the archive of a model, whole or not at all; the same model, the same bytes."""
    record = json.dumps(asdict(description), indent=2, sort_keys=True) + "\n"
    described = binary.with_name(DESCRIPTION)
    described.write_text(record)
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_name(archive.name + ".part")
    with (
        unfinished.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        tar.add(binary, BINARY, filter=_anonymous)
        tar.add(described, DESCRIPTION, filter=_anonymous)
    unfinished.replace(archive)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    # Neither who packed it nor when: one model, one file.
    return member.replace(mtime=0, mode=0o644, uid=0, gid=0, uname="", gname="", deep=False)


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
