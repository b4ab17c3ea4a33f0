"""An engineer who publishes: two models of which one is better, a test set, an account on AWS."""

import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import fasttext
import pytest

from bot import amazon, settings
from bot.__main__ import main
from bot.classifier import sagemaker
from bot.classifier.archive import pack
from bot.classifier.artifact import BINARY, Description
from bot.learning.publishing import desk, stages
from bot.learning.publishing.cloud import Cloud, entered
from bot.local.stages import stage
from bot.storage import clients
from tests.standins import aws

CLIENTS = (clients.dynamodb, clients.sqs, clients.secretsmanager, sagemaker.client)
BUCKET = "models-of-harbor"
ANGRY = ["i am so angry", "this is broken", "worst service ever", "still waiting for a refund"]
CALM = ["thanks a lot", "love it", "great job team", "you are so kind"]
TALK = ["today", "at the shop", "with my phone", "again", "on the train", "really", "well", "now"]
OURS = Description(name="better", threshold=0.4, calibration=(0.8, -0.2), normalizer="emoji-1")


def posts() -> list[tuple[str, bool]]:
    return [
        (f"{text} {talk}", escalate)
        for escalate, texts in ((True, ANGRY), (False, CALM))
        for text, talk in product(texts, TALK)
    ]


def archive(folder: Path, description: Description = OURS, *, worse: bool = False) -> Path:
    """A model's archive; a worse one learnt it all the wrong way round."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"__label__{int(escalate != worse)} {text}" for text, escalate in posts()]
    (folder / "lines.txt").write_text("\n".join(lines))
    model = fasttext.train_supervised(
        str(folder / "lines.txt"), thread=1, seed=1, epoch=30, lr=0.5, dim=8, bucket=500, verbose=0
    )
    model.save_model(str(folder / BINARY))
    pack(folder / BINARY, description, folder / "model.tar.gz")
    return folder / "model.tar.gz"


def table(file: Path, rows: list[tuple[str, bool]] | None = None) -> Path:
    """Labelled posts as CSV."""
    with file.open("w", newline="") as content:
        writer = csv.writer(content)
        writer.writerows([("text", "escalate"), *(rows or posts())])
    return file


@dataclass(frozen=True)
class Engineer:
    """Somebody at a command line, whose files lie in `folder`."""

    folder: Path
    said: pytest.CaptureFixture[str]

    def types(self, *line: str | Path) -> tuple[int, str, str]:
        """The exit code, and what was printed as the answer and besides."""
        code = main(["publish", *map(str, line)])
        told = self.said.readouterr()
        return code, told.out, told.err

    def publishes(self, *line: str | Path) -> dict[str, Any]:
        """The row that is printed of a publication that goes well."""
        code, out, err = self.types(*line, "--json")
        assert code == 0, err
        found: dict[str, Any] = json.load(io.StringIO(out))
        return found

    def refused(self, *line: str | Path) -> str:
        code, _, err = self.types(*line)
        assert code == 2
        return err


@contextmanager
def house(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A laptop whose settings, stages and models lie in `folder`."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "MODEL_", "SAGEMAKER_")) and name != "AWS_CA_BUNDLE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(folder / "data"))
    monkeypatch.setattr("bot.__main__.load_dotenv", lambda _: None)
    monkeypatch.setattr(settings, "HOUSE", folder)
    monkeypatch.setattr(stage, "FILES", folder / "aws/stages")
    monkeypatch.setattr(stages, "HOUSE", folder)
    monkeypatch.setattr(stages, "MODELS", folder / "models")
    monkeypatch.setattr(stages, "STARTER", folder / "build/model.tar.gz")
    monkeypatch.setattr(desk, "WAIT", lambda _: None)
    yield


@contextmanager
def account(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An empty AWS with a bucket, which this process may enter."""
    aws.reset(url)
    nowhere = str(folder / "nowhere")
    known = {
        **aws.CREDENTIALS,
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": aws.REGION,
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "no_proxy": "127.0.0.1",
    }
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    for client in CLIENTS:
        client.cache_clear()
    amazon.session.cache_clear()
    aws.client("s3", url).create_bucket(Bucket=BUCKET)
    yield entered()
    for client in CLIENTS:
        client.cache_clear()
