"""Slack's stand-in, seen through its own SDK."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from tests.standins import slack
from tests.standins.server import Fault
from tests.standins.slack import SlackStandin

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def workspace() -> Iterator[SlackStandin]:
    with SlackStandin(clock=NOON.timestamp) as standin:
        yield standin


@pytest.fixture
def bot(workspace: SlackStandin) -> WebClient:
    return WebClient(workspace.bot_token, workspace.api_url, timeout=5, retry_handlers=[])


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def actions(n: int, **changed: Any) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Claim"}
    buttons = [
        {"type": "button", "action_id": f"claim-{i}", "text": text, "value": "1", **changed}
        for i in range(n)
    ]
    return {"type": "actions", "elements": buttons}


class TestSlack:
    def test_keeps_a_card_with_its_metadata(self, workspace: SlackStandin, bot: WebClient) -> None:
        about = {"event_type": "case", "event_payload": {"case": "77"}}
        posted = bot.chat_postMessage(
            channel="C0SUPPORT", text="A tweet", blocks=[section("Angry")], metadata=about
        )
        bot.chat_update(channel="C0SUPPORT", ts=posted["ts"], text="A tweet, claimed")
        bot.chat_postMessage(channel="C0SUPPORT", text="A note", thread_ts=posted["ts"])
        history = bot.conversations_history(channel="C0SUPPORT", include_all_metadata=True)
        assert [(m["text"], m["metadata"]) for m in history["messages"]] == [
            ("A tweet, claimed", about)
        ]
        assert workspace.messages[0]["blocks"] == [section("Angry")]
        assert workspace.thread(posted["ts"])[0]["text"] == "A note"

    def test_shows_metadata_only_where_asked(self, bot: WebClient) -> None:
        about = {"event_type": "case", "event_payload": {"case": "77"}}
        bot.chat_postMessage(channel="C0SUPPORT", text="A tweet", metadata=about)
        history = bot.conversations_history(channel="C0SUPPORT")
        assert "metadata" not in history["messages"][0]

    def test_pages_its_history_from_the_newest(self, bot: WebClient) -> None:
        stamps = [bot.chat_postMessage(channel="C0SUPPORT", text=str(n))["ts"] for n in range(5)]
        pages = [
            [message["text"] for message in page["messages"]]
            for page in bot.conversations_history(channel="C0SUPPORT", limit=2)
        ]
        assert pages == [["4", "3"], ["2", "1"], ["0"]]
        since = bot.conversations_history(channel="C0SUPPORT", oldest=stamps[2])
        assert [message["text"] for message in since["messages"]] == ["4", "3"]

    def test_shows_a_thread_from_its_parent_on_and_its_answers_nowhere_else(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        about = {"event_type": "case", "event_payload": {"case": "77"}}
        stamps = [bot.chat_postMessage(channel="C0SUPPORT", text=str(n))["ts"] for n in range(2)]
        answers = [
            bot.chat_postMessage(
                channel="C0SUPPORT", text=text, thread_ts=stamps[0], metadata=about
            )["ts"]
            for text in ("a", "b", "c")
        ]
        pages = [
            [(message["text"], "metadata" in message) for message in page["messages"]]
            for page in bot.conversations_replies(
                channel="C0SUPPORT", ts=stamps[0], limit=3, include_all_metadata=True
            )
        ]
        assert pages == [[("0", False), ("a", True), ("b", True)], [("c", True)]]
        later = bot.conversations_replies(channel="C0SUPPORT", ts=answers[1], oldest=answers[1])
        assert [message["text"] for message in later["messages"]] == ["0", "c"]
        alone = bot.conversations_replies(channel="C0SUPPORT", ts=stamps[1])
        assert [message["text"] for message in alone["messages"]] == ["1"]
        history = bot.conversations_history(channel="C0SUPPORT")
        assert [message["text"] for message in history["messages"]] == ["1", "0"]
        assert workspace.messages[0]["reply_count"] == 3

    def test_shows_an_answer_in_the_channel_too_where_it_is_broadcast(self, bot: WebClient) -> None:
        parent = bot.chat_postMessage(channel="C0SUPPORT", text="0")["ts"]
        bot.chat_postMessage(
            channel="C0SUPPORT", text="loud", thread_ts=parent, reply_broadcast=True
        )
        history = bot.conversations_history(channel="C0SUPPORT")
        assert [message["text"] for message in history["messages"]] == ["loud", "0"]

    def test_takes_an_answer_to_a_message_that_is_gone_into_the_channel(
        self, bot: WebClient
    ) -> None:
        posted = bot.chat_postMessage(
            channel="C0SUPPORT", text="late", thread_ts="1700000000.000001"
        )
        assert "thread_ts" not in posted["message"]
        [shown] = bot.conversations_history(channel="C0SUPPORT")["messages"]
        assert shown["text"] == "late"

    def test_refuses_a_thread_that_cannot_be(self, bot: WebClient) -> None:
        with pytest.raises(SlackApiError, match="invalid_thread_ts"):
            bot.chat_postMessage(channel="C0SUPPORT", text="hi", thread_ts="outside-1")
        with pytest.raises(SlackApiError, match="thread_not_found"):
            bot.conversations_replies(channel="C0SUPPORT", ts="1700000000.000001")

    @pytest.mark.parametrize(
        ("token", "channel", "error"),
        [
            ("xoxb-wrong", "C0SUPPORT", "invalid_auth"),
            (None, "C0SUPPORT", "not_authed"),
            ("xoxb-test-token", "C0OTHER", "channel_not_found"),
        ],
    )
    def test_refuses(
        self, workspace: SlackStandin, token: str | None, channel: str, error: str
    ) -> None:
        bot = WebClient(token, workspace.api_url, retry_handlers=[])
        with pytest.raises(SlackApiError) as refused:
            bot.chat_postMessage(channel=channel, text="hi")
        assert refused.value.response["error"] == error

    @pytest.mark.parametrize(
        "blocks",
        [
            [section("x")] * 51,
            [section("x" * 3001)],
            [section("")],
            [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
            [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
            [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}],
            [actions(26)],
            [actions(1, text={"type": "plain_text", "text": "x" * 76})],
            [actions(1, value="x" * 2001)],
            [actions(1, action_id="x" * 256)],
            [{**section("x"), "block_id": "x" * 256}],
            [{**section("x"), "block_id": "a"}] * 2,
            [{"type": "poem"}],
        ],
    )
    def test_refuses_blocks_past_its_limits(
        self, bot: WebClient, blocks: list[dict[str, Any]]
    ) -> None:
        with pytest.raises(SlackApiError) as refused:
            bot.chat_postMessage(channel="C0SUPPORT", text="hi", blocks=blocks)
        assert refused.value.response["error"] == "invalid_blocks"
        assert "json-pointer:/blocks" in refused.value.response["errors"][0]

    def test_takes_blocks_at_its_limits(self, workspace: SlackStandin, bot: WebClient) -> None:
        quoted = {"type": "rich_text_quote", "elements": [{"type": "text", "text": "<!channel>"}]}
        blocks = [
            *[section("x" * 200)] * 44,
            {"type": "header", "text": {"type": "plain_text", "text": "x" * 150}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 10},
            {"type": "rich_text", "elements": [quoted]},
            {"type": "divider"},
            actions(25, value="x" * 2000),
        ]
        bot.chat_postMessage(channel="C0SUPPORT", text="hi", blocks=blocks)
        assert workspace.messages[0]["blocks"] == blocks

    def test_refuses_messages_with_too_much_text(self, bot: WebClient) -> None:
        with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
            bot.chat_postMessage(channel="C0SUPPORT", text="hi", blocks=[section("x" * 3000)] * 5)

    def test_asks_for_patience(self, workspace: SlackStandin, bot: WebClient) -> None:
        workspace.faults.append(slack.rate_limited(7, where="chat.postMessage"))
        with pytest.raises(SlackApiError) as refused:
            bot.chat_postMessage(channel="C0SUPPORT", text="hi")
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "7"

    def test_can_hold_a_pace(self) -> None:
        ticks = iter([0.0, 0.0, 0.0, 0.5, 1.5, 1.5, 1.5])
        with SlackStandin(pace=1, clock=lambda: next(ticks)) as workspace:
            bot = WebClient(workspace.bot_token, workspace.api_url, retry_handlers=[])
            bot.chat_postMessage(channel="C0SUPPORT", text="one")
            with pytest.raises(SlackApiError, match="ratelimited"):
                bot.chat_postMessage(channel="C0SUPPORT", text="two")
            bot.chat_postMessage(channel="C0SUPPORT", text="three")

    def test_posts_twice_when_the_sdk_retries_a_lost_answer(self, workspace: SlackStandin) -> None:
        workspace.faults.append(Fault("lost"))
        WebClient(workspace.bot_token, workspace.api_url).chat_postMessage(
            channel="C0SUPPORT", text="once"
        )
        assert [message["text"] for message in workspace.messages] == ["once", "once"]

    def test_opens_a_modal_once_for_each_trigger(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        _, body = workspace.command("help")
        trigger = parse_qs(body.decode())["trigger_id"][0]
        title = {"type": "plain_text", "text": "Reply"}
        view = {"type": "modal", "title": title, "blocks": [section("x")], "private_metadata": ""}
        opened = bot.views_open(trigger_id=trigger, view=view)
        assert workspace.views[0]["id"] == opened["view"]["id"]
        with pytest.raises(SlackApiError, match="invalid_trigger_id"):
            bot.views_open(trigger_id=trigger, view=view)

    def test_keeps_home_tabs_and_ephemeral_messages(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        bot.views_publish(user_id="U0AGENT", view={"type": "home", "blocks": [section("x")]})
        bot.chat_postEphemeral(channel="C0SUPPORT", user="U0AGENT", text="only you")
        assert workspace.homes["U0AGENT"]["blocks"] == [section("x")]
        assert workspace.ephemerals[0]["text"] == "only you"
        assert workspace.messages == []
        assert bot.auth_test()["user_id"] == "U0BOT"

    def test_takes_five_answers_on_a_response_url(self, workspace: SlackStandin) -> None:
        _, body = workspace.command("hello")
        address = parse_qs(body.decode())["response_url"][0]
        statuses = [WebhookClient(address).send(text=str(n)).status_code for n in range(6)]
        assert statuses == [200, 200, 200, 200, 200, 404]
        assert workspace.responses[address.rsplit("/", 1)[1]][0] == {"text": "0"}
