"""Labelled posts in files: CSV or JSON lines, as people and notebooks write them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from bot.errors import Refused
from bot.frozen import frozen
from bot.labels import meant
from bot.local.files import Bad, Progress, csv_rows, lines_of, opened
from bot.tweets import clean
from bot.wire import time_of

TEXT: Final = "text"
LABELS: Final = ("escalate", "label")
LANGUAGES: Final = ("language", "lang")
_TIME: Final = "created_at"
_JSON: Final = frozenset({".jsonl", ".ndjson", ".json"})

Values = Mapping[str, object]


@frozen
class Labelled:
    """A post and a person's word on whether it needed a person.

    `at` is when it was written, `language` its code, both None where the file does not say;
    `weight` is for how many rows it counts in training.
    """

    text: str
    escalate: bool
    at: datetime | None = None
    language: str | None = None
    weight: float = 1.0


def labelled(paths: Sequence[Path], progress: Progress = lambda _: None) -> list[Labelled]:
    """The rows of all these files, in order; rows without a text are left out.

    CSV has a header with `text` and `escalate` (or `label`), may have `created_at` and `language`
    (or `lang`), and more, which is passed over; JSON lines (`.jsonl`, `.ndjson`, `.json`) have
    the same as keys. Raises `Refused`, with the row where it is about one.
    """
    return [row for path in paths for row in _rows_of(path, progress)]


def _rows_of(path: Path, progress: Progress) -> Iterator[Labelled]:
    values = _json_values if path.suffix.lower() in _JSON else _csv_values
    try:
        for where, row in values(path, progress):
            found = _row(where, row)
            if found:
                yield found
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None


def _csv_values(path: Path, progress: Progress) -> Iterator[tuple[str, Values]]:
    for row in csv_rows(path, (TEXT,), LABELS, progress=progress):
        if isinstance(row, Bad):
            raise Refused(f"{row.where}: {row.problem}")
        yield row.where, row.values


def _json_values(path: Path, progress: Progress) -> Iterator[tuple[str, Values]]:
    with opened(path) as file:
        for number, line in enumerate(lines_of(file, progress), 1):
            if line.strip():
                where = f"{path.name}, line {number}"
                yield where, _object(where, line)


def _object(where: str, line: str) -> Values:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise Refused(f"{where}: it is not JSON; each line is one object.") from None
    if not isinstance(row, dict):
        raise Refused(f"{where}: it is no JSON object with text and escalate.")
    return {str(name).strip().lower(): value for name, value in row.items()}


def _row(where: str, row: Values) -> Labelled | None:
    text = row.get(TEXT)
    if not isinstance(text, str):
        raise Refused(f"{where}: it has no text.")
    if not text.strip():
        return None
    escalate = _label(where, next((row[name] for name in LABELS if name in row), None))
    language = next((row[name] for name in LANGUAGES if row.get(name)), None)
    at = time_of(row.get(_TIME))
    return Labelled(clean(text), escalate, at, str(language).lower() if language else None)


def _label(where: str, given: object) -> bool:
    said = "" if given is None else str(given)
    label = meant(said)
    if label is not None:
        return label
    shown = f"«{said:.40}»" if said.strip() else "nothing"
    raise Refused(f"{where}: escalate says {shown}, and must say yes or no, True or False, 1 or 0.")
