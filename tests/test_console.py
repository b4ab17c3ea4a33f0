"""The laptop's console: what it lists, from whom it takes changes, what its page may do."""

import base64
import hashlib
import json
import queue
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bot.cases import Effect
from bot.local.console import Console, sample_feed
from bot.local.events import http_event
from bot.ports import Outgoing
from bot.triage import arrival_of
from bot.tweets import Tweet
from bot.web.pages import page, policy_of
from bot.wiring import Parts
from tests.examples import NOON, case, parts

HERE = "127.0.0.1:8000"
ORIGIN = {"origin": f"http://{HERE}"}


class Gate:
    """A tweets queue that lets messages in while it is open."""

    def __init__(self) -> None:
        self.sent: queue.SimpleQueue[Outgoing] = queue.SimpleQueue()
        self.opened = Event()

    def send(self, messages: Sequence[Outgoing]) -> None:
        self.opened.wait(10)
        for message in messages:
            self.sent.put(message)

    def depth(self) -> tuple[int, int]:
        return 0, 0


@pytest.fixture
def bot(tmp_path: Path) -> Parts:
    return parts(tmp_path)


@pytest.fixture
def gate(bot: Parts) -> Gate:
    made = Gate()
    bot.tweets = made  # type: ignore[assignment]
    return made


@pytest.fixture
def console(bot: Parts) -> Iterator[Console]:
    made = Console(bot)
    yield made
    made.stop()


def ask(
    console: Console, route: str, headers: dict[str, str] | None = None, source: str = "127.0.0.1"
) -> dict[str, Any]:
    method, path = route.split(" ")
    sent = {"host": HERE, **(headers or {})}
    request = {"method": method, "path": path, "query": "", "host": sent["host"]}
    request |= {"protocol": "HTTP/1.1", "source": source}
    return console(route, http_event(route, {}, request, sent, b""))


def shown(console: Console) -> dict[str, Any]:
    listed: dict[str, Any] = json.loads(ask(console, "GET /console/cases")["body"])
    return listed


class TestCases:
    def test_are_listed_with_all_that_the_page_draws(self, bot: Parts, console: Console) -> None:
        effects = (
            Effect("reply", "failed", problem="X refuses.", text="Sorry!"),
            Effect("card", "sent"),
        )
        bot.store.add([case("<b>late</b>", unsure=True, effects=effects, assignee="U0AGENT")])
        listed = shown(console)
        assert (listed["waiting"], listed["dead"]) == (0, 0)
        [row] = listed["cases"]
        assert row["text"] == "<b>late</b>"
        assert (row["author"], row["name"]) == ("river_example", "River Example")
        assert (row["route"], row["unsure"], row["confidence"]) == ("escalate", True, 0.91)
        assert (row["probability"], row["threshold"]) == (0.91, 0.5)
        assert (row["reply"], row["problems"]) == ("Sorry!", ["X refuses."])
        assert [effect["kind"] for effect in row["effects"]] == ["reply", "card"]
        assert (row["assignee"], row["resolved"]) == ("U0AGENT", False)
        assert row["received_at"] == NOON.isoformat()

    def test_may_be_without_a_verdict(self, bot: Parts, console: Console) -> None:
        bot.store.add([case(verdict=None)])
        [row] = shown(console)["cases"]
        assert (row["confidence"], row["probability"], row["threshold"]) == (None, None, None)

    def test_are_the_two_hundred_newest(self, bot: Parts, console: Console) -> None:
        many = [case(tweet=Tweet(str(n), f"number {n}", str(n))) for n in range(1_000, 1_203)]
        bot.store.add(many)
        rows = shown(console)["cases"]
        assert [row["tweet_id"] for row in rows] == [str(n) for n in range(1_202, 1_002, -1)]

    def test_count_what_waits(self, bot: Parts, console: Console) -> None:
        bot.tweets.send([Outgoing("one"), Outgoing("two")])
        assert shown(console)["waiting"] == 2


class TestTheSampleFeed:
    def test_plays_from_the_consoles_own_page(self, console: Console, gate: Gate) -> None:
        gate.opened.set()
        answer = ask(console, "POST /console/feed", ORIGIN)
        assert answer["statusCode"] == 202
        first = arrival_of(gate.sent.get(timeout=10).body)
        assert isinstance(first.what, Tweet)
        assert first.what.text == next(sample_feed(NOON)).text
        assert json.loads(answer["body"]) == {"tweets": len(list(sample_feed(NOON)))}

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"origin": ""},
            {"origin": "null"},
            {"origin": "http://evil.example"},
            {"origin": "http://127.0.0.1:9000"},
            {"origin": "http://127.0.0.1"},
            {"origin": f"http://{HERE}.evil.example"},
            {"origin": f"http://evil.example@{HERE}"},
            {"referer": f"http://{HERE}/console/"},
        ],
    )
    def test_plays_from_nowhere_else(
        self, console: Console, gate: Gate, headers: dict[str, str]
    ) -> None:
        gate.opened.set()
        assert ask(console, "POST /console/feed", headers)["statusCode"] == 403
        assert gate.sent.empty()

    def test_plays_once_at_a_time(self, console: Console, gate: Gate) -> None:
        assert ask(console, "POST /console/feed", ORIGIN)["statusCode"] == 202
        again = ask(console, "POST /console/feed", ORIGIN)
        assert again["statusCode"] == 409
        assert "playing already" in json.loads(again["body"])["error"]
        gate.opened.set()

    def test_brings_new_tweets_each_time_that_all_may_be_judged(self) -> None:
        feed = list(sample_feed(NOON))
        assert len({tweet.id for tweet in feed}) == len(feed) > 40
        assert [int(tweet.id) for tweet in feed] == sorted(int(tweet.id) for tweet in feed)
        assert all(tweet.root_id == tweet.id and not tweet.answer for tweet in feed)


class TestWhoGetsIn:
    @pytest.mark.parametrize("route", ["GET /console/", "GET /console/cases", "POST /console/feed"])
    @pytest.mark.parametrize(
        ("headers", "source"),
        [
            ({"host": "bot.example"}, "127.0.0.1"),
            ({"host": "rebound.evil.example:8000"}, "127.0.0.1"),
            ({"x-forwarded-for": "203.0.113.7"}, "127.0.0.1"),
            ({}, "203.0.113.7"),
        ],
    )
    def test_nobody_off_this_machine(
        self, console: Console, gate: Gate, route: str, headers: dict[str, str], source: str
    ) -> None:
        gate.opened.set()
        answer = ask(console, route, {**ORIGIN, **headers}, source)
        assert answer["statusCode"] == 403
        assert "API_PASSWORD" in json.loads(answer["body"])["error"]
        assert gate.sent.empty()

    def test_whoever_knows_the_password(self, tmp_path: Path) -> None:
        guarded = Console(parts(tmp_path, API_PASSWORD="secret"))
        away = {"host": "bot.example"}
        word = "Basic " + base64.b64encode(b"triage:secret").decode()
        assert ask(guarded, "GET /console/", away)["statusCode"] == 401
        inside = ask(guarded, "GET /console/", {**away, "authorization": word})
        assert inside["statusCode"] == 200


class TestThePage:
    def test_is_found_without_its_slash_too(self, console: Console) -> None:
        answer = ask(console, "GET /console")
        assert (answer["statusCode"], answer["headers"]["location"]) == (308, "/console/")

    @pytest.mark.parametrize("page_of", [("bot.local", "console.html"), ("bot.web", "judge.html")])
    def test_may_run_exactly_its_own_script_and_style(self, page_of: tuple[str, str]) -> None:
        answer = page(*page_of, {"console": "/console/"})
        rules = dict(
            rule.strip().split(" ", 1)
            for rule in answer.headers["content-security-policy"].split(";")
        )
        for tag, rule in (("script", "script-src"), ("style", "style-src")):
            [content] = [part.split(f"</{tag}>")[0] for part in answer.body.split(f"<{tag}>")[1:]]
            digest = hashlib.sha256(content.encode()).digest()
            assert rules[rule] == f"'sha256-{base64.b64encode(digest).decode()}'"
        assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
        assert rules["connect-src"] == "'self'"
        assert not re.search(r"\s(style|on\w+)=\"", answer.body), "its policy would not allow that"
        assert "http" not in answer.body, "it needs nothing from anywhere else"

    def test_that_changes_gets_another_policy(self) -> None:
        html = "<style>a</style><script>b</script>"
        assert policy_of(html) != policy_of(html.replace("b", "c"))

    def test_is_not_kept_by_browsers_and_read_as_what_it_is(self, console: Console) -> None:
        headers = ask(console, "GET /console/")["headers"]
        assert headers["cache-control"] == "no-store"
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["x-content-type-options"] == "nosniff"
