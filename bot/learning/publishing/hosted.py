"""An artifact as an endpoint serves it, asked on this machine."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fasttext

from bot.classifier.archive import unpack
from bot.classifier.artifact import BINARY
from bot.learning.publishing.artifacts import Artifact
from bot.learning.training.examples import Example
from bot.learning.training.fitting import held_out
from bot.learning.training.scaling import scaled


class AsHosted:
    """`bot.verdicts.Classifier`: unlike the embedded one it judges texts without a known word, too.

    An endpoint cannot tell which they are, so a model for one is measured with what it says of
    them.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        with tempfile.TemporaryDirectory() as folder:
            unpack(artifact.file, Path(folder))
            self._model: Any = fasttext.load_model(str(Path(folder, BINARY)))

    @property
    def model(self) -> str:
        """See `bot.verdicts.Classifier`."""
        return self._artifact.name

    @property
    def normalizer(self) -> str:
        """See `bot.verdicts.Classifier`."""
        return self._artifact.description.normalizer

    @property
    def threshold(self) -> float | None:
        """See `bot.verdicts.Classifier`."""
        return self._artifact.description.threshold

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        """See `bot.verdicts.Classifier`."""
        said = held_out(self._model, [Example(text, escalate=False) for text in texts]).judged
        scaling = self._artifact.description.calibration
        found: list[float | None] = (
            scaled(said, scaling) if scaling else said
        ).probabilities.tolist()
        return found
