"""What a model knows and was tested on, without loading it: read from its artifact, or noted."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bot.classifier import variants
from bot.classifier.artifact import BINARY, Description, described, unpack, vocabulary
from bot.drift import Learnt, baseline_of

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
