"""Slack's Web API for one workspace with one channel.

Methods, arguments and errors: docs.slack.dev/reference/methods.
"""
# ruff: noqa: S107 - secrets of tests

import json
import re
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from tests.standins import slack_blocks
from tests.standins.server import Answer, Fault, Request, answer_json
from tests.standins.slack_requests import APP, TEAM, SlackWorkspace

Arguments = dict[str, Any]
Content = dict[str, Any]
STRUCTURED = ("blocks", "metadata", "view", "attachments")
SENT = (
    *("text", "blocks", "metadata", "thread_ts"),
    *("reply_broadcast", "unfurl_links", "unfurl_media"),
)
STAMP = re.compile(r"[0-9]{10}\.[0-9]{6}")


class Refused(Exception):
    """An answer with `ok: false`."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.content = {"ok": False, "error": error, **more}


def rate_limited(seconds: int = 3, where: str = "") -> Fault:
    """The fault of being too fast."""
    body = {"ok": False, "error": "ratelimited"}
    return Fault("status", 429, body, {"Retry-After": str(seconds)}, where)


def refused(error: str, where: str = "") -> Fault:
    """The fault of an error that Slack names: `refused("channel_not_found")`."""
    return Fault("status", 200, {"ok": False, "error": error}, where=where)


class SlackStandin(SlackWorkspace):
    """A workspace. `messages` holds what the channel shows, oldest first.

    `pace` is the least number of seconds between two posts; a faster one is refused.
    """

    def __init__(
        self,
        signing_secret: str = "test-signing-secret",
        bot_token: str = "xoxb-test-token",
        channel: str = "C0SUPPORT",
        *,
        pace: float = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(signing_secret, channel, clock)
        self.bot_token = bot_token
        self.pace = pace
        self.messages: list[Content] = []
        self.ephemerals: list[Content] = []
        self.views: list[Content] = []
        self.homes: dict[str, Content] = {}
        self._posted_at = float("-inf")
        self._numbers = count(1)
        self._methods: dict[str, Callable[[Arguments], Content]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._post_ephemeral,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "views.open": self._open_view,
            "views.publish": self._publish_view,
        }
        self.route("POST", "/api/{method}", self._call)

    @property
    def api_url(self) -> str:
        """What `SLACK_API_URL` and the SDK's `base_url` are set to."""
        return f"{self.url}/api/"

    def thread(self, ts: str) -> list[Content]:
        """The answers to a message."""
        with self.lock:
            return [m for m in self.messages if m.get("thread_ts") == ts != m["ts"]]

    def _call(self, request: Request) -> Answer:
        arguments = _arguments(request)
        try:
            self._check_token(request, arguments)
            self._keep_pace(request.parts["method"])
            method = self._methods.get(request.parts["method"], self._unknown)
            return answer_json({"ok": True, **method(arguments)})
        except Refused as refusal:
            late = {"Retry-After": "1"} if refusal.content["error"] == "ratelimited" else {}
            return answer_json(refusal.content, 429 if late else 200, late)

    def _check_token(self, request: Request, arguments: Arguments) -> None:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = sent or arguments.get("token")
        if not token:
            raise Refused("not_authed")
        if token != self.bot_token:
            raise Refused("invalid_auth")

    def _keep_pace(self, method: str) -> None:
        if method == "chat.postMessage":
            if self.clock() - self._posted_at < self.pace:
                raise Refused("ratelimited")
            self._posted_at = self.clock()

    def _unknown(self, _: Arguments) -> Content:
        raise Refused("unknown_method")

    def _auth_test(self, _: Arguments) -> Content:
        names = {"team": "Harbor Example", "user": "escalator", "url": f"{self.url}/"}
        return {**names, "team_id": TEAM, "user_id": "U0BOT", "bot_id": "B0BOT"}

    def _post(self, arguments: Arguments) -> Content:
        self._check_message(arguments)
        message = self._message(arguments)
        if "thread_ts" in message:
            self._join(message)
        self.messages.append(message)
        return {"channel": self.channel, "ts": message["ts"], "message": message}

    def _post_ephemeral(self, arguments: Arguments) -> Content:
        self._check_message(arguments)
        message = {**self._message(arguments), "user": arguments["user"]}
        self.ephemerals.append(message)
        return {"message_ts": message["ts"]}

    def _update(self, arguments: Arguments) -> Content:
        """What is not sent stays as it was."""
        self._check_message(arguments)
        for message in self.messages:
            if message["ts"] == arguments.get("ts"):
                kept = ("text", "blocks", "metadata")
                message.update({name: arguments[name] for name in kept if name in arguments})
                return {"channel": self.channel, "ts": message["ts"], "text": message["text"]}
        raise Refused("message_not_found")

    def _join(self, message: Content) -> None:
        """An answer to a message that is gone appears in the channel (slack-go, issue 1571)."""
        if not STAMP.fullmatch(str(message["thread_ts"])):
            problem = f"{message['thread_ts']} is not a valid thread_ts"
            raise Refused("invalid_thread_ts", response_metadata=_pointed([problem]))
        parent = self._parent(message["thread_ts"])
        if parent is None:
            message.pop("thread_ts")
            message.pop("reply_broadcast", None)
            return
        parent["thread_ts"] = parent["ts"]
        parent["reply_count"] = parent.get("reply_count", 0) + 1
        message["parent_user_id"] = parent["user"]

    def _parent(self, ts: object) -> Content | None:
        return next((m for m in self.messages if m["ts"] == ts and not _answers(m)), None)

    def _history(self, arguments: Arguments) -> Content:
        """Newest first; answers in threads are not part of it."""
        self._check_channel(arguments)
        shown = [m for m in self.messages if not _answers(m) or _true(m.get("reply_broadcast"))]
        found = [m for m in reversed(shown) if _within(m, arguments)]
        return {**_page(found, arguments, 100), "pin_count": 0}

    def _replies(self, arguments: Arguments) -> Content:
        """The whole thread, oldest first: whatever is asked for, it begins with its parent."""
        self._check_channel(arguments)
        asked = next((m for m in self.messages if m["ts"] == arguments.get("ts")), None)
        parent = asked and self._parent(asked.get("thread_ts", asked["ts"]))
        if parent is None:
            raise Refused("thread_not_found")
        answers = [m for m in self.thread(parent["ts"]) if _within(m, arguments)]
        return _page([parent, *answers], arguments, 1000)

    def _open_view(self, arguments: Arguments) -> Content:
        trigger = arguments.get("trigger_id")
        if trigger not in self.triggers:
            raise Refused("invalid_trigger_id")
        view = self._view(arguments)
        self.triggers.discard(trigger)
        self.views.append(view)
        return {"view": view}

    def _publish_view(self, arguments: Arguments) -> Content:
        self.homes[arguments["user_id"]] = view = self._view(arguments)
        return {"view": view}

    def _view(self, arguments: Arguments) -> Content:
        found = slack_blocks.problems(arguments["view"], arguments["view"].get("type", "modal"))
        if found:
            raise Refused("invalid_arguments", response_metadata=_pointed(found))
        number = next(self._numbers)
        return {**arguments["view"], "id": f"V{number:08}", "hash": str(number), "team_id": TEAM}

    def _check_channel(self, arguments: Arguments) -> None:
        if arguments.get("channel") != self.channel:
            raise Refused("channel_not_found")

    def _check_message(self, arguments: Arguments) -> None:
        self._check_channel(arguments)
        if not arguments.get("text") and not arguments.get("blocks"):
            raise Refused("no_text")
        found = slack_blocks.problems({"blocks": arguments.get("blocks") or []})
        if found:
            raise Refused("invalid_blocks", errors=found, response_metadata=_pointed(found))
        if slack_blocks.characters(arguments.get("blocks")) > slack_blocks.MESSAGE_CHARACTERS:
            raise Refused("msg_blocks_too_long")

    def _message(self, arguments: Arguments) -> Content:
        return {
            "type": "message",
            "user": "U0BOT",
            "bot_id": "B0BOT",
            "app_id": APP,
            "ts": f"{int(self.clock())}.{next(self._numbers):06}",
            "channel": self.channel,
            "text": "",
            **{name: arguments[name] for name in SENT if name in arguments},
        }


def _arguments(request: Request) -> Arguments:
    """The SDK sends JSON for messages and views, else a form; with no argument, empty "JSON"."""
    if request.is_json:
        return dict(request.json()) if request.body else {}
    form: Arguments = dict(request.form())
    return {**form, **{name: json.loads(form[name]) for name in STRUCTURED if name in form}}


def _answers(message: Content) -> bool:
    """Whether it answers another message."""
    return bool(message.get("thread_ts", message["ts"]) != message["ts"])


def _within(message: Content, arguments: Arguments) -> bool:
    oldest, latest = arguments.get("oldest", "0"), arguments.get("latest", "9999999999")
    stamp: str = message["ts"]
    if stamp in (oldest, latest):
        return _true(arguments.get("inclusive"))
    return float(oldest) < float(stamp) < float(latest)


def _page(found: list[Content], arguments: Arguments, usual: int) -> Content:
    start = int(arguments.get("cursor") or 0)
    end = start + int(arguments.get("limit") or usual)
    if not _true(arguments.get("include_all_metadata")):
        found = [{k: v for k, v in m.items() if k != "metadata"} for m in found]
    more = end < len(found)
    return {
        "messages": found[start:end],
        "has_more": more,
        "response_metadata": {"next_cursor": str(end) if more else ""},
    }


def _true(value: object) -> bool:
    return value in (True, "1", "true")


def _pointed(found: list[str]) -> Mapping[str, list[str]]:
    return {"messages": [f"[ERROR] {problem}" for problem in found]}
