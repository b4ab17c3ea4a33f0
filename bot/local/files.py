"""Files of tweets: CSV with a `text` column, or JSON lines of any wire form."""

import csv
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Refused
from bot.tweets import Tweet
from bot.wire import Deleted, csv_row, json_line


@dataclass(frozen=True, slots=True)
class Bad:
    """A place in a file that could not be read, and why."""

    where: str
    problem: str


def tweets_in(path: Path, *, answer: bool) -> Iterator[Tweet | Deleted | Bad]:
    """What the file holds, row by row; a bad row comes as `Bad` between its good neighbours.

    `answer` says whether the bot may answer these tweets in public. Raises `Refused` where the
    file as a whole cannot be read.
    """
    try:
        with path.open("rb") as file:
            file_id = f"file-{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"
        rows = _csv if path.suffix.lower() == ".csv" else _json_lines
        yield from rows(path, file_id, answer=answer)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None


def _csv(path: Path, file_id: str, *, answer: bool) -> Iterator[Tweet | Deleted | Bad]:
    csv.field_size_limit(sys.maxsize)
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        if "text" not in columns:
            raise Refused(
                f"{path} has no column named text; it has {', '.join(columns) or 'none'}."
            )
        number = 1
        while True:
            number += 1
            where = f"{path.name}, row {number} (line {reader.line_num + 1})"
            try:
                yield csv_row(next(reader), file_id, number, answer=answer)
            except StopIteration:
                return
            except (Refused, csv.Error) as problem:
                yield Bad(where, str(problem))


def _json_lines(path: Path, file_id: str, *, answer: bool) -> Iterator[Tweet | Deleted | Bad]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield from json_line(line, file_id, number, answer=answer)
            except Refused as problem:
                yield Bad(f"{path.name}, line {number}", str(problem))
