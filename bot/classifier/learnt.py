"""What a model knows and was tested on, without loading it: read from its artifact, or noted."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bot.classifier import variants
from bot.classifier.archive import unpack
from bot.classifier.artifact import BINARY, Description, described, vocabulary
from bot.drift import Baseline, Learnt, baseline_of

PUBLICATION: Final = "publication"
"""The note of the model that was published last (`bot.learning.publishing.record`)."""


def learnt(archive: Path) -> Learnt:
    """Of a model archive, or a folder with what one holds; raises `Misconfigured` for another."""
    if archive.is_dir():
        return _learnt(archive, described(archive))
    with tempfile.TemporaryDirectory() as folder:
        return _learnt(Path(folder), unpack(archive, Path(folder)))


def _learnt(folder: Path, description: Description) -> Learnt:
    baseline = baseline_of(description.card.get("baseline"))
    return Learnt(description.name, baseline, vocabulary(folder / BINARY))


def published(note: Any) -> Learnt | None:
    """Of the model behind an endpoint what its publication noted; None where that is nothing.

    Its verdicts call it as its variant's name does.
    """
    variant = note.get("variant") if isinstance(note, Mapping) else None
    serving = variants.described(variant) if isinstance(variant, str) else None
    return Learnt(serving.name, baseline_of(note.get("baseline"))) if serving else None


def baselines(note: Any) -> dict[str, Baseline]:
    """Those of all models that a note of publications remembers, by what their verdicts call them.

    Embedded, a model is called as it was trained; behind an endpoint, as its variant's name does.
    """
    found: dict[str, Baseline] = {}
    for record in _records(note):
        baseline = baseline_of(record.get("baseline"))
        for name in (record.get("name"), record.get("model")):
            if baseline and isinstance(name, str):
                found.setdefault(name, baseline)  # of two that are called alike the later one's
    return found


def _records(note: Any) -> list[Mapping[str, Any]]:
    if not isinstance(note, Mapping):
        return []
    before = note.get("before")
    records = [note, *(before if isinstance(before, list) else [])]
    return [record for record in records if isinstance(record, Mapping)]
