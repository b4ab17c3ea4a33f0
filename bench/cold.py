"""Cold starts: from a function's process to its first answer, and what it holds by then.

Each runs as it is packed, under AWS's own runtime client, fed by its API on loopback.
"""

import base64
import compileall
import json
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shutil import copy
from statistics import median
from typing import Any, Final

from bench.instant import SECRET, InstantAws, instant_aws
from bench.measures import Line, fullest, seconds
from bench.samples import texts, x_event
from bot.local.events import http_event, sqs_event
from bot.ports import Message
from bot.settings import HOUSE
from bot.triage import Arrival, message
from bot.tweets import Tweet
from bot.twitter import signatures
from bot.wire import activity_event
from tests import unpacked
from tests.standins.lambda_runtime import LambdaFunction

ROUNDS: Final = 11
PACKAGE: Final = HOUSE / ".serverless/tweet-escalator.zip"


@dataclass(frozen=True, slots=True)
class Function:
    """A function, its first event, and what AWS is asked for to answer that, how often at least."""

    handler: str
    event: Any = field(default_factory=dict)
    asks: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds to the first answer, and megabytes held at most by then."""

    seconds: float
    megabytes: float


def ours() -> dict[str, tuple[str, Function]]:
    """Each with an event that gives it something to do, and the client it cannot do without."""
    posts = [x_event(number, text) for number, text in enumerate(texts(10))]
    return {
        "x_webhook": (
            "sqs",
            Function(
                "handlers.x_webhook.handler",
                webhook_event(posts[0]),
                {"GetSecretValue": 1, "SendMessageBatch": 1},
                {"X_SECRET_ID": "x"},
            ),
        ),
        "triage": ("dynamodb", triage(posts[:1])),
        "triage, ten posts": ("dynamodb", triage(posts)),
        "tweet_api": (
            "secretsmanager",
            Function(
                "handlers.tweet_api.handler",
                question(),
                {"GetSecretValue": 1},
                {"WEB_SECRET_ID": "web"},
            ),
        ),
    }


def triage(posts: Sequence[Mapping[str, Any]]) -> Function:
    asks = {"PutItem": len(posts), "SendMessageBatch": 1}
    return Function("handlers.triage.handler", batch(posts), asks)


def asking(method: str, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    given = {"method": method, "path": path, "query": "", "host": "api.example"}
    given |= {"protocol": "HTTP/1.1", "source": "203.0.113.7"}
    named = {"host": "api.example", **headers}
    return http_event(f"{method} {path}", {}, given, named, body)


def webhook_event(post: Mapping[str, Any]) -> dict[str, Any]:
    body = json.dumps(post).encode()
    return asking("POST", "/x/webhook", {signatures.HEADER: signatures.sign(SECRET, body)}, body)


def question() -> dict[str, Any]:
    known = base64.b64encode(f"triage:{SECRET}".encode()).decode()
    asked = asking("GET", "/tweet", {"authorization": f"Basic {known}"}, b"")
    return {**asked, "queryStringParameters": {"text": "I am very angry"}}


def batch(posts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the webhook makes of them, as SQS hands it to triage."""
    now = datetime.now(UTC)
    told = [activity_event(post) for post in posts]
    bodies = [message(Arrival(one, now)).body for one in told if isinstance(one, Tweet)]
    messages = [
        Message(id=str(number), body=body, receipt=str(number), receive_count=1, sent_at=now)
        for number, body in enumerate(bodies)
    ]
    return sqs_event(messages, "tweets")


def started(function: Function, folder: Path, brought: Path, aws: InstantAws) -> Start:
    """One cold start. Raises `AssertionError` where the function did not do its work."""
    own = {**aws.environment, **function.environment, **unpacked.environment(folder, brought)}
    aws.asked.clear()
    with LambdaFunction(function.handler, own, folder, python=unpacked.PYTHON) as running:
        answers: list[Any] = []
        spent = seconds(lambda: answers.append(running.invoke(function.event)))
        held = fullest(running.process_id or 0)
    [answer] = answers
    assert answer.get("statusCode", 200) == 200, answer
    assert not answer.get("batchItemFailures"), answer
    assert aws.asked >= Counter(function.asks), aws.asked
    return Start(spent, held)


@contextmanager
def surroundings(folder: Path) -> Iterator[Callable[[Function], Start]]:
    """What takes a function and starts it cold, from the package or from the baseline's folder."""
    if not PACKAGE.exists():
        raise SystemExit("There is no package to start functions from: run `make package` first.")
    if not unpacked.own_fasttext():
        raise SystemExit("No Python here has fasttext-predict: run `make bench`, which makes one.")
    with zipfile.ZipFile(PACKAGE) as archive:
        task = unpacked.unpacked(archive, folder)
    unpacked.compiled(task)
    brought, empty = unpacked.runtime(folder), folder / "baseline"
    empty.mkdir()
    copy(HOUSE / "bench/baseline.py", empty)
    compileall.compile_dir(empty, quiet=2)
    with instant_aws() as aws:
        yield lambda function: started(
            function, empty if function.handler.startswith("baseline.") else task, brought, aws
        )


def starts(folder: Path) -> Iterator[Line]:
    """Each function beside boto3 with one client, in rounds that take turns.

    The client has called nobody, though each function asks AWS before it answers: the detail has
    the ratio by one that has made its first call.
    """
    everything = {name: function for name, (_, function) in ours().items()}
    services = {name: service for name, (service, _) in ours().items()}
    for service in services.values():
        told = {"BENCH_SERVICE": service}
        everything[service] = Function("baseline.idle", environment=told)
        everything[f"{service} called"] = Function("baseline.calling", environment=told)
    with surroundings(folder) as start:
        for function in everything.values():
            start(function)  # into the disk's cache
        rounds = [{name: start(one) for name, one in everything.items()} for _ in range(ROUNDS)]

    def spent(name: str) -> float:
        return 1e3 * median(one[name].seconds for one in rounds)

    def by(name: str, other: str) -> float:
        return median(one[name].seconds / one[other].seconds for one in rounds)

    def held(name: str) -> float:
        return median(one[name].megabytes for one in rounds)

    for name, service in services.items():
        detail = (
            f"{spent(name):.0f} ms, boto3 with `{service}` {spent(service):.0f} ms; "
            f"{by(name, f'{service} called'):.2f} of what it takes with its first call"
        )
        what = f"cold `{name}` by boto3 with a client"
        yield Line(what, f"{by(name, service):.2f}", "≤ 1.3", detail)
    for name, service in services.items():
        detail = f"boto3 with `{service}` {held(service):.0f} MB"
        yield Line(f"memory of cold `{name}`", f"{held(name):.0f} MB", "< 90 MB", detail)


def run() -> None:
    with tempfile.TemporaryDirectory() as name:
        for line in starts(Path(name)):
            print(line, flush=True)


if __name__ == "__main__":
    run()
