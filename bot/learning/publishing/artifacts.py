"""A model archive as it is published: checked, and named by what is in it."""

import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from bot.classifier.archive import unpack
from bot.classifier.artifact import BINARY, Description, vocabulary
from bot.classifier.variants import ID_DIGITS, described, variant_name
from bot.errors import Refused
from bot.frozen import frozen


@frozen
class Artifact:
    """An archive; `digest` is the SHA-256 of the model and its description, however packed."""

    file: Path
    description: Description
    digest: str

    @property
    def id(self) -> str:
        """The first digits of the digest, which tell models apart."""
        return self.digest[:ID_DIGITS]

    @property
    def name(self) -> str:
        """What it is called wherever it is published, such as `starter-1a2b3c4d`."""
        told = described(self.variant)
        return told.name if told else self.id

    @property
    def variant(self) -> str:
        """What an endpoint's variant that serves it is called."""
        return variant_name(self.description, self.id)


def opened(file: Path) -> Artifact:
    """The archive, found to be whole. Raises `Refused` where it is none."""
    if not file.is_file():
        raise Refused(f"There is no model archive {file}: `python -m bot train` writes one.")
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder, BINARY)
        description = unpack(file, Path(folder))
        vocabulary(binary)
        return Artifact(file, description, digest(binary, description))


def digest(binary: Path, description: Description) -> str:
    """SHA-256 over the model's file and what is said of it."""
    with binary.open("rb") as content:
        found = hashlib.file_digest(content, "sha256")
    found.update(json.dumps(asdict(description), sort_keys=True).encode())
    return found.hexdigest()
