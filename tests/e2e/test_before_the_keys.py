"""The first deployment comes before the keys: everything waits and nothing fails, until they come.

The functions run in this process, each with its own environment and with the keys that it read
itself, as Lambda would have them.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import pytest

from bot import process, settings
from bot.delivery import WAIT_FOR_KEYS
from bot.local.events import sqs_event
from bot.local.host import Context
from bot.local.serverless import WIRING, Function, functions, load
from bot.process import SECRETS_READ_AGAIN
from bot.triage import Arrival, message
from bot.tweets import Author, Tweet
from bot.twitter import ACCOUNT
from bot.wiring import Parts, now
from tests.e2e.homes import Home, _aws_of_this_process, carded
from tests.standins import aws
from tests.standins.gateway import answer_body, http_event
from tests.standins.slack import SlackStandin
from tests.standins.slack_requests import Delivery
from tests.standins.x import XStandin
from tests.test_wiring import Hours

Secrets = Mapping[str, str]

SLACK: Final = {
    "SLACK_BOT_TOKEN": "xoxb-test-token",
    "SLACK_SIGNING_SECRET": "test-signing-secret",
    "SLACK_SUPPORT_CHANNEL": "C0SUPPORT",
}
HALF: Final = {
    "XSecret": {"X_CONSUMER_KEY": "typed", "X_ACCESS_TOKEN": "1001-typed"},
    "SlackSecret": {"SLACK_BOT_TOKEN": "xoxb-typed"},
}


class Stage:
    """A deployed bot whose secrets can be changed; `fresh` has its functions start anew."""

    def __init__(self, made: Mapping[str, str], patch: pytest.MonkeyPatch) -> None:
        self.made = made
        self._patch = patch
        self._secrets = [one.id for one in settings.SECRETS.values()]
        self._own: dict[str, dict[str, tuple[float, Parts]]] = {}
        self.declared = {one.name: one for one in functions()}
        environments = load(WIRING)["functions"]
        self._named = {name: set(one.get("environment", {})) for name, one in environments.items()}
        five = {name: made[name] for name in made if name.endswith(("_QUEUE_URL", "_TABLE"))}
        self.home = Home(self.invoke, Parts(settings.read(five)), "")

    def invoke(self, function: Function, event: dict[str, Any]) -> Any:
        module, _, name = function.handler.rpartition(".")
        with self._patch.context() as patch:
            for secret in self._secrets:
                if secret in self._named[function.name]:
                    patch.setenv(secret, self.made[secret])
            patch.setattr(process, "_own", self._own.setdefault(function.name, {}))
            handler = getattr(import_module(module), name)
            try:
                return handler(event, Context(function.name, "1", time.monotonic() + 60))
            except Exception as error:  # noqa: BLE001  a pump would have its batch come again
                pytest.fail(f"{function.name} failed: {error!r}")

    def ask(self, name: str, line: str, delivery: Delivery = ({}, b"")) -> tuple[int, str]:
        """What a function answers to a request that comes from outside."""
        method, _, path = line.partition(" ")
        route = f"{method} {path.partition('?')[0]}"
        event = http_event(method, path, delivery[0], delivery[1], route=route)
        answer = self.invoke(self.declared[name], event)
        return answer["statusCode"], answer_body(answer).decode()

    def fill(self, secret: str, held: Secrets | str) -> None:
        manager = aws.client("secretsmanager", self.made["AWS_ENDPOINT_URL"])
        content = held if isinstance(held, str) else json.dumps(held)
        manager.put_secret_value(SecretId=secret, SecretString=content)

    def dead_letters(self) -> int:
        return sum(queue.depth()[1] for queue in self.home.parts.queues.values())

    def effects(self) -> dict[str, tuple[str, str | None]]:
        """Of each kind of effect its state, and what is said of it."""
        found = [effect for case in self.home.store.newest() for effect in case.effects]
        return {effect.kind: (effect.state, effect.problem) for effect in found}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with aws.moto_server() as url:
        yield url


@pytest.fixture
def x() -> Iterator[XStandin]:
    with XStandin(clock=now) as standin:
        yield standin


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin() as standin:
        yield standin


@pytest.fixture(autouse=True)
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    passing = Hours()
    monkeypatch.setattr(process, "time", passing)
    return passing


@pytest.fixture
def stage(
    moto: str, x: XStandin, slack: SlackStandin, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """Deployed a moment ago, with nothing in its secrets but the password that was made up."""
    aws.reset(moto)
    web = {"WebSecret": {"API_PASSWORD": "made-up-password"}}
    made = aws.create(moto, load(WIRING), web)
    values = {
        **{name: value for name, value in made.items() if not name.endswith("_SECRET_ID")},
        "X_API_URL": x.url,
        "SLACK_API_URL": slack.api_url,
        "SLACK_PACE": "0",
        "CLAIM_REMINDER": "0",
        "DIGEST_HOUR": "off",
        "no_proxy": "127.0.0.1",
    }
    with _aws_of_this_process(values):
        monkeypatch.setattr(process, "_own", {})
        yield Stage(made, monkeypatch)


def arrive(stage: Stage, x: XStandin) -> None:
    """Two posts on the tweets queue: one for people, one to be answered."""
    own = stage.home.parts
    own.store.set_note(ACCOUNT, x.account.id)
    for text in ("I am very angry", "thanks, I am happy with your service"):
        post = x.add_mention(text)
        arrived = Tweet(
            post.id,
            post.text,
            post.id,
            Author(post.author.id, post.author.username),
            created_at=post.created_at,
            kind="mention",
            lang="en",
            mentions=frozenset({x.account.id}),
            source="webhook",
            answer=True,
        )
        own.tweets.send([message(Arrival(arrived, now()))])


@pytest.mark.parametrize(
    "held",
    [{}, HALF, {"XSecret": "typed", "SlackSecret": "typed"}],
    ids=["empty", "half-filled", "no JSON"],
)
def test_posts_wait_for_the_keys_and_then_become_one_card_and_one_answer(
    stage: Stage,
    x: XStandin,
    slack: SlackStandin,
    hours: Hours,
    held: Mapping[str, Secrets | str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for secret, content in held.items():
        stage.fill(secret, content)
    arrive(stage, x)
    stage.home.work()
    for _ in range(6):  # more often than a message may be received
        stage.home.time_passes(WAIT_FOR_KEYS)
    assert stage.home.run("xPoller") == {"queued": 0, "gone": 0}
    waits = ("pending", "Its keys are not set.")
    assert stage.effects() == {"card": waits, "reply": waits}
    assert stage.dead_letters() == 0
    assert (slack.requests, x.requests) == ([], [])
    assert "typed" not in caplog.text

    stage.fill("SlackSecret", SLACK)
    stage.fill("XSecret", keys(x))
    hours.seconds = SECRETS_READ_AGAIN + 1
    stage.home.time_passes(WAIT_FOR_KEYS)
    assert {kind: state for kind, (state, _) in stage.effects().items()} == {
        "card": "sent",
        "reply": "sent",
    }
    assert sum(carded(slack).values()) == len(x.posts) == 1


def keys(x: XStandin) -> dict[str, str]:
    return {
        "X_CONSUMER_KEY": x.keys.consumer_key,
        "X_CONSUMER_SECRET": x.keys.consumer_secret,
        "X_ACCESS_TOKEN": x.keys.access_token,
        "X_ACCESS_TOKEN_SECRET": x.keys.access_token_secret,
    }


class TestTheWebhook:
    def test_answers_503_and_says_why_until_it_has_its_key(
        self, stage: Stage, x: XStandin, hours: Hours, caplog: pytest.LogCaptureFixture
    ) -> None:
        delivery = self.delivery(x)
        for line, sent in (("GET", ({}, b"")), ("POST", delivery)):
            status, body = stage.ask("xWebhook", f"{line} /x/webhook?crc_token=abc", sent)
            assert status == 503
            assert "X_CONSUMER_SECRET is not set" in body
        assert caplog.text.count("X_CONSUMER_SECRET is not set") == 2
        stage.fill("XSecret", {"X_CONSUMER_SECRET": x.keys.consumer_secret})
        hours.seconds = process.SECRETS_DOUBTED + 1
        status, body = stage.ask("xWebhook", "GET /x/webhook?crc_token=abc")
        assert (status, "response_token" in body) == (200, True)
        status, body = stage.ask("xWebhook", "POST /x/webhook", delivery)
        assert (status, json.loads(body)["queued"]) == (200, 1)

    def test_answers_x_s_check_by_a_new_key_as_soon_as_strangers_cannot_abuse_it(
        self, stage: Stage, hours: Hours
    ) -> None:
        stage.fill("XSecret", {"X_CONSUMER_SECRET": "old"})
        before = stage.ask("xWebhook", "GET /x/webhook?crc_token=abc")
        stage.fill("XSecret", {"X_CONSUMER_SECRET": "new"})
        assert stage.ask("xWebhook", "GET /x/webhook?crc_token=abc") == before
        hours.seconds = process.SECRETS_DOUBTED + 1
        assert stage.ask("xWebhook", "GET /x/webhook?crc_token=abc") != before

    def test_takes_what_is_signed_by_a_new_key(
        self, stage: Stage, x: XStandin, hours: Hours
    ) -> None:
        stage.fill("XSecret", {"X_CONSUMER_SECRET": "old"})
        delivery = self.delivery(x)
        assert stage.ask("xWebhook", "POST /x/webhook", delivery)[0] == 401
        stage.fill("XSecret", {"X_CONSUMER_SECRET": x.keys.consumer_secret})
        hours.seconds = process.SECRETS_DOUBTED + 1
        assert stage.ask("xWebhook", "POST /x/webhook", delivery)[0] == 200

    def delivery(self, x: XStandin) -> Delivery:
        body = json.dumps(x.event(x.add_mention("I am very angry"))).encode()
        return {**x.signed(body), "content-type": "application/json"}, body


class TestSlackSRequests:
    @pytest.mark.parametrize("held", [{}, HALF["SlackSecret"], "typed"])
    def test_are_answered_503_until_the_keys_are_there(
        self, stage: Stage, slack: SlackStandin, hours: Hours, held: Secrets | str
    ) -> None:
        stage.fill("SlackSecret", held)
        delivery = slack.command("status", command="/triage")
        status, body = stage.ask("slack", "POST /slack/events", delivery)
        assert (status, "Slack is not connected" in body, "typed" in body) == (503, True, False)
        stage.fill("SlackSecret", SLACK)
        hours.seconds = process.SECRETS_DOUBTED + 1
        assert stage.ask("slack", "POST /slack/events", delivery)[0] == 200

    def test_are_verified_by_a_signing_secret_that_was_rotated(
        self, stage: Stage, slack: SlackStandin, hours: Hours
    ) -> None:
        stage.fill("SlackSecret", {**SLACK, "SLACK_SIGNING_SECRET": "old"})
        delivery = slack.command("status", command="/triage")
        assert stage.ask("slack", "POST /slack/events", delivery)[0] == 401
        stage.fill("SlackSecret", SLACK)
        hours.seconds = process.SECRETS_DOUBTED + 1
        assert stage.ask("slack", "POST /slack/events", delivery)[0] == 200


class TestTheWebAddress:
    LINE = "GET /tweet?text=hello"

    def test_is_closed_but_for_the_password(self, stage: Stage, hours: Hours) -> None:
        assert stage.ask("tweetApi", "GET /health")[0] == 200
        assert stage.ask("tweetApi", self.LINE)[0] == 401
        assert stage.ask("tweetApi", self.LINE, basic("made-up-password"))[0] == 200
        stage.fill("WebSecret", {"API_PASSWORD": "another-password"})
        assert stage.ask("tweetApi", self.LINE, basic("another-password"))[0] == 401
        hours.seconds = process.SECRETS_DOUBTED + 1
        assert stage.ask("tweetApi", self.LINE, basic("another-password"))[0] == 200
        assert stage.ask("tweetApi", self.LINE, basic("made-up-password"))[0] == 401

    def test_is_closed_to_everybody_without_one(self, stage: Stage) -> None:
        stage.fill("WebSecret", {})
        status, body = stage.ask("tweetApi", self.LINE, basic(""))
        assert (status, "API_PASSWORD" in body) == (403, True)


def basic(password: str) -> Delivery:
    encoded = base64.b64encode(f"triage:{password}".encode()).decode()
    return {"authorization": f"Basic {encoded}"}, b""


def test_a_new_token_of_slack_s_takes_over_where_the_old_one_failed(
    stage: Stage, x: XStandin, slack: SlackStandin, hours: Hours
) -> None:
    stage.fill("SlackSecret", SLACK)
    stage.invoke(stage.declared["notify"], {"Records": []})  # a process that has read the old keys
    slack.bot_token = "xoxb-new-token"
    stage.fill("SlackSecret", {**SLACK, "SLACK_BOT_TOKEN": "xoxb-new-token"})
    hours.seconds = process.SECRETS_DOUBTED + 1
    arrive(stage, x)
    tweets, cards = stage.home.parts.tweets, stage.home.parts.cards
    stage.invoke(stage.declared["triage"], sqs_event(tweets.receive(10), "tweets"))
    batch = sqs_event(cards.receive(1), "cards")
    assert stage.invoke(stage.declared["notify"], batch)["batchItemFailures"]
    assert not stage.invoke(stage.declared["notify"], batch)["batchItemFailures"]
    assert sum(carded(slack).values()) == 1
