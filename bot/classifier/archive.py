"""The model artifact as one file: `model.tar.gz` with `model.bin` and `model.json`."""

import gzip
import json
import tarfile
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bot.classifier.artifact import BINARY, DESCRIPTION, Description, description_of
from bot.errors import Misconfigured

_AT_ONCE: Final = 1 << 20


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
            return description_of(json.loads(_content(tar, DESCRIPTION)))
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
    member.mtime, member.mode, member.uid, member.gid = 0, 0o644, 0, 0
    member.uname = member.gname = ""
    return member
