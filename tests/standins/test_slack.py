"""Slack's stand-in, seen through its own SDK."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

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
            channel="C0SUPPORT", text="late", thread_ts="1700000000.000001", reply_broadcast=True
        )
        assert "thread_ts" not in posted["message"]
        assert posted["message"]["reply_broadcast"]
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

    def test_deletes_what_the_bot_posted_and_leaves_the_answers_to_it(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        posted = bot.chat_postMessage(channel="C0SUPPORT", text="A tweet")
        bot.chat_postMessage(channel="C0SUPPORT", text="An answer", thread_ts=posted["ts"])
        bot.chat_delete(channel="C0SUPPORT", ts=posted["ts"])
        assert [message["text"] for message in workspace.messages] == ["An answer"]
        again = refused(bot, "chat.delete", channel="C0SUPPORT", ts=posted["ts"])
        assert again["error"] == "message_not_found"
        workspace.messages[0]["bot_id"] = "B0OTHER"
        ts = workspace.messages[0]["ts"]
        others = refused(bot, "chat.delete", channel="C0SUPPORT", ts=ts)
        assert others["error"] == "cant_delete_message"

    def test_asks_for_patience(self, workspace: SlackStandin, bot: WebClient) -> None:
        workspace.faults.append(slack.rate_limited(7, where="chat.postMessage"))
        with pytest.raises(SlackApiError) as refused:
            bot.chat_postMessage(channel="C0SUPPORT", text="hi")
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "7"

    def test_can_hold_a_pace(self) -> None:
        now = [0.0]
        with SlackStandin(pace=2, clock=lambda: now[0]) as workspace:
            bot = WebClient(workspace.bot_token, workspace.api_url, retry_handlers=[])
            posted = bot.chat_postMessage(channel="C0SUPPORT", text="one")
            now[0] = 0.5
            bot.chat_update(channel="C0SUPPORT", ts=posted["ts"], text="uno")
            with pytest.raises(SlackApiError, match="ratelimited") as refused:
                bot.chat_postMessage(channel="C0SUPPORT", text="two")
            assert refused.value.response.headers["Retry-After"] == "2"
            now[0] = 2.0
            bot.chat_postMessage(channel="C0SUPPORT", text="three")
        assert [(call.at, call.method, call.arguments["text"]) for call in workspace.accepted] == [
            (0.0, "chat.postMessage", "one"),
            (0.5, "chat.update", "uno"),
            (2.0, "chat.postMessage", "three"),
        ]

    def test_posts_twice_when_the_sdk_retries_a_lost_answer(self, workspace: SlackStandin) -> None:
        workspace.faults.append(Fault("lost"))
        WebClient(workspace.bot_token, workspace.api_url).chat_postMessage(
            channel="C0SUPPORT", text="once"
        )
        assert [message["text"] for message in workspace.messages] == ["once", "once"]

    def test_keeps_home_tabs_and_ephemeral_messages(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        bot.views_publish(user_id="U0AGENT", view={"type": "home", "blocks": [section("x")]})
        bot.chat_postEphemeral(channel="C0SUPPORT", user="U0AGENT", text="only you")
        assert workspace.homes["U0AGENT"]["blocks"] == [section("x")]
        assert workspace.ephemerals[0]["text"] == "only you"
        assert workspace.messages == []
        assert bot.auth_test()["user_id"] == "U0BOT"

    def test_says_what_its_token_may_do(self, workspace: SlackStandin, bot: WebClient) -> None:
        assert bot.auth_test().headers["x-oauth-scopes"] == "commands,chat:write,channels:history"
        workspace.scopes = ("commands",)
        assert bot.auth_test().headers["x-oauth-scopes"] == "commands"

    @pytest.mark.parametrize(
        ("scope", "method", "arguments"),
        [
            ("chat:write", "chat.postMessage", {"text": "x"}),
            ("chat:write", "chat.update", {"text": "x", "ts": "1.2"}),
            ("chat:write", "chat.delete", {"ts": "1.2"}),
            ("chat:write", "chat.postEphemeral", {"text": "x", "user": "U0AGENT"}),
            ("channels:history", "conversations.history", {}),
            ("channels:history", "conversations.replies", {"ts": "1.2"}),
            ("channels:read", "conversations.info", {}),
        ],
    )
    def test_refuses_what_its_token_may_not_do(
        self, workspace: SlackStandin, bot: WebClient, scope: str, method: str, arguments: Any
    ) -> None:
        workspace.scopes = tuple({*slack.SCOPES} - {scope})
        refusal = refused(bot, method, channel="C0SUPPORT", **arguments)
        assert refusal["error"] == "missing_scope"
        assert (refusal["needed"], refusal["provided"]) == (scope, ",".join(workspace.scopes))

    def test_wants_other_scopes_for_a_private_channel(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        workspace.private = True
        refusal = refused(bot, "conversations.history", channel="C0SUPPORT")
        assert (refusal["error"], refusal["needed"]) == ("missing_scope", "groups:history")
        workspace.scopes += ("groups:history", "groups:read")
        bot.conversations_history(channel="C0SUPPORT")
        assert bot.conversations_info(channel="C0SUPPORT")["channel"]["is_private"]

    def test_tells_whether_the_bot_is_in_the_channel(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        workspace.scopes += ("channels:read",)
        workspace.member = False
        assert not bot.conversations_info(channel="C0SUPPORT")["channel"]["is_member"]
        for method, more in (("chat.postMessage", {"text": "x"}), ("conversations.history", {})):
            assert refused(bot, method, channel="C0SUPPORT", **more)["error"] == "not_in_channel"
        assert workspace.messages == []

    @pytest.mark.parametrize(
        ("method", "arguments"),
        [
            ("auth.test", {"test": 1}),
            ("chat.postMessage", {"text": "x"}),
            ("chat.postMessage", {"channel": "C0SUPPORT", "text": ["x"]}),
            ("chat.postMessage", {"channel": "C0SUPPORT", "text": "x", "unfurl_link": False}),
            ("chat.postMessage", {"channel": "C0SUPPORT", "text": "x", "unfurl_links": "no"}),
            ("chat.postMessage", {"channel": "C0SUPPORT", "text": "x", "attachments": []}),
            ("chat.update", {"channel": "C0SUPPORT", "text": "x"}),
            ("chat.update", {"channel": "C0SUPPORT", "ts": "1", "text": "x", "thread_ts": "1"}),
            ("chat.postEphemeral", {"channel": "C0SUPPORT", "text": "x"}),
            ("chat.getPermalink", {"channel": "C0SUPPORT"}),
            ("conversations.history", {"channel": "C0SUPPORT", "limit": 1000}),
            ("conversations.history", {"channel": "C0SUPPORT", "cursor": "next"}),
            ("conversations.history", {"channel": "C0SUPPORT", "oldest": "noon"}),
            ("conversations.replies", {"channel": "C0SUPPORT"}),
            ("views.open", {"view": {}}),
            ("views.publish", {"view": {}}),
        ],
    )
    def test_refuses_arguments_that_a_method_does_not_take(
        self, workspace: SlackStandin, bot: WebClient, method: str, arguments: Any
    ) -> None:
        refusal = refused(bot, method, **arguments)
        assert refusal["error"] == "invalid_arguments"
        assert refusal["response_metadata"]["messages"]
        assert workspace.accepted == []

    def test_knows_no_other_methods(self, bot: WebClient) -> None:
        assert (
            refused(bot, "chat.scheduleMessage", channel="C0SUPPORT")["error"] == "unknown_method"
        )

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"text": ""}, "no_text"),
            ({"text": "x" * 40_001}, "msg_too_long"),
            ({"blocks": {}}, "no_text"),
            ({"blocks": {"type": "divider"}}, "invalid_blocks_format"),
            ({"metadata": {"event_type": "case"}}, "invalid_metadata_format"),
            ({"metadata": "case"}, "invalid_metadata_format"),
        ],
    )
    def test_refuses_a_message_that_it_cannot_show(
        self, bot: WebClient, changed: dict[str, Any], error: str
    ) -> None:
        message = {"text": "" if "blocks" in changed else "x", **changed}
        assert refused(bot, "chat.postMessage", channel="C0SUPPORT", **message)["error"] == error

    def test_takes_a_long_text_but_no_long_update(self, bot: WebClient) -> None:
        posted = bot.chat_postMessage(channel="C0SUPPORT", text="x" * 40_000)
        update = {"channel": "C0SUPPORT", "ts": posted["ts"]}
        bot.chat_update(**update, text="x" * 4_000)
        assert refused(bot, "chat.update", **update, text="x" * 4_001)["error"] == "msg_too_long"

    def test_updates_only_what_the_bot_said(self, workspace: SlackStandin, bot: WebClient) -> None:
        said = {"type": "message", "user": "U0AGENT", "ts": "1700000000.000001", "text": "coffee?"}
        workspace.messages.append(said)
        bot.chat_postEphemeral(channel="C0SUPPORT", user="U0AGENT", text="only you")
        hidden = workspace.ephemerals[0]["ts"]
        for ts, error in ((said["ts"], "cant_update_message"), (hidden, "message_not_found")):
            update = {"channel": "C0SUPPORT", "ts": ts, "text": "tea?"}
            assert refused(bot, "chat.update", **update)["error"] == error

    def test_shows_that_an_answer_was_broadcast(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        parent = bot.chat_postMessage(channel="C0SUPPORT", text="0")["ts"]
        for loud in (True, False):
            bot.chat_postMessage(
                channel="C0SUPPORT", text="1", thread_ts=parent, reply_broadcast=loud
            )
        assert [answer["reply_broadcast"] for answer in workspace.thread(parent)] == [True, False]

    def test_links_to_a_message(self, workspace: SlackStandin, bot: WebClient) -> None:
        parent = bot.chat_postMessage(channel="C0SUPPORT", text="0")["ts"]
        answer = bot.chat_postMessage(channel="C0SUPPORT", text="1", thread_ts=parent)["ts"]
        links = [
            bot.chat_getPermalink(channel="C0SUPPORT", message_ts=ts)["permalink"]
            for ts in (parent, answer)
        ]
        assert links[0] == f"{workspace.url}/archives/C0SUPPORT/p{parent.replace('.', '')}"
        assert links[1].endswith(f"?thread_ts={parent}&cid=C0SUPPORT")
        gone = {"channel": "C0SUPPORT", "message_ts": "1700000000.000001"}
        assert refused(bot, "chat.getPermalink", **gone)["error"] == "message_not_found"

    def test_can_be_slow_and_counts_who_does_not_wait(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        with ThreadPoolExecutor(2) as pool:
            with workspace.holding("chat.postMessage"):
                posts = [
                    pool.submit(bot.chat_postMessage, channel="C0SUPPORT", text=text)
                    for text in "ab"
                ]
                while len(workspace.calls("chat.postMessage")) < len(posts):
                    bot.auth_test()
                assert workspace.messages == []
            for post in posts:
                post.result()
        assert sorted(message["text"] for message in workspace.messages) == ["a", "b"]
        assert workspace.most_at_once["chat.postMessage"] == 2
        assert workspace.most_at_once["auth.test"] == 1

    def test_keeps_what_was_posted_though_its_answer_was_lost(
        self, workspace: SlackStandin, bot: WebClient
    ) -> None:
        workspace.faults += [Fault("lost"), Fault("drop"), slack.refused("is_archived")]
        for text in ("lost", "dropped"):
            with pytest.raises(OSError, match="closed connection"):
                bot.chat_postMessage(channel="C0SUPPORT", text=text)
        assert refused(bot, "chat.postMessage", channel="C0SUPPORT", text="x")["error"] == (
            "is_archived"
        )
        assert [message["text"] for message in workspace.messages] == ["lost"]
        assert [call.arguments["text"] for call in workspace.accepted] == ["lost"]


def refused(bot: WebClient, method: str, **arguments: Any) -> dict[str, Any]:
    """Slack's refusal of a call."""
    with pytest.raises(SlackApiError) as failed:
        bot.api_call(method, json=arguments)
    answer: dict[str, Any] = failed.value.response.data
    return answer
