"""What each verb of the command line does; each returns its exit code.

0: fine. 1: some input was refused, or something is to mend. 2: wrong use.
"""

import json
import logging
import signal
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm

from bot import cases, settings
from bot.cases import Case
from bot.errors import Refused
from bot.local.files import Bad, tweets_in
from bot.local.host import Host, InProcess, queues_of
from bot.local.terminal import printable
from bot.verdicts import Classifier, judge
from bot.web.judging import verdict_row
from bot.wiring import Parts

if TYPE_CHECKING:
    from bot.slack.socket import SocketMode

Environment = Mapping[str, str]

AT_ONCE: Final = 256
"""Lines of standard input judged in one call to the classifier."""


def run(arguments: Namespace, environment: Environment) -> int:  # noqa: ARG001
    """The whole bot on this machine until Ctrl-C."""
    from bot.local.console import ROUTES, Console  # noqa: PLC0415
    from bot.local.http import ADDRESS, Application, listen  # noqa: PLC0415

    invoke = InProcess(environment)
    parts = invoke.parts()
    # A wrong rule, text or model must stop the start, not the first tweet.
    parts.desk  # noqa: B018
    console = Console(parts)
    server = listen(Application(invoke, console, ROUTES), parts.settings.port)
    host = Host(invoke, queues_of(parts))
    # A shell that starts us in the background leaves Ctrl-C ignored.
    for stops in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stops, _interrupt)
    host.start()
    socket = _socket(parts)
    _say(f"Tweet Escalator runs on http://{ADDRESS}:{server.effective_port} (Ctrl-C stops it).")
    _say(_homes(parts))
    try:
        server.run()
    finally:
        _say("Stopping; what is not done yet is done at the next start.")
        console.stop()
        if socket:
            socket.close()
        host.stop()
        server.close()
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _socket(parts: Parts) -> "SocketMode | None":
    if parts.settings.slack_app_token is None:
        return None
    from bot.slack.socket import SocketMode  # noqa: PLC0415

    return SocketMode(parts.slack_app, parts.settings.slack_app_token)


def _homes(parts: Parts) -> str:
    slack = "Slack" if parts.slack else "the console"
    x = "polled" if parts.x else "not connected"
    return f"Cards go to {slack}; X is {x}; automatic replies are {parts.settings.auto_reply}."


def classify(arguments: Namespace, environment: Environment) -> int:
    """Verdicts of texts, or of the lines of standard input."""
    parts = Parts(settings.read(environment))
    classifier = _model(arguments.model) if arguments.model else parts.classifier
    lines = arguments.text or (line.rstrip("\r\n") for line in sys.stdin)
    at_once = 1 if sys.stdin.isatty() and not arguments.text else AT_ONCE
    for chunk in _chunks(iter(lines), at_once):
        for text, verdict in zip(
            chunk, judge(chunk, classifier, parts.settings.threshold), strict=True
        ):
            row = verdict_row(text, verdict)
            side = "escalate" if verdict.escalate else "answer"
            _print(arguments, row, f"{side:<9} {verdict.confidence:4.0%}  {text}")
    return 0


def _model(path: Path) -> Classifier:
    from bot.classifier.embedded import EmbeddedClassifier  # noqa: PLC0415

    return EmbeddedClassifier(path)


def _chunks(lines: Iterator[str], size: int) -> Iterator[list[str]]:
    while chunk := list(islice(lines, size)):
        yield chunk


def ingest(arguments: Namespace, environment: Environment) -> int:
    """A file of tweets through the whole pipeline."""
    from bot.local.ingest import ingest as work  # noqa: PLC0415

    invoke = InProcess(environment)
    parts = invoke.parts()
    logging.getLogger("bot").setLevel(logging.WARNING)
    with tqdm(unit=" tweets", disable=None, leave=False) as bar:

        def refused(bad: Bad) -> None:
            bar.write(printable(f"{bad.where}: {bad.problem}"), file=sys.stderr)

        report = work(
            tweets_in(arguments.file, answer=arguments.reply), invoke, parts, refused, bar.update
        )
    _print(arguments, dict(report.counts), report.sentence())
    return 1 if report.counts["refused"] else 0


def show_cases(arguments: Namespace, environment: Environment) -> int:
    """Cases, newest first."""
    for case in Parts(settings.read(environment)).store.newest():
        if arguments.open and (case.route != "escalate" or case.resolved):
            continue
        effects = ", ".join(f"{effect.kind} {effect.state}" for effect in case.effects)
        text = " ".join(case.tweet.text.split())
        plain = f"{case.id}  {case.route:<8}  {effects or '-':<16}  {text[:100]}"
        _print(arguments, cases.summary(case), plain)
    return 0


def explain(arguments: Namespace, environment: Environment) -> int:
    """One decision, step by step."""
    from bot.classifier.explanation import weights  # noqa: PLC0415

    parts = Parts(settings.read(environment))
    case = parts.store.get([arguments.tweet_id]).get(arguments.tweet_id)
    if case is None:
        raise Refused(f"There is no case {arguments.tweet_id}; `cases` lists those there are.")
    moved: list[dict[str, Any]] = []
    if case.verdict and case.verdict.known:
        found = weights(case.verdict.tokens, parts.classifier)
        moved = [{"word": w.word, "weight": round(w.weight, 4)} for w in found[:10]]
    record = {**cases.to_json(case), "words": moved}
    _print(arguments, record, "\n".join(_story(case, moved)))
    return 0


def _story(case: Case, moved: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    author = case.tweet.author
    yield f"tweet     {case.id} by {author.handle or author.id or 'someone unknown'}"
    lines = case.tweet.text.replace("\n", "\n          ")  # a line of it must not look like ours
    yield f"text      {lines}"
    if case.verdict:
        verdict = case.verdict
        yield f"tokens    {verdict.tokens}"
        yield (
            f"verdict   {verdict.probability:.3f} against {verdict.threshold:.2f}, by "
            f"{verdict.model}{', unsure' if case.unsure else ''}"
        )
    words = ", ".join(f"{w['word']} {w['weight']:+.3f}" for w in moved)
    if words:
        yield f"words     {words}"
    yield f"route     {case.route}"
    for reason in case.reasons:
        yield f"reason    {reason}"
    for effect in case.effects:
        told = [effect.state, effect.outside_id, effect.text, effect.problem]
        yield f"effect    {effect.kind}: {' · '.join(part for part in told if part)}"
    for entry in case.history:
        yield f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.who}: {entry.what}"


def doctor(arguments: Namespace, environment: Environment) -> int:
    """Every setting and neighbour checked."""
    from bot.local.doctor import examine  # noqa: PLC0415

    ill = False
    for finding in examine(environment):
        word = {True: "ok", None: "-", False: "mend"}[finding.well]
        ill = ill or finding.well is False
        row = {"what": finding.what, "well": finding.well, "says": finding.says}
        _print(arguments, row, f"{word:<5} {finding.what:<13} {finding.says}")
    return 1 if ill else 0


def train(arguments: Namespace, environment: Environment) -> int:  # noqa: ARG001
    """A model from labelled tweets."""
    from bot.classifier.training import train as work  # noqa: PLC0415

    try:
        description = work(arguments.data, arguments.output, arguments.name)
    except OSError as error:
        raise Refused(f"{arguments.output} cannot be written: {error.strerror}.") from None
    metrics = ", ".join(f"{name} {value}" for name, value in description.metrics.items())
    row = {"output": str(arguments.output), **description.metrics}
    _print(arguments, row, f"Wrote {arguments.output} (cross-validated: {metrics}).")
    return 0


def _print(arguments: Namespace, row: Mapping[str, Any], plain: str) -> None:
    print(json.dumps(row) if arguments.json else printable(plain))  # noqa: T201


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201
