"""What several tests begin with: a time, a case, a small model, the bot's parts in a folder."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fasttext

from bot import settings
from bot.cases import Case, Effect
from bot.classifier.archive import pack
from bot.classifier.artifact import BINARY, Description
from bot.tweets import Author, Tweet
from bot.verdicts import Verdict
from bot.wiring import Parts

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ANGRY = "i am very angry you lost my parcel"
CALM = "thanks i am happy with my parcel"


def noon() -> datetime:
    """A clock that stands still."""
    return NOON


def case(text: str = "My parcel never came!", **changes: Any) -> Case:
    """A case that needs a person; `changes` are fields of the case."""
    tweet = Tweet(
        id="1985000000000000001",
        text=text,
        root_id="1985000000000000001",
        author=Author("77", "river_example", "River Example", 12),
    )
    made = Case(
        tweet=tweet,
        route="escalate",
        reasons=("The model thinks it needs a person (91% confident).",),
        received_at=NOON,
        decided_at=NOON,
        verdict=Verdict(0.91, 0.5, "my parcel never came", "starter"),
    )
    return replace(made, **changes)


def reply(text: str = "Sorry to hear that. Which parcel is it?") -> Effect:
    """An answer on its way."""
    return Effect("reply", "sending", text=text)


def parts(folder: Path, **environment: str) -> Parts:
    """The bot as these settings make it, with its data in `folder`, at noon."""
    return Parts(settings.read({"DATA_DIR": str(folder), **environment}), clock=noon)


def trained(folder: Path) -> Path:
    """A fastText model that tells `ANGRY` from `CALM`, as BlazingText would write it."""
    lines = folder / "train.txt"
    lines.write_text("\n".join([f"__label__1 {ANGRY}", f"__label__0 {CALM}"] * 40))
    model = fasttext.train_supervised(
        str(lines), thread=1, seed=1, epoch=40, lr=0.5, dim=8, bucket=500, wordNgrams=2, verbose=0
    )
    model.save_model(str(folder / BINARY))
    return folder / BINARY


def archive(folder: Path) -> Path:
    """The same model as the archive that is served embedded."""
    packed = folder / "model.tar.gz"
    pack(trained(folder), Description(name="small"), packed)
    return packed
