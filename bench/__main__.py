"""`make bench`: a table of ratios within one run.

Memory and `ingest` are single long runs, the others medians of several rounds.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import fasttext
from slugify import slugify

from bench import cold, reference, slack
from bench.measures import ROUNDS, Line, fullest, seconds
from bench.samples import texts, x_event
from bot import process, settings
from bot.__main__ import main as command
from bot.classifier.archive import unpack
from bot.classifier.artifact import BINARY
from bot.local.events import http_event
from bot.ports import Outgoing
from bot.settings import HOUSE
from bot.twitter import signatures
from bot.verdicts import judge
from bot.wiring import Parts

MODEL = HOUSE / "build" / "model.tar.gz"
TEXTS = 20_000


@contextmanager
def quiet() -> Iterator[None]:
    """What is printed within goes nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, ExitStack() as stack:
        before = sys.stdout
        sys.stdout = nowhere
        stack.callback(setattr, sys, "stdout", before)
        yield


def bare(own: Sequence[str], model: Any) -> None:
    for text in own:
        model.predict(slugify(text, separator=" "), k=2)


def classify(path: Path) -> None:
    with path.open(encoding="utf-8") as lines, quiet():
        before, sys.stdin = sys.stdin, lines
        try:
            command(["classify"])
        finally:
            sys.stdin = before


def classify_rate(folder: Path) -> tuple[Line, float]:
    """Against slugify and fastText alone; also seconds per text."""
    unpack(MODEL, folder)
    model = fasttext.load_model(str(folder / BINARY))
    own = texts(TEXTS)
    path = folder / "texts.txt"
    path.write_text("\n".join(own) + "\n", "utf-8")
    classify(path)
    rounds = [(seconds(bare, own, model), seconds(classify, path)) for _ in range(ROUNDS)]
    ratio = median(alone / ours for alone, ours in rounds)
    each = median(ours for _, ours in rounds) / TEXTS
    detail = f"{1 / each:,.0f} texts a second"
    return Line(
        "`classify` against bare slugify and fastText", f"{ratio:.2f}", "≥ 0.70", detail
    ), each


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took: seconds, and megabytes at its fullest (Linux; else 0)."""

    seconds: float
    megabytes: float


def child(arguments: Sequence[str], environment: dict[str, str], given: Path | None) -> Spent:
    """Runs the command line in a process of its own."""
    with ExitStack() as stack:
        stdin = stack.enter_context(given.open("rb")) if given else subprocess.DEVNULL
        begun = time.perf_counter()
        running = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "bot", *arguments],
            cwd=HOUSE,
            env={**os.environ, **environment},
            stdin=stdin,
            stdout=subprocess.DEVNULL,
        )
        held = 0.0
        while running.poll() is None:
            held = max(held, fullest(running.pid))
            time.sleep(0.02)
        assert running.returncode == 0
        return Spent(time.perf_counter() - begun, held)


def classify_memory(folder: Path, number: int) -> Line:
    held = []
    for count in (number // 100, number):
        path = folder / "lines.txt"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in islice(cycle(texts(TEXTS)), count))
        held.append(child(["classify"], {}, path).megabytes)
    figure = f"{held[1] / held[0]:.2f}"
    detail = f"{held[0]:.0f} MB at {number // 100:,} lines, {held[1]:.0f} MB at {number:,}"
    return Line("memory of `classify`, whole by hundredth part", figure, "1.0", detail)


def ingest(folder: Path, numbers: Sequence[int], classify_each: float) -> Iterator[Line]:
    """Durable to the last effect; each run on a database of its own."""
    runs: list[Spent] = []
    for number in numbers:
        path = folder / f"{number}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for at, text in enumerate(texts(number)):
                row = {"id": str(1_700_000_000_000_000_000 + at), "text": text, "lang": "en"}
                file.write(json.dumps(row) + "\n")
        runs.append(child(["ingest", str(path)], {"DATA_DIR": str(folder / str(number))}, None))

    def each(one: int, other: int) -> float:
        return (runs[other].seconds - runs[one].seconds) / (numbers[other] - numbers[one])

    ratio, rate = classify_each / each(0, -1), 1 / each(0, -1)
    detail = f"{rate:,.0f} tweets a second"
    yield Line("`ingest` against `classify`", f"{ratio:.3f}", "≥ 0.030", detail)
    early, late = each(0, 1), each(-2, -1)
    detail = f"{1e3 * early:.2f} ms up to {numbers[1]:,}, {1e3 * late:.2f} ms up to {numbers[-1]:,}"
    yield Line("a tweet's time in `ingest`, late by early", f"{late / early:.2f}", "1.0", detail)
    held = [run.megabytes for run in runs]
    detail = ", ".join(f"{mb:.0f} MB at {n:,}" for mb, n in zip(held, numbers, strict=True))
    yield Line("memory of `ingest`, last by second", f"{held[-1] / held[1]:.2f}", "1.0", detail)


def handler(folder: Path) -> Line:
    """A warm `GET /tweet` over the classifier's call alone."""
    from handlers.tweet_api import handler as answer  # noqa: PLC0415

    parts = Parts(settings.read({"DATA_DIR": str(folder / "web"), "MODEL_PATH": str(MODEL)}))
    route = "GET /tweet/{tweet}"
    own = texts(2_000)
    request = {"method": "GET", "path": "/tweet/x", "query": "", "host": "127.0.0.1"}
    request |= {"protocol": "HTTP/1.1", "source": "127.0.0.1"}
    events = [
        http_event(route, {"tweet": text}, request, {"host": "127.0.0.1"}, b"") for text in own
    ]

    def alone() -> None:
        for text in own:
            judge([text], parts.classifier, None)

    def ours() -> None:
        with process.hosting(parts):
            for event in events:
                answer(event, None)

    ours()
    rounds = [(seconds(alone), seconds(ours)) for _ in range(ROUNDS)]
    extra = 1e3 * median(b - a for a, b in rounds) / len(own)
    ratio = median(b / a for a, b in rounds)
    detail = f"{ratio:.1f} times the classifier's call"
    return Line("warm `GET /tweet` on top of the classifier", f"{extra:.3f} ms", "≤ 0.5 ms", detail)


def webhook(folder: Path) -> Iterator[Line]:
    """A warm `POST /x/webhook` of one event and of a hundred, with a queue that does nothing."""
    from handlers.x_webhook import handler as answer  # noqa: PLC0415

    secret = "bench"  # noqa: S105
    own = {"DATA_DIR": str(folder / "webhook"), "X_CONSUMER_SECRET": secret}
    parts = Parts(settings.read(own))
    parts.tweets = Idle()  # type: ignore[assignment]
    events = [x_event(number, text) for number, text in enumerate(texts(100))]
    for what, number, content, aim in (
        ("one event", 1, events[0], 2),
        ("a hundred events", 100, {"data": [event["data"] for event in events]}, 20),
    ):
        body = json.dumps(content).encode()
        headers = {"host": "127.0.0.1", signatures.HEADER: signatures.sign(secret, body)}
        request = {"method": "POST", "path": "/x/webhook", "query": "", "host": "127.0.0.1"}
        request |= {"protocol": "HTTP/1.1", "source": "127.0.0.1"}
        event = http_event("POST /x/webhook", {}, request, headers, body)
        with process.hosting(parts):
            taken = json.loads(answer(event, None)["body"])
            assert taken["queued"] == number
            each = [seconds(answer, event, None) for _ in range(20 * ROUNDS)]
        detail = f"{len(body) / 1e3:.0f} KB"
        yield Line(
            f"warm `POST /x/webhook`, {what}", f"{1e3 * median(each):.2f} ms", f"≤ {aim} ms", detail
        )


class Idle:
    """A queue that takes everything and does nothing."""

    def send(self, messages: Sequence[Outgoing]) -> None:
        pass


def start(folder: Path) -> Line:
    """`make run`, set up already, to its first verdict."""
    spent = median(one_start(folder) for _ in range(ROUNDS))
    return Line("`make run` to its first answer", f"{spent:.2f} s", "≤ 3 s", "set up already")


def one_start(folder: Path) -> float:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {**os.environ, "PORT": str(port), "DATA_DIR": str(folder / "start")}
    for name in [name for name in own if re.match("MAKE|MFLAGS", name)]:
        del own[name]
    begun = time.perf_counter()
    bot = subprocess.Popen(["make", "run"], cwd=HOUSE, env=own, stderr=subprocess.DEVNULL)  # noqa: S607
    try:
        while bot.poll() is None:
            try:
                with urlopen(f"http://127.0.0.1:{port}/tweet/I%20am%20angry") as answer:
                    assert answer.status == 200
                break
            except URLError:
                time.sleep(0.01)
        assert bot.poll() is None, "the bot stopped by itself"
        return time.perf_counter() - begun
    finally:
        bot.terminate()
        bot.wait()


def run() -> None:
    given = ArgumentParser(prog="python -m bench", description=__doc__)
    given.add_argument("--short", action="store_true", help="a hundredth of the lines and tweets")
    small = given.parse_args().short
    million, numbers = 1_000_000, (1_000, 20_000, 100_000, 200_000)
    if small:
        million, numbers = 100_000, (500, 2_000, 3_500, 5_000)
    print("| what | figure | aim | |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        line, each = classify_rate(folder)
        print(line, flush=True)
        print(handler(folder), flush=True)
        for line in webhook(folder):
            print(line, flush=True)
        for line in cold.starts(folder):
            print(line, flush=True)
        for line in reference.beside(folder):
            print(line, flush=True)
        print(slack.acknowledgement(folder), flush=True)
        print(slack.imports(), flush=True)
        print(start(folder), flush=True)
        print(classify_memory(folder, million), flush=True)
        for line in ingest(folder, numbers, each):
            print(line, flush=True)


if __name__ == "__main__":
    run()
