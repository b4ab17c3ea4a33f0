"""One artifact, the same verdicts everywhere: embedded by either package, and on SageMaker."""

import csv
import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from bot.classifier.archive import unpack
from bot.classifier.artifact import BINARY
from bot.classifier.embedded import EmbeddedClassifier
from bot.classifier.sagemaker import SageMakerClassifier
from bot.classifier.variants import variant_name
from bot.normalize import EMOJI, PLAIN, tokens
from bot.settings import HOUSE
from bot.verdicts import judge
from tests.standins import aws
from tests.standins.sagemaker import REFERENCE_ENDPOINT, BlazingTextStandin
from tests.test_sagemaker import runtime_at

ARCHIVE = HOUSE / "build" / "model.tar.gz"
REAL = HOUSE.parent / "shared" / "data" / "spotify_inbound.csv"
"""Real posts, where they lie beside the project; else those that the starter learnt from."""
MANY = 5_000
NEAR = 1e-5
OTHER_PYTHON = os.environ.get("FASTTEXT_PREDICT_PYTHON")
ASK = """
import json, pathlib, sys, types
sys.modules["slugify"] = types.SimpleNamespace(slugify=None)  # the texts are normalized already
import fasttext
from bot.classifier.embedded import EmbeddedClassifier
classifier = EmbeddedClassifier(pathlib.Path(sys.argv[1]))
answers = classifier.probabilities(json.load(sys.stdin))
print(json.dumps({"trains": hasattr(fasttext, "train_supervised"), "answers": answers}))
"""


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Different posts of which a model knows a word; on others an endpoint guesses."""
    file = REAL if REAL.is_file() else HOUSE / "bot/learning/corpus.csv"
    with file.open(newline="", encoding="utf-8") as rows:
        found = dict.fromkeys(row["text"] for row in csv.DictReader(rows))
    known = judge(list(found), EmbeddedClassifier(ARCHIVE), None)
    told = [text for text, verdict in zip(found, known, strict=True) if verdict.known][:MANY]
    assert len(told) == MANY
    return told


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlazingTextStandin]:
    folder = tmp_path_factory.mktemp("model")
    variant = variant_name(unpack(ARCHIVE, folder), "1a2b3c4d")
    with BlazingTextStandin(folder / BINARY, variant=variant) as standin:
        yield standin


@pytest.mark.skipif(
    not OTHER_PYTHON, reason="FASTTEXT_PREDICT_PYTHON names no Python that has fasttext-predict"
)
def test_both_fasttext_packages_answer_alike(texts: list[str]) -> None:
    asked = [*(tokens(text, EMOJI) for text in texts), "qqxzvk", "angry qqxzvk", "thanks " * 400]
    answered = subprocess.run(
        [str(OTHER_PYTHON), "-c", ASK, str(ARCHIVE)],
        input=json.dumps(asked),
        env={"PYTHONPATH": str(HOUSE)},
        check=True,
        capture_output=True,
        text=True,
    )
    other = json.loads(answered.stdout)
    assert not other["trains"], f"{OTHER_PYTHON} has the package that trains"
    own = EmbeddedClassifier(ARCHIVE).probabilities(asked)
    assert other["answers"] == pytest.approx(own, abs=1e-6)
    assert own[-3] is None


def test_an_endpoint_gives_the_verdicts_of_the_embedded_model(
    texts: list[str], endpoint: BlazingTextStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**aws.CREDENTIALS, "AWS_DEFAULT_REGION": aws.REGION}.items():
        monkeypatch.setenv(name, value)
    runtime = runtime_at(endpoint.url)
    hosted = SageMakerClassifier(runtime, REFERENCE_ENDPOINT, PLAIN)
    own = judge(texts, EmbeddedClassifier(ARCHIVE), None)
    there = judge(texts, hosted, None)
    runtime.close()
    assert (hosted.normalizer, hosted.threshold) == (EMOJI, 0.5)
    assert [one.tokens for one in there] == [one.tokens for one in own]
    assert [one.probability for one in there] == pytest.approx(
        [one.probability for one in own], abs=NEAR
    )
    apart = [one for one, other in zip(own, there, strict=True) if one.escalate != other.escalate]
    assert all(abs(one.probability - one.threshold) < NEAR for one in apart)
