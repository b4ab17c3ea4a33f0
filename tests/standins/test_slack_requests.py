"""What Slack's stand-in sends, verified and read by Bolt itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt import Ack, App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from tests.standins.slack import SlackStandin
from tests.standins.slack_requests import Delivery

Seen = list[dict[str, Any]]


@pytest.fixture
def workspace() -> Iterator[SlackStandin]:
    with SlackStandin() as standin:
        yield standin


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def app(workspace: SlackStandin, seen: Seen) -> App:
    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T0HARBOR", bot_token="xoxb-x")

    app = App(
        name="test",
        signing_secret=workspace.signing_secret,
        authorize=authorize,
        process_before_response=True,
    )

    @app.command("/classify")
    def classify(ack: Ack, command: dict[str, Any]) -> None:
        ack(f"got {command['text']}")

    @app.action("claim")
    @app.view("reply")
    @app.event("app_home_opened")
    def note(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        seen.append(body)

    return app


def deliver(app: App, delivery: Delivery) -> tuple[int, str]:
    headers, body = delivery
    answer = app.dispatch(BoltRequest(body=body.decode(), headers=dict(headers)))
    return answer.status, answer.body


def test_commands_arrive_with_their_text(workspace: SlackStandin, app: App) -> None:
    answer = deliver(app, workspace.command("i am “angry” & sad"))
    assert answer == (200, "got i am “angry” & sad")


def test_buttons_arrive_with_their_message(workspace: SlackStandin, app: App, seen: Seen) -> None:
    bot = WebClient(workspace.bot_token, workspace.api_url)
    bot.chat_postMessage(channel="C0SUPPORT", text="A tweet")
    pressed = workspace.button("claim", "77", workspace.messages[0], user="U0OTHER")
    assert deliver(app, pressed)[0] == 200
    assert seen[0]["actions"][0]["value"] == "77"
    assert seen[0]["user"]["id"] == "U0OTHER"
    assert seen[0]["message"]["ts"] == workspace.messages[0]["ts"]


def test_modals_arrive_with_what_was_typed(workspace: SlackStandin, app: App, seen: Seen) -> None:
    view = {"type": "modal", "callback_id": "reply", "private_metadata": "77"}
    values = {"text": {"typed": {"type": "plain_text_input", "value": "We are sorry."}}}
    assert deliver(app, workspace.submission(view, values))[0] == 200
    assert seen[0]["view"]["state"]["values"]["text"]["typed"]["value"] == "We are sorry."


def test_events_may_arrive_again(workspace: SlackStandin, app: App, seen: Seen) -> None:
    opened = {"type": "app_home_opened", "user": "U0AGENT", "tab": "home"}
    for retry in (0, 1):
        again = workspace.event(opened, event_id="Ev1", retry=retry)
        assert deliver(app, again)[0] == 200
    assert [body["event_id"] for body in seen] == ["Ev1", "Ev1"]


def test_checks_of_the_address_are_answered(workspace: SlackStandin, app: App) -> None:
    asked = workspace.url_verification("a-challenge")
    assert deliver(app, asked) == (200, '{"challenge": "a-challenge"}')
    assert deliver(app, workspace.ssl_check())[0] == 200


def test_old_and_altered_requests_are_refused(workspace: SlackStandin, app: App) -> None:
    headers, body = workspace.command("hello")
    assert deliver(app, (headers, body + b"x"))[0] == 401
    assert deliver(app, workspace.command("hello", now=1_600_000_000))[0] == 401
