"""Files of tweets: CSV with a `text` column, or JSON lines of any wire form."""

import csv
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Self, TypeVar

from bot.errors import Refused
from bot.tweets import Tweet
from bot.wire import Deleted, csv_row, json_line

Item = TypeVar("Item")

LONGEST_FIELD: Final = 200_000
"""Characters of a CSV field; a quote left open ends there instead of at the end of the file."""
LONGEST_ROW: Final = 30_000
"""Lines of a CSV row: more than the longest post (`LONGEST_TEXT`) can have if it is all breaks."""
LONGEST_AGAIN: Final = 100
"""Lines of a row that begins where a quote left open had swallowed it.

Few, or a file that leaves a quote open in every row would be read again for each of them: so no
line is read more than once plus this often.
"""


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
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = _Lines(file)
        reader = csv.DictReader(lines, strict=True)
        columns = _columns(reader, path)
        if "text" not in columns:
            raise Refused(
                f"{path} has no column named text; it has {', '.join(columns) or 'none'}."
            )
        number = 1
        while True:
            number += 1
            where = f"{path.name}, row {number} (line {lines.begin_row()})"
            try:
                yield csv_row(next(reader), file_id, number, answer=answer)
            except StopIteration:
                return
            except Refused as problem:
                yield Bad(where, str(problem))
            except csv.Error as problem:
                lines.give_back()
                yield Bad(where, f"It is not CSV ({problem}): look for a quote left open.")


def _columns(reader: "csv.DictReader[str]", path: Path) -> Sequence[str]:
    try:
        return reader.fieldnames or []
    except csv.Error as problem:
        raise Refused(f"{path} has no header that can be read: {problem}.") from None


class _Lines:
    """The lines of a file; those that a quote left open swallowed can be given back."""

    def __init__(self, file: Iterable[str]) -> None:
        self._file = iter(file)
        self._again: deque[str] = deque()
        self._row: list[str] = []
        self._most = LONGEST_ROW
        self._number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """Raises `csv.Error` where the row has taken more lines than it may."""
        if self._row and not self._row[0].strip("\r\n"):
            self._row.clear()  # no row begins with an empty line: the reader passes over it
        if not self._row:
            self._most = LONGEST_AGAIN if self._again else LONGEST_ROW
        if len(self._row) == self._most:
            raise csv.Error(f"a row of more than {self._most:,} lines")
        line = self._again.popleft() if self._again else next(self._file)
        self._row.append(line)
        self._number += 1
        return line

    def begin_row(self) -> int:
        """Forgets the row before; returns the line at which the next one starts."""
        self._row.clear()
        return self._number + 1

    def give_back(self) -> None:
        """All lines of this row but its first come again."""
        self._again.extendleft(reversed(self._row[1:]))
        self._number -= len(self._row) - 1


def _json_lines(path: Path, file_id: str, *, answer: bool) -> Iterator[Tweet | Deleted | Bad]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield from json_line(line, file_id, number, answer=answer)
            except Refused as problem:
                yield Bad(f"{path.name}, line {number}", str(problem))


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, in lists of `size` and a last one of what is left."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
