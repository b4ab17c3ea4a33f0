"""Slack's Web API methods that the bot may call: the arguments and the scope of each.

docs.slack.dev/reference/methods. Slack passes over some unknown arguments; here every argument
that the stand-in would not act upon is refused, so that no test rests on one that does nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.standins.slack_shapes import Check, Problems, at, fields, string

ANY_LENGTH = 10**6
"""Methods refuse long texts with errors of their own."""


def _flag(value: Any, pointer: str) -> Problems:
    """The SDK's forms carry 1 and 0."""
    if value not in (True, False, "1", "0", "true", "false"):
        yield at("must be a boolean", pointer)


def _limit(value: Any, pointer: str) -> Problems:
    if not (isinstance(value, int | str) and str(value).isdecimal() and 1 <= int(value) <= 999):
        yield at("must be from 1 to 999", pointer)


def _later(_: Any, __: str) -> Problems:
    """Blocks, metadata and views: the method itself looks at them."""
    yield from ()


TEXT = string(ANY_LENGTH, 0)
NAME = string(255)
TIME = string(30, 1, re.compile(r"[0-9]+(\.[0-9]+)?"))
CONTENT: Mapping[str, Check] = {"text": TEXT, "blocks": _later, "thread_ts": TEXT, "parse": NAME}
PERIOD: Mapping[str, Check] = {
    "oldest": TIME,
    "latest": TIME,
    "inclusive": _flag,
    "limit": _limit,
    "cursor": string(255, 0, re.compile(r"[0-9]*")),
    "include_all_metadata": _flag,
}
CHANNEL: Mapping[str, Check] = {"channel": NAME}
TRIGGERED: Mapping[str, Check] = {"trigger_id": NAME, "view": _later}


@dataclass(frozen=True)
class Method:
    """What a method takes; `scope` is what a token needs for it in a public channel."""

    arguments: Check
    scope: str = ""


METHODS = {
    "auth.test": Method(fields({})),
    "chat.postMessage": Method(
        fields(
            CHANNEL,
            {
                **CONTENT,
                "metadata": _later,
                "mrkdwn": _flag,
                "reply_broadcast": _flag,
                "unfurl_links": _flag,
                "unfurl_media": _flag,
            },
        ),
        "chat:write",
    ),
    "chat.update": Method(
        fields(
            {**CHANNEL, "ts": NAME},
            {"text": TEXT, "blocks": _later, "metadata": _later, "parse": NAME},
        ),
        "chat:write",
    ),
    "chat.delete": Method(fields({**CHANNEL, "ts": NAME}), "chat:write"),
    "chat.postEphemeral": Method(fields({**CHANNEL, "user": NAME}, CONTENT), "chat:write"),
    "chat.getPermalink": Method(fields({**CHANNEL, "message_ts": NAME})),
    "conversations.history": Method(fields(CHANNEL, PERIOD), "channels:history"),
    "conversations.replies": Method(fields({**CHANNEL, "ts": NAME}, PERIOD), "channels:history"),
    "conversations.info": Method(
        fields(CHANNEL, {"include_locale": _flag, "include_num_members": _flag}), "channels:read"
    ),
    "views.open": Method(fields(TRIGGERED)),
    "views.push": Method(fields(TRIGGERED)),
    "views.update": Method(fields({"view_id": NAME, "view": _later}, {"hash": NAME})),
    "views.publish": Method(fields({"user_id": NAME, "view": _later}, {"hash": NAME})),
}


class Refused(Exception):
    """An answer with `ok: false`."""

    def __init__(self, error: str, found: list[str] | None = None, **more: object) -> None:
        super().__init__(error)
        if found:
            more["response_metadata"] = {"messages": [f"[ERROR] {problem}" for problem in found]}
        self.content: dict[str, Any] = {"ok": False, "error": error, **more}


def check_call(
    name: str, arguments: Mapping[str, Any], scopes: tuple[str, ...], *, private: bool
) -> None:
    """Raises `Refused` where Slack would not even look at what is asked."""
    method = METHODS.get(name)
    if method is None:
        raise Refused("unknown_method")
    needed = method.scope.replace("channels:", "groups:") if private else method.scope
    if needed and needed not in scopes:
        raise Refused("missing_scope", needed=needed, provided=",".join(scopes))
    found = list(method.arguments(dict(arguments), ""))
    if found:
        raise Refused("invalid_arguments", found)
