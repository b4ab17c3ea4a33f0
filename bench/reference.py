"""The reference's way to ask the endpoint, a client made in every call, beside ours."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from slugify import slugify

from bench.measures import Line, seconds
from bench.samples import texts
from bot import amazon, process, settings
from bot.classifier import sagemaker
from bot.classifier.archive import unpack
from bot.classifier.artifact import BINARY
from bot.local.events import http_event
from bot.settings import HOUSE
from bot.wiring import Parts
from tests.standins.sagemaker import REFERENCE_ENDPOINT, BlazingTextStandin

ROUNDS = 15
CALLS = 40
THEIR_CALLS = 4  # each takes many times as long
MODEL = HOUSE / "build" / "model.tar.gz"
ROUTE = "GET /tweet/{tweet}"


def reference(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """What the reference's function does: a client, the text slugified, both probabilities."""
    tweet = event["pathParameters"]["tweet"]
    text = slugify(tweet, separator=" ")
    client = boto3.Session().client("sagemaker-runtime")
    answered = client.invoke_endpoint(
        EndpointName=REFERENCE_ENDPOINT, ContentType="application/json", Body=request(text)
    )
    [verdict] = json.loads(answered["Body"].read())
    answer = {
        "Tweet": tweet,
        "Tokenized tweet": [text],
        "Escalate": "Yes" if verdict["label"][0] == "__label__1" else "No",
        "Confidence": verdict["prob"][0],
    }
    return {"statusCode": 200, "body": json.dumps(answer)}


def request(text: str) -> bytes:
    return json.dumps({"instances": [text], "configuration": {"k": 2}}).encode()


@contextmanager
def endpoint(folder: Path) -> Iterator[None]:
    """The reference's endpoint, with keys and an address by which this process finds it."""
    unpack(MODEL, folder)
    with BlazingTextStandin(folder / BINARY) as standin:
        found = {
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": standin.url,
            "NO_PROXY": "127.0.0.1",
        }
        with patch.dict(os.environ, found):
            amazon.session.cache_clear()
            sagemaker.client.cache_clear()
            yield


def beside(folder: Path) -> Iterator[Line]:
    """What each adds, warm, to a bare call of the endpoint through a client that is kept."""
    from handlers.tweet_api import handler as answer  # noqa: PLC0415

    given = {"method": "GET", "path": "/tweet/x", "query": "", "host": "127.0.0.1"}
    given |= {"protocol": "HTTP/1.1", "source": "127.0.0.1"}
    own = texts(CALLS)
    events = [http_event(ROUTE, {"tweet": text}, given, {"host": "127.0.0.1"}, b"") for text in own]
    bodies = [request(slugify(text, separator=" ")) for text in own]

    with endpoint(folder):
        kept = amazon.client("sagemaker-runtime", Config())
        parts = Parts(
            settings.read(
                {"SAGEMAKER_ENDPOINT": REFERENCE_ENDPOINT, "DATA_DIR": str(folder / "reference")}
            )
        )

        def bare() -> None:
            for body in bodies:
                kept.invoke_endpoint(
                    EndpointName=REFERENCE_ENDPOINT, ContentType="application/json", Body=body
                )["Body"].read()

        def ours() -> None:
            for event in events:
                answer(event, None)

        def theirs() -> None:
            for event in events[:THEIR_CALLS]:
                reference(event, None)

        with process.hosting(parts):
            same(answer(events[0], None), reference(events[0], None))
            for warmed in (bare, ours, theirs):
                warmed()
            rounds = [
                (seconds(bare) / CALLS, seconds(ours) / CALLS, seconds(theirs) / THEIR_CALLS)
                for _ in range(ROUNDS)
            ]
    alone, our, their = (1e3 * median(one) for one in zip(*rounds, strict=True))
    our_extra = 1e3 * median(one[1] - one[0] for one in rounds)
    their_extra = 1e3 * median(one[2] - one[0] for one in rounds)
    detail = (
        f"the call {alone:.2f} ms, our `GET /tweet` {our:.2f} ms, the reference's {their:.2f} ms"
    )
    figure = f"{their_extra / max(our_extra, 0.01):.0f} times less"
    yield Line("what we add to a bare endpoint call, by the reference's", figure, "≥ 15", detail)


def same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Both answer the same question."""
    mine, other = json.loads(ours["body"]), json.loads(theirs["body"])
    assert mine.keys() == other.keys()
    assert (mine["Tokenized tweet"], mine["Escalate"]) == (
        other["Tokenized tweet"],
        other["Escalate"],
    )
