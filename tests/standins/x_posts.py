"""Posts and users in the wire form of X API v2.

Shapes: docs.x.com/x-api/posts and /x-api/users, and answers recorded from the live service.
"""

import re
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Literal, Self

EPOCH = 1288834974657  # the first millisecond of X's ids
SHORT = 280
HANDLE = re.compile(r"(?<!\w)@(\w+)")
KINDS = {"reply": "replied_to", "quote": "quoted", "retweet": "retweeted"}
ALWAYS = ("id", "text", "edit_history_tweet_ids")
Kind = Literal["mention", "post", "reply", "quote", "retweet"]


def snowflake(at: datetime, n: int = 0) -> str:
    """The id X would give the n-th post of that millisecond."""
    return str((round(at.timestamp() * 1000) - EPOCH) << 22 | n)


def stamp(at: datetime) -> str:
    """A time as X writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(frozen=True)
class User:
    """One account."""

    id: str
    username: str
    followers: int = 12

    @classmethod
    def named(cls, username: str, followers: int = 12) -> Self:
        """An account whose id follows from its handle."""
        return cls(str(zlib.crc32(username.lower().encode())), username, followers)

    def wire(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.username,
            "username": self.username,
            "created_at": "2015-03-01T09:00:00.000Z",
            "description": "",
            "protected": False,
            "verified": False,
            "verified_type": "none",
            "public_metrics": {
                "followers_count": self.followers,
                "following_count": 3,
                "tweet_count": 40,
                "listed_count": 0,
                "like_count": 7,
                "media_count": 0,
            },
        }


@dataclass(frozen=True)
class Post:
    """One post.

    `text` is what its author typed; `about` the post it answers, quotes or repeats; `media` the
    types of what is attached.
    """

    id: str
    author: User
    text: str
    created_at: datetime
    lang: str = "en"
    kind: Kind = "mention"
    about: str = ""
    about_user: str = ""
    root_id: str = ""
    mentioned: tuple[User, ...] = ()
    sensitive: bool = False
    media: tuple[str, ...] = ()

    def wire(self, fields: Collection[str] | None = None) -> dict[str, Any]:
        """The post with the fields asked for, or all; X sends `text` HTML-escaped."""
        whole = self._whole()
        if fields is None:
            return whole
        return {name: value for name, value in whole.items() if name in {*ALWAYS, *fields}}

    def media_wire(self) -> list[dict[str, Any]]:
        """What is attached, as it stands in `includes`; X gives type and key unasked."""
        return [
            {"media_key": f"{number}_{self.id}", "type": kind}
            for number, kind in enumerate(self.media)
        ]

    def _whole(self) -> dict[str, Any]:
        root = self.root_id or self.id
        whole: dict[str, Any] = {
            "id": self.id,
            "text": escape(self.text, quote=False),
            "author_id": self.author.id,
            "created_at": stamp(self.created_at),
            "conversation_id": self.about if self.kind == "reply" else root,
            "edit_history_tweet_ids": list(dict.fromkeys([root, self.id])),
            "lang": self.lang,
            "possibly_sensitive": self.sensitive,
            "reply_settings": "everyone",
            "entities": {"mentions": self._mentions()},
            "public_metrics": dict.fromkeys(
                ("retweet_count", "reply_count", "like_count", "quote_count"), 0
            ),
        }
        if self.media:
            whole["attachments"] = {"media_keys": [one["media_key"] for one in self.media_wire()]}
        if len(self.text) > SHORT:
            whole["note_tweet"] = {"text": whole["text"]}
            whole["text"] = (
                escape(self.text[: SHORT - 25], quote=False) + "… https://t.co/AbCdEfGhIj"
            )
        if self.about:
            whole["referenced_tweets"] = [{"type": KINDS[self.kind], "id": self.about}]
            if self.kind == "reply":
                whole["in_reply_to_user_id"] = self.about_user
        return whole

    def _mentions(self) -> list[dict[str, Any]]:
        ids = {user.username.lower(): user.id for user in self.mentioned}
        return [
            {"start": at.start(), "end": at.end(), "username": at[1], "id": ids[at[1].lower()]}
            for at in HANDLE.finditer(self.text)
        ]
