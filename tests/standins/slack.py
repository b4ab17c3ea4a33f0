"""Slack's Web API for one workspace with one channel.

Methods, arguments and errors: docs.slack.dev/reference/methods. It keeps what the channel shows,
and refuses what Slack would: a wrong token, a missing scope, unknown or missing arguments, blocks
past their limits, posts faster than `pace`. Faults (`tests.standins.server.Fault`) make it fail,
lose an answer after posting or never answer; `holding` makes it slow.
"""
# ruff: noqa: S107 - secrets of tests

import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any, NamedTuple

from tests.standins import slack_blocks
from tests.standins.server import Action, Answer, Fault, Request, answer_json
from tests.standins.slack_methods import Refused, check_call
from tests.standins.slack_requests import APP, BOT, BOT_USER, MESSAGE_TEXT, TEAM
from tests.standins.slack_views import SlackViews

Arguments = dict[str, Any]
Content = dict[str, Any]
STRUCTURED = ("blocks", "metadata", "view")
SENT = (
    *("text", "blocks", "metadata", "thread_ts"),
    *("reply_broadcast", "unfurl_links", "unfurl_media"),
)
STAMP = re.compile(r"[0-9]{10}\.[0-9]{6}")
SCOPES = ("commands", "chat:write", "channels:history")
UPDATED_TEXT = 4_000
"""Characters of `text` in an update: docs.slack.dev/reference/methods/chat.update, "Errors"."""
ROUNDING = 1e-6


class Call(NamedTuple):
    """A call that Slack did, and the stand-in's time of it."""

    at: float
    method: str
    arguments: Arguments


def rate_limited(seconds: int = 3, where: str = "") -> Fault:
    """The fault of being too fast."""
    body = {"ok": False, "error": "ratelimited"}
    return Fault("status", 429, body, {"Retry-After": str(seconds)}, where)


def refused(error: str, where: str = "") -> Fault:
    """The fault of an error that Slack names: `refused("channel_not_found")`."""
    return Fault("status", 200, {"ok": False, "error": error}, where=where)


class SlackStandin(SlackViews):
    """A workspace. `messages` holds what the channel shows, oldest first.

    - `pace`: the least number of seconds between two posts; a faster one is refused
    - `scopes`: what the token may do; a call that needs another is refused
    - `member`: whether the app is in the channel
    - `private`: whether the channel is, which takes scopes of its own to read
    - `accepted`: the calls that were done, in their order, with the time of each
    - `most_at_once`: for each method, how many calls were under way together
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
        self.scopes: tuple[str, ...] = SCOPES
        self.member = True
        self.private = False
        self.messages: list[Content] = []
        self.ephemerals: list[Content] = []
        self.accepted: list[Call] = []
        self.most_at_once: Counter[str] = Counter()
        self._at_once: Counter[str] = Counter()
        self._held: list[tuple[str, Event]] = []
        self._posted_at = float("-inf")
        self._methods: dict[str, Callable[[Arguments], Content]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.getPermalink": self._permalink,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.info": self._info,
            "views.open": self._open_view,
            "views.push": self._push_view,
            "views.update": self._update_view,
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

    @contextmanager
    def holding(self, where: str) -> Iterator[None]:
        """A slow Slack: calls whose request line contains `where` wait until this ends."""
        held = (where, Event())
        self._held.append(held)
        try:
            yield
        finally:
            self._held.remove(held)
            held[1].set()

    def respond(self, request: Request) -> Answer | None:
        """See `Standin.respond`."""
        method = request.path.rsplit("/", 1)[-1]
        with self.lock:
            self._at_once[method] += 1
            self.most_at_once |= self._at_once
        try:
            return super().respond(request)
        finally:
            with self.lock:
                self._at_once[method] -= 1

    def perform(self, action: Action, request: Request) -> Answer:
        """See `Standin.perform`; others go on while one is held."""
        for where, released in tuple(self._held):
            if where in request.line:
                released.wait()
        return super().perform(action, request)

    def _call(self, request: Request) -> Answer:
        method = request.parts["method"]
        now = self.clock()
        try:
            arguments = _arguments(request)
            self._check_token(request, arguments.pop("token", None))
            check_call(method, arguments, self.scopes, private=self.private)
            self._keep_pace(method, now)
            content = {"ok": True, **self._methods[method](arguments)}
        except Refused as refusal:
            return self._refusal(refusal, now)
        self.accepted.append(Call(now, method, arguments))
        return answer_json(content, 200, self._scopes_header())

    def _refusal(self, refusal: Refused, now: float) -> Answer:
        if refusal.content["error"] != "ratelimited":
            return answer_json(refusal.content, 200, self._scopes_header())
        wait = max(1, math.ceil(self._posted_at + self.pace - now))
        return answer_json(refusal.content, 429, {"Retry-After": str(wait)})

    def _check_token(self, request: Request, argument: object) -> None:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = sent or argument
        if not token:
            raise Refused("not_authed")
        if token != self.bot_token:
            raise Refused("invalid_auth")

    def _scopes_header(self) -> dict[str, str]:
        return {"x-oauth-scopes": ",".join(self.scopes)}

    def _keep_pace(self, method: str, now: float) -> None:
        if method == "chat.postMessage":
            if now - self._posted_at < self.pace - ROUNDING:
                raise Refused("ratelimited")
            self._posted_at = now

    def _auth_test(self, _: Arguments) -> Content:
        names = {"team": "Harbor Example", "user": "escalator", "url": f"{self.url}/"}
        return {**names, "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT}

    def _info(self, arguments: Arguments) -> Content:
        if arguments["channel"] != self.channel:
            raise Refused("channel_not_found")
        names = {"id": self.channel, "name": "support", "is_channel": True}
        state = {"is_private": self.private, "is_archived": False, "is_member": self.member}
        return {"channel": {**names, **state}}

    def _permalink(self, arguments: Arguments) -> Content:
        if arguments["channel"] != self.channel:
            raise Refused("channel_not_found")
        ts = arguments["message_ts"]
        message = next((m for m in self.messages if m["ts"] == ts), None)
        if message is None:
            raise Refused("message_not_found")
        parent = message.get("thread_ts")
        within = f"?thread_ts={parent}&cid={self.channel}" if parent not in (None, ts) else ""
        link = f"{self.url}/archives/{self.channel}/p{ts.replace('.', '')}{within}"
        return {"channel": self.channel, "permalink": link}

    def _post(self, arguments: Arguments) -> Content:
        self._check_message(arguments)
        message = self._message(arguments)
        if "thread_ts" in message:
            self._join(message)
        self.messages.append(message)
        return {"channel": self.channel, "ts": message["ts"], "message": message}

    def _post_ephemeral(self, arguments: Arguments) -> Content:
        self._check_message(arguments)
        hidden = {"user": arguments["user"], "is_ephemeral": True}
        self.ephemerals.append({**self._message(arguments), **hidden})
        return {"message_ts": self.ephemerals[-1]["ts"]}

    def _update(self, arguments: Arguments) -> Content:
        """What is not sent stays as it was."""
        self._check_message(arguments, UPDATED_TEXT)
        found = [message for message in self.messages if message["ts"] == arguments["ts"]]
        if not found:
            raise Refused("message_not_found")
        [message] = found
        if message.get("bot_id") != BOT:
            raise Refused("cant_update_message")
        kept = ("text", "blocks", "metadata")
        message.update({name: arguments[name] for name in kept if name in arguments})
        return {"channel": self.channel, "ts": message["ts"], "text": message["text"]}

    def _delete(self, arguments: Arguments) -> Content:
        """A bot deletes its own messages only; answers in a thread outlive its first one."""
        if arguments["channel"] != self.channel:
            raise Refused("channel_not_found")
        message = next((m for m in self.messages if m["ts"] == arguments["ts"]), None)
        if message is None:
            raise Refused("message_not_found")
        if message.get("bot_id") != BOT:
            raise Refused("cant_delete_message")
        self.messages.remove(message)
        return {"channel": self.channel, "ts": message["ts"]}

    def _join(self, message: Content) -> None:
        """An answer to a message that is gone appears in the channel (slack-go, issue 1571)."""
        if not STAMP.fullmatch(str(message["thread_ts"])):
            raise Refused("invalid_thread_ts", [f"{message['thread_ts']} is not a valid thread_ts"])
        parent = self._parent(message["thread_ts"])
        if parent is None:
            message.pop("thread_ts")
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

    def _check_channel(self, arguments: Arguments) -> None:
        if arguments["channel"] != self.channel:
            raise Refused("channel_not_found")
        if not self.member:
            raise Refused("not_in_channel")

    def _check_message(self, arguments: Arguments, longest: int = MESSAGE_TEXT) -> None:
        self._check_channel(arguments)
        text, blocks = arguments.get("text", ""), arguments.get("blocks", [])
        if not text and not blocks:
            raise Refused("no_text")
        if len(text) > longest:
            raise Refused("msg_too_long")
        if not isinstance(blocks, list):
            raise Refused("invalid_blocks_format")
        if found := slack_blocks.problems({"blocks": blocks}):
            raise Refused("invalid_blocks", found, errors=found)
        if slack_blocks.characters(blocks) > slack_blocks.MESSAGE_CHARACTERS:
            raise Refused("msg_blocks_too_long")
        if "metadata" in arguments and (
            found := slack_blocks.metadata_problems(arguments["metadata"])
        ):
            raise Refused("invalid_metadata_format", found)

    def _message(self, arguments: Arguments) -> Content:
        return {
            "type": "message",
            "user": BOT_USER,
            "bot_id": BOT,
            "app_id": APP,
            "ts": f"{int(self.clock())}.{next(self._numbers):06}",
            "channel": self.channel,
            "text": "",
            **{name: arguments[name] for name in SENT if name in arguments},
        }


def _arguments(request: Request) -> Arguments:
    """The SDK sends JSON for messages and views, else a form; with no argument, empty "JSON"."""
    sent = request.form() if not request.is_json else request.json() if request.body else {}
    return {name: _plain(name, value) for name, value in sent.items() if value is not None}


def _plain(name: str, value: Any) -> Any:
    """A form carries JSON within its fields."""
    if name not in STRUCTURED or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


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
