"""Calls to Slack and what their failures mean, over Slack's stand-in."""

import logging
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.error import URLError

import pytest
from slack_sdk import WebClient

from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.slack import client
from bot.slack.client import Turns, answer, asked, connect, failure_of
from bot.slack.refusals import REASONS
from tests.examples import NOON
from tests.fakes import Clock
from tests.standins.server import Fault
from tests.standins.slack import SlackStandin, rate_limited, refused

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin(clock=NOON.timestamp) as standin:
        yield standin


@pytest.fixture
def web(slack: SlackStandin) -> WebClient:
    return connect(slack.bot_token, slack.api_url)


@pytest.fixture
def post(web: WebClient) -> Callable[[], object]:
    return lambda: asked(web.chat_postMessage, channel="C0SUPPORT", text="A card.")


FAILURES: list[tuple[Fault, type[Failure]]] = [
    (rate_limited(7), Retryable),
    (refused("ratelimited"), Retryable),
    (Fault("html", 429), Retryable),
    (Fault(status=503, body={"ok": False, "error": "service_unavailable"}), Retryable),
    (refused("channel_not_found"), Permanent),
    (refused("not_in_channel"), Permanent),
    (refused("is_archived"), Permanent),
    (refused("token_revoked"), Permanent),
    (refused("invalid_auth"), Permanent),
    (refused("missing_scope"), Permanent),
    (refused("invalid_blocks"), Permanent),
    (refused("msg_too_long"), Permanent),
    (refused("internal_error"), Unknown),
    (Fault(status=500, body={"ok": False, "error": "whatever"}), Unknown),
    (Fault(status=500), Unknown),
    (Fault("html", 502), Unknown),
    (Fault("html", 503), Unknown),
    (Fault("html", 200, performs=True), Unknown),
    (Fault(status=200, body=b"", performs=True), Unknown),
    (Fault(status=200, body=b"null", headers=JSON, performs=True), Unknown),
    (Fault(status=200, body=b"[1]", headers=JSON, performs=True), Unknown),
    (Fault(status=200, body={"ok": False}), Unknown),
    (Fault(status=200, body=b'{"ok": t', headers={"Content-Length": "99"}), Unknown),
    (Fault("lost"), Unknown),
    (Fault("drop"), Unknown),
]


class TestFailures:
    @pytest.mark.parametrize(("fault", "kind"), FAILURES)
    def test_are_told_apart_and_nothing_is_posted_twice(
        self, slack: SlackStandin, post: Callable[[], object], fault: Fault, kind: type[Failure]
    ) -> None:
        slack.faults.append(fault)
        with pytest.raises(Failure) as failed:
            post()
        assert type(failed.value) is kind
        assert len(slack.calls("chat.postMessage")) == 1
        assert len(slack.messages) == (fault.performs or fault.kind == "lost")

    def test_bring_slacks_own_pause_with_them(
        self, slack: SlackStandin, post: Callable[[], object]
    ) -> None:
        slack.faults.append(rate_limited(7))
        with pytest.raises(Retryable) as failed:
            post()
        assert failed.value.after == 7

    @pytest.mark.parametrize("reason", sorted(REASONS))
    def test_that_people_can_mend_say_how(
        self, slack: SlackStandin, post: Callable[[], object], reason: str
    ) -> None:
        slack.faults.append(refused(reason))
        with pytest.raises(Permanent, match=rf"refuses \({reason}\): \w+ .*\.$") as failed:
            post()
        assert failed.value.mendable

    def test_of_a_slow_slack_come_in_time(
        self, slack: SlackStandin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "SECONDS", 0.05)
        slack.faults.append(Fault("hang", performs=True))
        impatient = connect(slack.bot_token, slack.api_url)
        assert impatient.timeout == 0.05
        with pytest.raises(Unknown):
            asked(impatient.chat_postMessage, channel=slack.channel, text="A card.")

    def test_where_nobody_listens_surely_had_no_effect(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            unheard = connect("xoxb-x", f"http://127.0.0.1:{unused.getsockname()[1]}/api")
            with pytest.raises(Retryable, match="cannot be reached"):
                asked(unheard.auth_test)

    def test_of_an_unknown_name_surely_had_no_effect(self) -> None:
        assert isinstance(failure_of(URLError(socket.gaierror(-2, "unknown"))), Retryable)

    def test_of_our_own_making_are_no_failures_of_slack(self) -> None:
        with pytest.raises(ZeroDivisionError):
            failure_of(ZeroDivisionError())


class TestAnsweringACommand:
    @pytest.fixture
    def response_url(self, slack: SlackStandin) -> str:
        slack.command("hello")
        return f"{slack.url}/response/{next(reversed(slack.responses))}"

    def test_reaches_only_its_caller(self, slack: SlackStandin, response_url: str) -> None:
        answer(response_url, {"text": "Escalate: yes"})
        [[received]] = slack.responses.values()
        assert received == {"response_type": "ephemeral", "text": "Escalate: yes"}

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Fault("html", 404), Permanent),
            (rate_limited(4), Retryable),
            (Fault("html", 502), Unknown),
            (Fault("drop"), Unknown),
            (Fault("lost"), Unknown),
        ],
    )
    def test_fails_in_one_of_three_ways(
        self, slack: SlackStandin, response_url: str, fault: Fault, kind: type[Failure]
    ) -> None:
        slack.faults.append(fault)
        with pytest.raises(Failure) as failed:
            answer(response_url, {"text": "Escalate: yes"})
        assert type(failed.value) is kind
        assert getattr(failed.value, "after", None) == (4 if fault.status == 429 else None)


def test_the_environments_proxy_is_left_aside_where_no_proxy_says_so(
    slack: SlackStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert asked(connect(slack.bot_token, slack.api_url).auth_test)["user"] == "escalator"
    slack.command("hello")
    answer(f"{slack.url}/response/{next(reversed(slack.responses))}", {"text": "yes"})


def test_the_token_reaches_no_log_even_at_debug_level(
    slack: SlackStandin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    web = connect(slack.bot_token, slack.api_url)
    slack.faults.append(refused("invalid_auth"))
    with pytest.raises(Permanent):
        asked(web.auth_test)
    asked(web.chat_postMessage, channel=slack.channel, text="A card.")
    assert "chat.postMessage" in caplog.text
    assert slack.bot_token not in caplog.text


class TestTurns:
    def test_of_calls_to_the_channel_come_a_second_apart(self) -> None:
        clock = Clock()
        turns = Turns(clock, clock.wait, 1)
        taken = []
        for _ in range(5):
            turns.take()
            taken.append((clock() - NOON).total_seconds())
        assert taken == [0, 1, 2, 3, 4]

    def test_are_not_waited_for_where_time_has_passed(self) -> None:
        clock = Clock()
        turns = Turns(clock, clock.wait, 1)
        turns.take()
        clock.wait(0.4)
        turns.take()
        assert clock() == NOON + timedelta(seconds=1)
        clock.wait(60)
        turns.take()
        assert clock() == NOON + timedelta(seconds=61)

    def test_are_not_taken_while_slack_asks_to_wait(self) -> None:
        clock = Clock()
        turns = Turns(clock, clock.wait, 1)
        turns.hold(60)
        clock.wait(20)
        with pytest.raises(Retryable) as failed:
            turns.take()
        assert failed.value.after == 40
        clock.wait(40)
        turns.take()

    def test_do_not_wait_for_a_clock_that_was_put_back(self) -> None:
        clock = Clock()
        turns = Turns(clock, clock.wait, 1)
        turns.take()
        clock.wait(-3600)
        turns.take()
        assert clock() == NOON - timedelta(hours=1)
