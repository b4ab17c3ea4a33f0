"""Which of Slack's requests get in, as API Gateway and the laptop deliver them."""

import base64
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import Misconfigured, Retryable
from bot.slack.looks.views import preview_view, reply_view
from tests.examples import ANGRY, case
from tests.standins.slack_requests import FORM, Delivery
from tests.workspace import AGENT, Workspace, event, workspace

MESSAGE = {"ts": "1.2", "channel": "C0SUPPORT"}
SIGNATURE, TIMESTAMP = "x-slack-signature", "x-slack-request-timestamp"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        yield made


def status(office: Workspace, happening: dict[str, Any]) -> int:
    return int(office.sees(happening)["statusCode"])


class TestWhoGetsIn:
    @pytest.mark.parametrize(
        "changed",
        [
            {SIGNATURE: "v0=" + "0" * 64},
            {SIGNATURE: "v0=é"},
            {SIGNATURE: ""},
            {TIMESTAMP: "noon"},
            {TIMESTAMP: "1.5"},
            {TIMESTAMP: "-1"},
            {TIMESTAMP: "²"},
            {TIMESTAMP: "9" * 5_000},
            {TIMESTAMP: ""},
            {TIMESTAMP: "0"},
        ],
    )
    def test_nobody_whose_signature_does_not_fit(
        self, office: Workspace, changed: dict[str, str]
    ) -> None:
        headers, body = office.typed("I am angry")
        assert status(office, event(({**headers, **changed}, body))) == 401
        assert office.queued() == []

    @pytest.mark.parametrize("missing", [SIGNATURE, TIMESTAMP])
    def test_nobody_who_leaves_a_header_out(self, office: Workspace, missing: str) -> None:
        headers, body = office.typed("I am angry")
        del headers[missing]
        assert status(office, event((headers, body))) == 401
        assert office.queued() == []

    def test_nobody_who_does_not_sign(self, office: Workspace) -> None:
        _, body = office.typed("I am angry")
        assert status(office, event(({"content-type": FORM}, body))) == 401
        assert office.queued() == []

    @pytest.mark.parametrize("seconds", [-301, 302])
    def test_nobody_whose_request_is_from_another_time(
        self, office: Workspace, seconds: float
    ) -> None:
        replayed = office.slack.command("I am angry", now=time.time() + seconds)
        assert status(office, event(replayed)) == 401
        assert office.queued() == []

    def test_nobody_who_changed_the_body(self, office: Workspace) -> None:
        headers, body = office.slack.button("resolve", "1", MESSAGE, now=time.time())
        assert status(office, event((headers, body + b"&x=1"))) == 401
        assert office.queued() == []

    def test_slack_itself_when_it_looks_at_the_certificate(self, office: Workspace) -> None:
        assert status(office, event(office.slack.ssl_check())) == 200

    def test_slack_itself_when_it_asks_whether_the_address_is_ours(self, office: Workspace) -> None:
        answer = office.asked(office.slack.url_verification("a-challenge", now=time.time()))
        assert json.loads(answer["body"]) == {"challenge": "a-challenge"}

    def test_nobody_else_who_asks_that(self, office: Workspace) -> None:
        _, body = office.slack.url_verification("a-challenge")
        assert status(office, event(({"content-type": "application/json"}, body))) == 401


class TestTheFormOfARequest:
    @pytest.mark.parametrize("change", [str.upper, str.title, str.lower])
    def test_has_headers_in_any_case(self, office: Workspace, change: Callable[[str], str]) -> None:
        happening = event(office.typed(ANGRY))
        headers = {change(name): value for name, value in happening["headers"].items()}
        assert status(office, {**happening, "headers": headers}) == 200
        assert [action["text"] for action in office.queued()] == [ANGRY]

    @pytest.mark.parametrize("missing", [{"headers": None}, {"headers": {}}, {"body": None}])
    def test_is_refused_without_headers_or_body(
        self, office: Workspace, missing: dict[str, Any]
    ) -> None:
        assert status(office, event(office.typed("hi"), **missing)) in {400, 401}

    def test_may_lack_the_word_on_its_encoding(self, office: Workspace) -> None:
        happening = event(office.slack.url_verification("plain", now=time.time()))
        del happening["isBase64Encoded"]
        assert status(office, happening) == 200

    def test_may_be_in_base64_or_not(self, office: Workspace) -> None:
        encoded = event(office.typed("wütend 😡"))
        assert encoded["isBase64Encoded"]
        body = base64.b64decode(encoded["body"]).decode()
        for happening in (encoded, {**encoded, "isBase64Encoded": False, "body": body}):
            assert status(office, happening) == 200
        assert [action["text"] for action in office.queued()] == ["wütend 😡"] * 2

    def test_is_refused_where_it_is_no_base64_though_it_says_so(self, office: Workspace) -> None:
        happening = event(office.typed("hi"))
        assert status(office, {**happening, "body": happening["body"][:-1] + "!"}) == 400

    @pytest.mark.parametrize(
        "body",
        [b"{", b"[]", b"5", b"null", b"{" * 5_000, b"payload=5", b"payload={", b"\xff\xfe",
         b'{"authorizations": 5}'],
    )  # fmt: skip
    @pytest.mark.parametrize("signed", [True, False])
    def test_is_refused_with_a_body_slack_would_never_send(
        self, office: Workspace, body: bytes, signed: bool
    ) -> None:
        headers, _ = office.slack.signed(body, "application/json", time.time())
        happening = event((headers if signed else {}, b""))
        happening |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        assert 400 <= status(office, happening) < 500
        assert office.queued() == []

    @given(body=st.binary(max_size=200), headers=st.dictionaries(st.text(), st.text()))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_of_any_kind_is_no_crash(
        self, office: Workspace, body: bytes, headers: dict[str, str]
    ) -> None:
        happening = event(({}, b""), headers=headers)
        happening |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        assert status(office, happening) in {400, 401}


def interaction(delivery: Delivery) -> dict[str, Any]:
    _, body = delivery
    payload: dict[str, Any] = json.loads(dict(parse_qsl(body.decode()))["payload"])
    return payload


class TestASignedRequestOfAnOddShape:
    @pytest.fixture
    def press(self, office: Workspace) -> dict[str, Any]:
        office.bot.store.add([case()])
        return interaction(office.slack.button("claim", case().id, MESSAGE))

    @pytest.fixture
    def form(self, office: Workspace) -> dict[str, Any]:
        office.bot.store.add([case()])
        view = {**reply_view(case(), ""), "id": "V1"}
        written = {"answer": {"text": {"type": "plain_text_input", "value": "Sorry!"}}}
        return interaction(office.slack.submission(view, written))

    @pytest.fixture
    def home(self, office: Workspace) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(office.looked_at_home()[1])
        return content

    def sent(self, office: Workspace, payload: dict[str, Any]) -> int:
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return status(office, event(office.slack.signed(body, FORM, time.time())))

    def happened(self, office: Workspace, content: dict[str, Any]) -> int:
        body = json.dumps(content).encode()
        return status(office, event(office.slack.signed(body, "application/json", time.time())))

    @pytest.mark.parametrize("user", [None, {}, "U0AGENT", {"id": None}, {"id": 5}, []])
    def test_that_does_not_say_who_asks_is_refused(
        self, office: Workspace, press: dict[str, Any], form: dict[str, Any], user: Any
    ) -> None:
        assert self.sent(office, {**press, "user": user}) == 400
        assert self.sent(office, {**form, "user": user}) < 500
        assert office.queued() == []

    @pytest.mark.parametrize("user", ["", None])
    def test_is_refused_as_a_command_of_nobody(self, office: Workspace, user: str | None) -> None:
        fields = dict(parse_qsl(office.typed("angry")[1].decode()))
        fields |= {"user_id": user} if user is not None else {}
        if user is None:
            del fields["user_id"]
        body = urlencode(fields).encode()
        assert status(office, event(office.slack.signed(body, FORM, time.time()))) == 400
        assert office.queued() == []

    @pytest.mark.parametrize("actions", [None, [], {}, 5, [None], [{}], [{"action_id": 5}]])
    def test_that_does_not_say_what_was_pressed_is_refused(
        self, office: Workspace, press: dict[str, Any], actions: Any
    ) -> None:
        assert 400 <= self.sent(office, {**press, "actions": actions}) < 500
        assert office.queued() == []

    @pytest.mark.parametrize("value", [None, 5, "", "not an id", "x" * 101, ["1"]])
    def test_that_says_of_no_case_is_told_so(
        self, office: Workspace, press: dict[str, Any], value: Any
    ) -> None:
        [action] = press["actions"]
        assert self.sent(office, {**press, "actions": [{**action, "value": value}]}) == 200
        assert office.works() == 0
        assert office.whisper() == "No card offers that any more: use the buttons it has now."

    def test_that_was_pressed_on_another_release_asks_nothing(
        self, office: Workspace, press: dict[str, Any]
    ) -> None:
        [action] = press["actions"]
        for odd in ("dance", "", "\n"):
            assert self.sent(office, {**press, "actions": [{**action, "action_id": odd}]}) == 200
        assert office.queued() == []

    @pytest.mark.parametrize("view", [None, 5, "", [], {}, {"type": "modal"}])
    def test_that_holds_no_form_is_refused(
        self, office: Workspace, form: dict[str, Any], view: Any
    ) -> None:
        assert 400 <= self.sent(office, {**form, "view": view}) < 500
        assert office.queued() == []

    def test_that_is_a_form_of_another_release_is_told_so(
        self, office: Workspace, form: dict[str, Any]
    ) -> None:
        other = {**form, "view": {**form["view"], "callback_id": "poll"}}
        body = urlencode({"payload": json.dumps(other)}).encode()
        answer = office.sees(event(office.slack.signed(body, FORM, time.time())))
        assert answer["statusCode"] == 200
        assert "of another release" in answer["body"]
        assert office.queued() == []

    @pytest.mark.parametrize("happened", [None, 5, "x", [], {}, {"type": "app_home_opened"}])
    def test_that_holds_no_event_is_harmless(
        self, office: Workspace, home: dict[str, Any], happened: Any
    ) -> None:
        assert self.happened(office, {**home, "event": happened}) < 500
        assert office.queued() == []

    def test_is_told_to_whoever_runs_the_bot(
        self, office: Workspace, press: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, "bot"):
            self.sent(office, {**press, "actions": []})
        assert "is nothing that Slack sends" in caplog.text


class Failing:
    """A queue that takes nothing."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def send(self, _messages: object) -> None:
        raise self.error


class TestWhatCannotBeQueued:
    """Slack then says so to whoever asked, and delivers an event again."""

    @pytest.fixture(
        params=[
            Retryable("1 message could not be queued."),
            Misconfigured(["No queue."]),
            OSError(),
        ]
    )
    def full(self, office: Workspace, request: pytest.FixtureRequest) -> Workspace:
        office.bot.store.add([case()])
        office.bot.actions = Failing(request.param)  # type: ignore[assignment]
        return office

    def test_is_not_acknowledged(self, full: Workspace) -> None:
        view = {**preview_view(case(), "Sorry!"), "id": "V1"}
        for delivery in (
            full.typed("hi"),
            full.typed("status", "/triage"),
            full.slack.button("claim", case().id, MESSAGE, now=time.time()),
            full.slack.button("right", '{"text": "hi"}', MESSAGE, now=time.time()),
            full.submitted(view),
            full.looked_at_home(),
        ):
            assert status(full, event(delivery)) == 503


class TestEvents:
    @pytest.mark.parametrize("kind", ["message", "app_mention", "reaction_added"])
    def test_that_nobody_asked_for_are_acknowledged_and_ask_nothing(
        self, office: Workspace, kind: str
    ) -> None:
        happened = {
            "type": kind,
            "channel": office.slack.channel,
            "user": AGENT,
            "text": "We will refund you!",
            "thread_ts": "1.2",
            "ts": "1.3",
        }
        office.asked(office.slack.event(happened, now=time.time()))
        assert office.queued() == []

    def test_that_are_delivered_again_ask_the_same_again(self, office: Workspace) -> None:
        for retry in range(3):
            office.asked(office.looked_at_home(event_id="Ev1", retry=retry))
        assert office.queued() == [{"do": "home", "who": AGENT}] * 3
