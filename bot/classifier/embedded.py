"""The embedded model: fastText in this process, on a laptop and inside a function alike."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fasttext

from bot.classifier.artifact import BINARY, ESCALATE, Description, described, vocabulary
from bot.classifier.calibration import calibrated
from bot.errors import Misconfigured


class EmbeddedClassifier:
    """`bot.verdicts.Classifier` over a model archive, or a folder with what one holds.

    Works with `fasttext-community` and `fasttext-predict`; the latter answers lists wrongly, so
    texts are asked one at a time.
    """

    def __init__(self, archive: Path) -> None:
        """Loads the model into memory. Raises `Misconfigured` where the archive is not one."""
        if archive.is_dir():
            self._load(archive, described(archive))
            return
        # A function's package has its model unpacked.
        import tempfile  # noqa: PLC0415

        from bot.classifier.archive import unpack  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as folder:
            self._load(Path(folder), unpack(archive, Path(folder)))

    def _load(self, folder: Path, description: Description) -> None:
        self._description = description
        self._words = vocabulary(folder / BINARY)
        try:
            self._model: Any = fasttext.load_model(str(folder / BINARY))
            self._model.f.predict("a\n", 2, 0.0, "strict")  # one that is cut short fails here
        except (ValueError, RuntimeError, MemoryError):
            raise Misconfigured(
                [f"The {BINARY} of {description.name} is no whole model: train or copy it again."]
            ) from None

    @property
    def model(self) -> str:
        """See `bot.verdicts.Classifier`."""
        return self._description.name

    @property
    def normalizer(self) -> str:
        """See `bot.verdicts.Classifier`."""
        return self._description.normalizer

    @property
    def threshold(self) -> float | None:
        """See `bot.verdicts.Classifier`."""
        return self._description.threshold

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        """See `bot.verdicts.Classifier`."""
        return [self._probability(text) for text in texts]

    def _probability(self, text: str) -> float | None:
        if self._words.isdisjoint(text.split()):
            return None
        # The pybind object's own method: what wraps it copies into arrays, at three times the cost.
        answers: list[tuple[float, str]] = self._model.f.predict(f"{text}\n", 2, 0.0, "strict")
        raw = next((probability for probability, label in answers if label == ESCALATE), 0.0)
        calibration = self._description.calibration
        return calibrated(raw, *calibration) if calibration else raw
