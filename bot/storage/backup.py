"""A copy of the SQLite file, whole at one moment, while the bot goes on writing."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from bot.errors import Refused


def back_up(source: Path, target: Path) -> int:
    """Writes the copy, readable by its owner alone, and returns its size in bytes.

    `VACUUM INTO` reads one snapshot, which writers neither wait for nor disturb, and takes along
    nothing that was deleted; SQLite's online backup would begin anew with each page another
    process writes (sqlite.org, "VACUUM", "Online Backup API"). The copy gets its name only when
    it was found whole and is on the disk. Raises `Refused` where there is no source, where the
    target is there already or cannot be written, and where the source cannot be read.
    """
    if not source.exists():
        raise Refused(f"There is no {source} yet: `run` and `ingest` make it, DATA_DIR names it.")
    if target.exists():
        raise Refused(f"{target} is there already: name another file.")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
        unfinished = Path(name)
        try:
            _copy(source, unfinished)
            _check(unfinished)
            _through_to_disk(unfinished)
            unfinished.rename(target)
            _through_to_disk(target.parent)
        finally:
            unfinished.unlink(missing_ok=True)
        return target.stat().st_size
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}.") from None
    except sqlite3.Error as error:
        raise Refused(f"{source} cannot be copied to {target}: {error}.") from None


def _copy(source: Path, target: Path) -> None:
    address = f"{source.resolve().as_uri()}?mode=rw"  # a file removed meanwhile is not made anew
    with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=30)) as opened:
        opened.execute("VACUUM INTO ?", (str(target),))


def _check(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as opened:
        [(says,), *_] = opened.execute("PRAGMA integrity_check").fetchall()
    if says != "ok":
        raise sqlite3.DatabaseError(f"the copy is not whole ({says:.100})")


def _through_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
