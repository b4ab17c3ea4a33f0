"""What `model.json` says of a model that was trained elsewhere, measured on posts held out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fasttext

from bot.classifier.artifact import Description
from bot.learning.training.examples import Example
from bot.learning.training.fitting import held_out
from bot.learning.training.train import Plan, description


def calibrated_description(
    binary: Path, unseen: Sequence[Example], plan: Plan, story: dict[str, Any], data: str
) -> Description:
    """The description of a model that has not seen these examples."""
    found = held_out(fasttext.load_model(str(binary)), unseen)
    return description(plan, found, "on the validation channel", story, data)
