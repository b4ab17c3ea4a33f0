"""The laptop's plug is pulled, again and again, at whatever moment: nothing is lost or doubled."""

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.cases import Case
from bot.local.host import InProcess
from bot.settings import HOUSE
from bot.triage import Arrival, message
from bot.tweets import Tweet
from bot.wiring import Parts, now
from tests.e2e.homes import Home, carded, older
from tests.standins.slack import SlackStandin
from tests.test_command_line import environment, running

TWEETS, KILLS = 15_000, 20
CARDS_BEFORE_KILLS = (1, 4, 5, 12, 13, 30)
IN_FLIGHT = timedelta(minutes=6)
"""How long a message that nobody finishes stays invisible (serverless.yml)."""
PATIENCE = 120.0

WORDS = (
    "my the this our your that",
    "parcel invoice flight router card order booking train app screen meter bottle medicine",
    "is was came stays feels arrives looks",
    "late broken fine great lost wrong lovely slow dangerous cheap angry happy gone perfect",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.sqlite"


def sentence(chance: random.Random) -> str:
    return " ".join(chance.choice(words.split()) for words in WORDS)


def text(chance: random.Random) -> str:
    sentences = [sentence(chance) for _ in range(chance.randrange(1, 4))]
    return f"{', '.join(sentences)} {chance.choice(['', '!', '?', '😡', '🙏'])}".strip()


def asked(path: Path, query: str) -> list[tuple[int | str, ...]]:
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return connection.execute(query).fetchall()


def stored(path: Path) -> int:
    """How many cases there are; none before there is a file with a schema."""
    with suppress(sqlite3.OperationalError):
        return int(asked(path, "SELECT count(*) FROM cases")[0][0])
    return 0


def kill_once(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Pulls its plug as soon as that is true."""
    until = time.monotonic() + PATIENCE
    while not reached():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.002)
            raise AssertionError(f"The bot ended by itself ({process.returncode}).")
        assert time.monotonic() < until, "The bot did nothing for two minutes."
    process.kill()  # SIGKILL
    process.wait(10)


def assert_whole(path: Path) -> None:
    assert asked(path, "PRAGMA integrity_check") == [("ok",)]


def kinds_and_states(case: Case) -> tuple[tuple[str, str], ...]:
    return tuple((effect.kind, effect.state) for effect in case.effects)


def test_an_ingest_that_is_killed_at_twenty_moments_loses_and_doubles_nothing(
    tmp_path: Path, path: Path
) -> None:
    chance = random.Random(15_000)  # noqa: S311
    file = tmp_path / "tweets.jsonl"
    rows = [{"id": str(10**6 + number), "text": text(chance)} for number in range(TWEETS)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def ingest() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "ingest", str(file)],
            cwd=HOUSE,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            text=True,
        )

    for moment in sorted(chance.sample(range(TWEETS * 4 // 5), KILLS)):
        with ingest() as process:
            kill_once(process, lambda moment=moment: stored(path) >= moment)  # type: ignore[misc]
    with ingest() as process:
        summary, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, summary[:6]) == (0, "15000 "), summary

    def later() -> datetime:
        return now() + IN_FLIGHT

    invoke = InProcess({"DATA_DIR": str(path.parent)}, make=partial(Parts, clock=later))
    home = Home(invoke, invoke.parts(), "")
    home.run("housekeeping")
    home.work()
    assert {name: queue.depth() for name, queue in home.parts.queues.items()} == dict.fromkeys(
        ("tweets", "cards", "replies", "actions"), (0, 0)
    )
    assert [case.due_at for case in home.store.newest() if case.due_at] == []
    ends = Counter((case.route, kinds_and_states(case)) for case in home.store.newest())
    assert ends.keys() == {
        ("escalate", (("card", "sent"),)),
        ("reply", (("reply", "dry-run"),)),
    }
    assert {case.id for case in home.store.newest()} == {row["id"] for row in rows}
    assert ends.total() == TWEETS
    assert_whole(path)


def six_minutes_go_by(home: Home, path: Path) -> None:
    """As if so much time had passed since the plug was pulled."""
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        seconds = (IN_FLIGHT.total_seconds(),)
        connection.execute("UPDATE messages SET visible_at = visible_at - ?", seconds)
        connection.execute("UPDATE deduplications SET until = until - ?", seconds)
    for case in list(home.store.newest()):
        home.store.change(case.id, partial(older, by=IN_FLIGHT))


def test_a_bot_that_is_killed_while_it_posts_cards_posts_each_once(
    tmp_path: Path, path: Path
) -> None:
    chance = random.Random(5)  # noqa: S311
    with SlackStandin() as slack:
        keys = {
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": "test-signing-secret",
            "SLACK_SUPPORT_CHANNEL": slack.channel,
            "SLACK_PACE": "0",
            "BURST_CARDS": "0",
            "CLAIM_REMINDER": "0",
            "DIGEST_HOUR": "off",
            "no_proxy": "127.0.0.1",
        }
        invoke = InProcess({**keys, "DATA_DIR": str(path.parent)})
        home = Home(invoke, invoke.parts(), "")
        tweets = [Tweet(str(n), f"I am very angry, {sentence(chance)}", str(n)) for n in range(60)]
        home.parts.tweets.send([message(Arrival(tweet, now())) for tweet in tweets])
        for cards in CARDS_BEFORE_KILLS:
            with running(tmp_path, **keys) as (process, _):
                kill_once(process, lambda cards=cards: len(slack.messages) >= cards)  # type: ignore[misc]
            six_minutes_go_by(home, path)
        home.work()
        home.minutes_pass(6)
        posted = carded(slack)
    cases = list(home.store.newest())
    assert {case.id for case in cases} == {tweet.id for tweet in tweets}
    escalated = {case.id for case in cases if case.route == "escalate"}
    assert len(escalated) > max(CARDS_BEFORE_KILLS)
    assert posted == dict.fromkeys(escalated, 1)
    assert {
        (effect.kind, effect.state, effect.outside_id is not None)
        for case in cases
        if case.route == "escalate"
        for effect in case.effects
    } == {("card", "sent", True)}
    assert {queue.depth() for queue in home.parts.queues.values()} == {(0, 0)}
    assert_whole(path)
