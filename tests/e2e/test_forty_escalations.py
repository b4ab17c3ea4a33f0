"""Slack at its worst: every escalation gets its card, none twice, never faster than Slack takes."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.local.host import InProcess, Pump
from bot.local.serverless import functions
from bot.settings import Settings
from bot.triage import Arrival, message
from bot.tweets import Author, Tweet
from bot.wiring import Parts
from tests.e2e.homes import carded
from tests.examples import ANGRY, archive
from tests.fakes import Clock
from tests.standins.server import Fault
from tests.standins.slack import SlackStandin, rate_limited

POST = "chat.postMessage"


def angry(number: int) -> Tweet:
    tweet_id = str(1_985_000_000_000_000_000 + number)
    author = Author(str(number), f"customer{number}_ex")
    return Tweet(tweet_id, f"{ANGRY} {number}", tweet_id, author, lang="en")


def arrive(parts: Parts, many: int) -> list[str]:
    tweets = [angry(number) for number in range(many)]
    parts.tweets.send([message(Arrival(tweet, parts.clock())) for tweet in tweets])
    return [tweet.id for tweet in tweets]


def misbehave(slack: SlackStandin) -> None:
    slack.fail_every(7, "lost", where=POST)
    slack.faults += [
        rate_limited(30, where=POST),
        rate_limited(1, where=POST),
        Fault("drop", where=POST),
        Fault("html", status=502, where=POST),
        Fault("html", status=503, where="conversations.history"),
        Fault("status", 500, {"ok": False, "error": "fatal_error"}, where=POST),
    ]


@contextmanager
def hosted(folder: Path, clock: Clock) -> Iterator[tuple[SlackStandin, InProcess]]:
    """The laptop's host, with Slack beside it, in a time that passes only where they wait."""
    with SlackStandin(pace=1, clock=lambda: clock().timestamp()) as slack:
        environment = {
            "DATA_DIR": str(folder),
            "MODEL_PATH": str(archive(folder)),
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_SUPPORT_CHANNEL": slack.channel,
            "SLACK_API_URL": slack.api_url,
            "DIGEST_HOUR": "off",
            "CLAIM_REMINDER": "0",
        }

        def made(chosen: Settings) -> Parts:
            return Parts(chosen, clock, wait=clock.wait)

        yield slack, InProcess(environment, made)


def test_forty_get_forty_cards_though_answers_are_lost_and_slack_asks_to_wait(
    tmp_path: Path,
) -> None:
    clock = Clock()
    with hosted(tmp_path, clock) as (slack, invoke):
        ids = arrive(invoke.parts(), 40)
        misbehave(slack)
        run_until_quiet(invoke, clock)
        found = carded(slack)
        [incident] = set(found) - set(ids)
        assert incident.startswith("incident-")
        assert found == Counter([*ids, incident])
        collected = [case for case in invoke.parts().store.newest() if case.incident]
        assert len(collected) == 30
        [root] = [one["ts"] for one in slack.messages if _is_card_of(one, incident)]
        within = {one["metadata"]["event_payload"]["case"] for one in slack.thread(root)}
        assert within == {case.id for case in collected}


def _is_card_of(message: dict[str, Any], case_id: str) -> bool:
    return bool(message["metadata"]["event_payload"]["case"] == case_id)


def test_five_hundred_come_one_a_second_and_none_is_dropped(tmp_path: Path) -> None:
    clock = Clock()
    with hosted(tmp_path, clock) as (slack, invoke):
        ids = arrive(invoke.parts(), 500)
        run_until_quiet(invoke, clock)
        found = carded(slack)
        [incident] = set(found) - set(ids)
        assert found == Counter([*ids, incident])
        written = [call.at for call in slack.accepted if call.method.startswith("chat.")]
        assert len(written) > 500
        assert min(later - before for before, later in pairwise(written)) >= 1
        assert len(slack.calls("chat.")) == len(written), "Slack never had to ask for patience"
        [last] = [one for one in slack.messages if _is_card_of(one, incident)]
        assert "490 cases" in str(last["blocks"])


def run_until_quiet(invoke: InProcess, clock: Clock) -> None:
    """The functions at work, and time that passes only where they wait."""
    stop, own = threading.Event(), invoke.parts()
    pumps = [
        Pump(function, replace(trigger, window=0), own.queues[trigger.queue], invoke)
        for function in functions()
        for trigger in function.triggers
    ]
    until = clock() + timedelta(hours=2)
    while clock() < until:
        while sum(pump.once(stop) for pump in pumps):
            pass
        own.housekeeping.work()
        waiting = any(queue.depth()[0] for queue in own.queues.values())
        if not waiting and not any(case.due_at for case in own.store.newest()):
            return
        clock.wait(10)
    raise AssertionError("The queues did not become empty within two hours.")
