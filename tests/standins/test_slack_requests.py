"""What Slack's stand-in sends, verified and read by Bolt itself."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt import Ack, App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

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
    @app.command("/triage")
    def classify(ack: Ack, command: dict[str, Any]) -> None:
        ack(f"got {command['text']}")

    @app.action("claim")
    @app.action("more")
    @app.view("reply")
    @app.view_closed("reply")
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


def test_commands_have_names(workspace: SlackStandin, app: App) -> None:
    assert deliver(app, workspace.command("status", command="/triage")) == (200, "got status")


def test_buttons_arrive_with_their_message(workspace: SlackStandin, app: App, seen: Seen) -> None:
    bot = WebClient(workspace.bot_token, workspace.api_url)
    bot.chat_postMessage(channel="C0SUPPORT", text="A tweet")
    pressed = workspace.button("claim", "77", workspace.messages[0], user="U0OTHER")
    assert deliver(app, pressed)[0] == 200
    assert seen[0]["actions"][0]["value"] == "77"
    assert seen[0]["user"]["id"] == "U0OTHER"
    assert seen[0]["message"]["ts"] == workspace.messages[0]["ts"]


BUTTON = {
    "type": "button",
    "action_id": "claim",
    "text": {"type": "plain_text", "text": "Claim it"},
    "value": "77",
}
CHOICES = [
    {"text": {"type": "plain_text", "text": text}, "value": text.lower()}
    for text in ("Snooze", "Mute")
]
CARD: dict[str, Any] = {
    "ts": "1700000000.000001",
    "channel": "C0SUPPORT",
    "metadata": {"event_type": "case", "event_payload": {"case": "77"}},
    "blocks": [
        {
            "type": "section",
            "text": {"type": "plain_text", "text": "A tweet"},
            "accessory": {"type": "overflow", "action_id": "more", "options": CHOICES},
        },
        {"type": "actions", "block_id": "case", "elements": [BUTTON]},
    ],
}


def test_what_a_message_shows_can_be_pressed(workspace: SlackStandin, app: App, seen: Seen) -> None:
    deliver(app, workspace.press("claim", CARD))
    deliver(app, workspace.press("more", CARD, option="mute"))
    [pressed], [chosen] = (body["actions"] for body in seen)
    assert (pressed["value"], pressed["block_id"], pressed["text"]) == (
        "77",
        "case",
        BUTTON["text"],
    )
    assert (chosen["type"], chosen["selected_option"]) == ("overflow", CHOICES[1])
    assert "metadata" not in seen[0]["message"]


@pytest.mark.parametrize(("action", "option"), [("dance", None), ("more", "dance")])
def test_what_a_message_does_not_show_cannot_be_pressed(
    workspace: SlackStandin, action: str, option: str | None
) -> None:
    with pytest.raises(LookupError, match="dance"):
        workspace.press(action, CARD, option=option)


def test_a_menu_of_an_older_card_may_still_be_used(
    workspace: SlackStandin, app: App, seen: Seen
) -> None:
    deliver(app, workspace.overflow("more", "label:77", CARD, block_id="old", user="U0OTHER"))
    [chosen] = seen[0]["actions"]
    assert (chosen["block_id"], chosen["selected_option"]["value"]) == ("old", "label:77")
    assert seen[0]["user"]["id"] == "U0OTHER"


def test_a_button_in_a_thread_tells_of_its_thread(
    workspace: SlackStandin, app: App, seen: Seen
) -> None:
    deliver(app, workspace.button("claim", "77", {**CARD, "thread_ts": "1600000000.000001"}))
    assert seen[0]["container"]["thread_ts"] == "1600000000.000001"


def test_a_button_of_an_ephemeral_message_comes_without_it(
    workspace: SlackStandin, app: App, seen: Seen
) -> None:
    bot = WebClient(workspace.bot_token, workspace.api_url)
    bot.chat_postEphemeral(channel="C0SUPPORT", user="U0AGENT", text="A", blocks=CARD["blocks"])
    for message in (workspace.ephemerals[0], workspace.ephemeral({"blocks": CARD["blocks"]})):
        deliver(app, workspace.press("claim", message))
        told = seen.pop()
        assert "message" not in told
        assert told["container"] == {
            "type": "message",
            "is_ephemeral": True,
            "message_ts": message["ts"],
            "channel_id": "C0SUPPORT",
        }
        assert told["response_url"].startswith(workspace.url)


def test_a_button_of_a_view_comes_with_the_view_and_no_channel(
    workspace: SlackStandin, app: App, seen: Seen
) -> None:
    bot = WebClient(workspace.bot_token, workspace.api_url)
    home = {"type": "home", "private_metadata": "page 2", "blocks": CARD["blocks"]}
    bot.views_publish(user_id="U0AGENT", view=home)
    shown = workspace.homes["U0AGENT"]
    deliver(app, workspace.press("claim", shown))
    deliver(app, workspace.overflow("more", "mute", shown))
    for told in seen:
        assert told["container"] == {"type": "view", "view_id": shown["id"]}
        assert told["view"]["private_metadata"] == "page 2"
        assert told.keys().isdisjoint({"message", "channel", "response_url"})
        assert told["trigger_id"] in workspace.triggers


def test_a_submitted_modal_tells_where_it_lies(
    workspace: SlackStandin, app: App, seen: Seen
) -> None:
    bot = WebClient(workspace.bot_token, workspace.api_url)
    title = {"type": "plain_text", "text": "Reply"}
    view = {
        "type": "modal",
        "callback_id": "reply",
        "private_metadata": "77",
        "title": title,
        "notify_on_close": True,
        "blocks": [{"type": "divider"}],
    }
    workspace.command("help")
    bot.views_open(trigger_id=next(reversed(workspace.triggers)), view=view)
    workspace.press("claim", {**workspace.views[0], "blocks": CARD["blocks"]})
    bot.views_push(trigger_id=next(reversed(workspace.triggers)), view=view)
    root, top = workspace.views
    deliver(app, workspace.submission(top, {}))
    deliver(app, workspace.view_closed(top))
    assert [body["type"] for body in seen] == ["view_submission", "view_closed"]
    for body in seen:
        assert body["view"]["private_metadata"] == "77"
        assert body["view"]["root_view_id"] == root["id"]
        assert body["view"]["previous_view_id"] == root["id"]


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
    deliver(app, workspace.app_home_opened("U0OTHER"))
    assert seen[2]["event"]["user"] == "U0OTHER"


def test_checks_of_the_address_are_answered(workspace: SlackStandin, app: App) -> None:
    asked = workspace.url_verification("a-challenge")
    assert deliver(app, asked) == (200, '{"challenge": "a-challenge"}')
    assert deliver(app, workspace.ssl_check())[0] == 200


def test_old_and_altered_requests_are_refused(workspace: SlackStandin, app: App) -> None:
    headers, body = workspace.command("hello")
    assert deliver(app, (headers, body + b"x"))[0] == 401
    assert deliver(app, workspace.command("hello", now=1_600_000_000))[0] == 401


class TestAResponseUrl:
    @pytest.fixture
    def address(self, workspace: SlackStandin) -> str:
        _, body = workspace.command("hello")
        return parse_qs(body.decode())["response_url"][0]

    def test_takes_five_messages_as_they_are(self, workspace: SlackStandin, address: str) -> None:
        sent: list[dict[str, Any]] = [
            {"text": "0"},
            {"response_type": "ephemeral", "blocks": CARD["blocks"]},
            {"response_type": "in_channel", "text": "2", "replace_original": False},
            {"replace_original": True, "text": "3"},
            {"delete_original": True},
        ]
        statuses = [WebhookClient(address).send_dict(body).status_code for body in [*sent, sent[0]]]
        assert statuses == [200] * 5 + [404]
        assert workspace.responses[address.rsplit("/", 1)[1]] == sent

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ({"text": ""}, "no_text"),
            ({"blocks": [{"type": "poem"}]}, "invalid_blocks"),
            ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
            ({"text": "x", "response_type": "public"}, "invalid_payload"),
            ({"text": "x", "channel": "C0OTHER"}, "invalid_payload"),
            ({"text": "x", "replace_original": "no"}, "invalid_payload"),
            (
                {
                    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}]
                    * 5
                },
                "msg_blocks_too_long",
            ),
        ],
    )
    def test_refuses_what_slack_would_not_show(
        self, workspace: SlackStandin, address: str, body: dict[str, Any], problem: str
    ) -> None:
        refused = WebhookClient(address).send_dict(body)
        assert (refused.status_code, refused.body) == (400, problem)
        assert list(workspace.responses.values()) == [[]]

    def test_lives_half_an_hour(self) -> None:
        now = [0.0]
        with SlackStandin(clock=lambda: now[0]) as workspace:
            _, body = workspace.command("hello")
            address = parse_qs(body.decode())["response_url"][0]
            now[0] = 1800
            assert WebhookClient(address).send(text="just").status_code == 200
            now[0] = 1801
            assert WebhookClient(address).send(text="late").status_code == 404
