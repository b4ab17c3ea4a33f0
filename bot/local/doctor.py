"""Every setting and neighbour checked, one line each, and how to mend it."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bot import settings
from bot.errors import Failure, Misconfigured, Refused
from bot.verdicts import judge
from bot.wiring import Parts


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `well` is None for what is not set up and need not be."""

    what: str
    well: bool | None
    says: str


def examine(environment: Mapping[str, str]) -> Iterator[Finding]:
    """The findings, in the order in which things build on each other."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), version)
    try:
        chosen = settings.read(environment)
    except Misconfigured as error:
        for problem in error.problems:
            yield Finding("settings", well=False, says=problem)
        return
    yield Finding("settings", well=True, says="They fit together.")
    parts = Parts(chosen)
    checks: list[tuple[str, Callable[[Parts], tuple[bool | None, str]]]] = [
        ("rules", _rules),
        ("classifier", _classifier),
        ("storage", _storage),
        ("dead letters", _dead_letters),
        ("slack", _slack),
        ("x", _x),
        ("x webhook", _webhook),
        ("web address", _web),
    ]
    for what, check in checks:
        try:
            yield Finding(what, *check(parts))
        except (Misconfigured, Failure, Refused) as problem:
            yield Finding(what, well=False, says=str(problem))


def _rules(parts: Parts) -> tuple[bool | None, str]:
    rules = parts.desk.rules
    count = len(rules.always) + len(rules.never) + len(rules.accounts)
    return True, f"{count} rules; languages {', '.join(sorted(rules.languages))}."


def _classifier(parts: Parts) -> tuple[bool | None, str]:
    [verdict] = judge(["I am very angry"], parts.classifier, parts.settings.threshold)
    return verdict.escalate, (
        f"{parts.settings.classifier} model {verdict.model}: «I am very angry» has probability "
        f"{verdict.probability:.2f}, threshold {verdict.threshold:.2f}."
    )


def _storage(parts: Parts) -> tuple[bool | None, str]:
    waiting = {name: queue.depth()[0] for name, queue in parts.queues.items()}
    where = parts.settings.aws.cases_table if parts.settings.aws else parts.settings.data_dir
    listed = ", ".join(f"{count} {name}" for name, count in waiting.items())
    return True, f"{where}; on the queues: {listed}."


def _dead_letters(parts: Parts) -> tuple[bool | None, str]:
    dead = {name: queue.depth()[1] for name, queue in parts.queues.items()}
    listed = ", ".join(f"{count} of {name}" for name, count in dead.items() if count)
    if not listed:
        return True, "None."
    return False, f"{listed}: messages that failed again and again; the log says why."


def _slack(parts: Parts) -> tuple[bool | None, str]:
    if parts.slack is None:
        return None, "Not connected: cards stay in the console. See .env.example."
    from bot.slack.client import whoami  # noqa: PLC0415

    return True, f"Connected as {whoami(parts.slack)}."


def _x(parts: Parts) -> tuple[bool | None, str]:
    if parts.x is None:
        return None, "Not connected: nothing is polled, replies are a dry run. See .env.example."
    mode = parts.settings.auto_reply
    return True, f"Connected as account {parts.x.account_id()}; automatic replies: {mode}."


def _webhook(parts: Parts) -> tuple[bool | None, str]:
    if parts.settings.x_consumer_secret is None:
        return None, "Closed: set X_CONSUMER_SECRET to take events from X."
    return True, "X_CONSUMER_SECRET is set; events are verified with it."


def _web(parts: Parts) -> tuple[bool | None, str]:
    if parts.settings.api_password is None:
        return None, "Open on this machine only: set API_PASSWORD to open it beyond."
    return True, "Beyond this machine it asks for the password."
