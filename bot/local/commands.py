"""What each verb of the command line does; each returns its exit code.

0: fine. 1: some input was refused, or something is to mend. 2: wrong use.
"""

import logging
import signal
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from bot import records, settings
from bot.errors import Refused
from bot.local.files import Bad, chunks, tweets_in
from bot.local.host import Host, InProcess
from bot.local.story import looked_at, story
from bot.local.terminal import printable, show, terminal
from bot.tweets import checked_text
from bot.verdicts import Classifier, judge
from bot.web.judging import verdict_row
from bot.wiring import Parts

if TYPE_CHECKING:
    from bot.slack.socket import SocketMode

Environment = Mapping[str, str]

AT_ONCE: Final = 256
"""Lines of standard input judged in one call to the classifier."""


_BEGIN: Final = """\
Tweet Escalator: tweets that need a human go to Slack, the rest gets an answer.

Begin with one of these:
  python -m bot classify "I am very angry"   what the model thinks of a text
  python -m bot run                          the whole bot here, with its console in the browser
  python -m bot ingest tweets.csv            a file of tweets through the whole bot
  python -m bot doctor                       what is connected, and how to connect the rest

python -m bot --help lists all verbs; python -m bot VERB --help tells about one."""


def begin(arguments: Namespace, environment: Environment) -> int:  # noqa: ARG001
    """Where to begin, for who names no verb."""
    print(_BEGIN)  # noqa: T201
    return 0


def run(arguments: Namespace, environment: Environment) -> int:  # noqa: ARG001
    """The whole bot on this machine until Ctrl-C."""
    from bot.local.console import ROUTES, Console  # noqa: PLC0415
    from bot.local.http import ADDRESS, Application, listen  # noqa: PLC0415

    invoke = InProcess(environment)
    parts = invoke.parts()
    # A wrong rule, text or model must stop the start, not the first tweet.
    parts.desk, parts.reply_texts  # noqa: B018
    console = Console(parts)
    server = listen(Application(invoke, console, ROUTES), parts.settings.port)
    host = Host(invoke, parts.queues)
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
    return (
        f"The model is {parts.classifier.model}; cards go to {slack}; X is {x}; automatic replies "
        f"are {parts.settings.auto_reply}."
    )


def classify(arguments: Namespace, environment: Environment) -> int:
    """Verdicts of texts, or of the lines of standard input."""
    parts = Parts(settings.read(environment))
    classifier = _model(arguments.model) if arguments.model else parts.classifier
    piped = not arguments.text
    lines = (line.rstrip("\r\n") for line in sys.stdin or ()) if piped else arguments.text
    at_once = 1 if piped and terminal(sys.stdin) else AT_ONCE
    refused = 0
    hidden = True if terminal(sys.stdin) or terminal(sys.stdout) else None
    with tqdm(unit=" texts", disable=hidden, leave=False) as bar:
        for chunk in chunks(enumerate(lines, 1), at_once):
            good = []
            for number, text in chunk:
                try:
                    good.append(checked_text(text))
                except Refused as problem:
                    refused += 1
                    bar.write(f"{'line' if piped else 'text'} {number}: {problem}", sys.stderr)
            verdicts = judge(good, classifier, parts.thresholds())
            for text, verdict in zip(good, verdicts, strict=True):
                side = "escalate" if verdict.escalate else "answer"
                plain = f"{side:<9} {verdict.confidence:4.0%}  {text}"
                show(arguments, verdict_row(text, verdict), plain)
            bar.update(len(chunk))
    return 1 if refused else 0


def _model(path: Path) -> Classifier:
    from bot.classifier.embedded import EmbeddedClassifier  # noqa: PLC0415

    return EmbeddedClassifier(path)


def ingest(arguments: Namespace, environment: Environment) -> int:
    """A file of tweets through the whole pipeline."""
    from bot.local.ingest import ingest as work  # noqa: PLC0415

    own = InProcess(environment)
    parts, invoke = own.parts(), None if arguments.stage else own
    logging.getLogger("bot").setLevel(logging.WARNING)
    with tqdm(unit=" tweets", disable=None, leave=False) as bar:

        def refused(bad: Bad) -> None:
            bar.write(printable(f"{bad.where}: {bad.problem}"), file=sys.stderr)

        report = work(
            tweets_in(arguments.file, answer=arguments.reply), invoke, parts, refused, bar.update
        )
    show(arguments, dict(report.counts), report.sentence())
    return 1 if report.counts["refused"] else 0


def show_cases(arguments: Namespace, environment: Environment) -> int:
    """Cases, newest first."""
    for case in Parts(settings.read(environment)).store.newest():
        if case.notice or (arguments.open and not case.open):
            continue
        effects = ", ".join(f"{effect.kind} {effect.state}" for effect in case.effects)
        text = " ".join(case.tweet.text.split())
        plain = f"{case.id}  {case.route:<8}  {effects or '-':<16}  {text[:100]}"
        show(arguments, records.summary(case), plain)
    return 0


def explain(arguments: Namespace, environment: Environment) -> int:
    """One decision, step by step."""
    parts = Parts(settings.read(environment))
    case = parts.store.get([arguments.tweet_id]).get(arguments.tweet_id)
    if case is None:
        raise Refused(f"There is no case {arguments.tweet_id}; `cases` lists those there are.")
    case = looked_at(case, parts.classifier)
    # A further line of a post must not look like one of ours.
    told = (f"{label:<19} {text}".replace("\n", "\n" + " " * 20) for label, text in story(case))
    show(arguments, records.to_json(case), "\n".join(told))
    return 0


def doctor(arguments: Namespace, environment: Environment) -> int:
    """Every setting and neighbour checked."""
    from bot.local.doctor import examine  # noqa: PLC0415

    ill = False
    for finding in examine(environment, arguments.stage):
        word = {True: "ok", None: "-", False: "mend"}[finding.well]
        ill = ill or finding.well is False
        row = {"what": finding.what, "well": finding.well, "says": finding.says}
        show(arguments, row, f"{word:<5} {finding.what:<13} {finding.says}")
    return 1 if ill else 0


def redrive(arguments: Namespace, environment: Environment) -> int:
    """Dead letters back onto their queues."""
    queues = Parts(settings.read(environment)).queues
    for name in arguments.queues:
        if name not in queues:
            raise Refused(f"There is no queue {name}: name some of {', '.join(queues)}, or none.")
    for name in arguments.queues or queues:
        count = queues[name].redrive()
        show(arguments, {"queue": name, "redriven": count}, f"{name:<8} {count} back on the queue")
    return 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201
