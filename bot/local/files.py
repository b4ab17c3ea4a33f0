"""Files of tweets: CSV with a `text` column, or JSON lines of any wire form."""

import codecs
import csv
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Self, TextIO, TypeVar

from bot.errors import Refused
from bot.frozen import frozen
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
LONGEST_LINE: Final = 1_000_000
"""Characters of a line that are read; of a longer one, which is no post, the rest goes unread."""
_DELIMITERS: Final = ",;\t"
"""Spreadsheets write a semicolon where the comma is part of numbers, and tabs if asked to."""


@frozen
class Bad:
    """A place in a file that could not be read, and why."""

    where: str
    problem: str


@frozen
class Row:
    """A row of a CSV file by its columns; the header is number 1, and `where` is for people."""

    number: int
    where: str
    values: Mapping[str, str | None]


Progress = Callable[[int], object]
"""Is told how many more characters were read."""


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
    for row in csv_rows(path, ("text",)):
        if isinstance(row, Bad):
            yield row
            continue
        try:
            yield csv_row(row.values, file_id, row.number, answer=answer)
        except Refused as problem:
            yield Bad(row.where, str(problem))


def csv_rows(
    path: Path, *needed: Sequence[str], progress: Progress = lambda _: None
) -> Iterator[Row | Bad]:
    """The rows of a CSV file; what is no CSV comes as `Bad` between its good neighbours.

    Raises `Refused` where it has no header, or lacks a column: of each of `needed` it needs one.
    OSError is the caller's to tell of.
    """
    csv.field_size_limit(LONGEST_FIELD)
    with opened(path) as file:
        header = file.readline(LONGEST_FIELD)
        file.seek(0)
        lines = _Lines(lines_of(file, progress))
        delimiter = max(_DELIMITERS, key=header.count)
        reader = csv.DictReader(lines, strict=True, delimiter=delimiter)
        columns = _columns(reader, path)
        for names in needed:
            if not set(names) & set(columns):
                raise Refused(
                    f"{path} has no column named {' or '.join(names)}; it has "
                    f"{', '.join(columns) or 'none'}."
                )
        number = 1
        while True:
            number += 1
            where = f"{path.name}, row {number} (line {lines.begin_row()})"
            try:
                yield Row(number, where, next(reader))
            except StopIteration:
                return
            except csv.Error as problem:
                lines.give_back()
                yield Bad(where, f"It is not CSV ({problem}): look for a quote left open.")


def opened(path: Path) -> TextIO:
    """The file as text: UTF-8, or what its first bytes say; other bytes in it as Windows-1252.

    Raises `Refused` for a pipe, which can be read but once.
    """
    with path.open("rb") as file:
        if not file.seekable():
            raise Refused(f"{path} is no file but a pipe: save what comes out of it as a file.")
        wide = file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    encoding, errors = ("utf-16", "replace") if wide else ("utf-8-sig", _WINDOWS)
    return path.open(newline="", encoding=encoding, errors=errors)


_WINDOWS: Final = "windows"


def _of_windows(error: UnicodeError) -> tuple[str, int]:
    # One table is often put together from several, of which old ones come out of Windows.
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_WINDOWS, _of_windows)


def lines_of(file: TextIO, progress: Progress = lambda _: None) -> Iterator[str]:
    """The lines of an open file, none longer than `LONGEST_LINE`."""
    while line := file.readline(LONGEST_LINE):
        progress(len(line))
        yield line
        while len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            line = file.readline(LONGEST_LINE)


def _columns(reader: "csv.DictReader[str]", path: Path) -> Sequence[str]:
    try:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
    except csv.Error as problem:
        raise Refused(f"{path} has no header that can be read: {problem}.") from None
    return reader.fieldnames


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
    with opened(path) as file:
        for number, line in enumerate(lines_of(file), 1):
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
