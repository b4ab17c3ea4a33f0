"""A post on X in our form, and that form as JSON."""

import re
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from bot.errors import Refused
from bot.frozen import frozen

Kind = Literal["mention", "reply", "quote", "post"]
Source = Literal["webhook", "poll", "file", "typed"]
Media = Literal["photo", "video", "animated_gif", "media"]
"""What is attached to a post, as X names it ("Data dictionary: Media"); `media` is not known."""

SNOWFLAKE_EPOCH_MS: Final = 1_288_834_974_657
"""An id shifted right by 22 bits is its post's milliseconds since this moment."""

LONGEST_SNOWFLAKE: Final = 19
"""Digits of an id of 63 bits."""

LONGEST_TEXT: Final = 25_000
"""Characters in the longest post X takes (developer documentation, "Counting characters")."""

IDENTITY: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
"""What an id looks like, X's and those we give."""

_HANDLE: Final = re.compile(r"@?([A-Za-z0-9_]{1,15})")
_NO_SCALAR: Final = re.compile("[\ud800-\udfff\ufffe\uffff]")


@frozen
class Author:
    """Who wrote a post, as far as its wire form said."""

    id: str | None = None
    handle: str | None = None
    name: str | None = None
    followers: int | None = None

    @property
    def url(self) -> str | None:
        """Where a browser shows the account; None for a handle that X would not give."""
        handle = _HANDLE.fullmatch(self.handle or "")
        return f"https://x.com/{handle[1]}" if handle else None

    @property
    def known_by(self) -> tuple[str, ...]:
        """What tells the author from others: the id, and the handle in small letters with its @."""
        handle = self.handle and f"@{self.handle.removeprefix('@').lower()}"
        return tuple(one for one in (self.id, handle) if one)


@frozen
class Tweet:
    """One post.

    `root_id` is the first id of its edit history: an edited post stays the same case. `mentions`
    holds ids and lower-case handles mentioned in the visible text; the mentions that X puts in
    front of a reply by itself are not among them. `answer` says whether the bot may answer it in
    public: False for posts from files unless their owner asked for it. `media` is what is attached
    to it, in order.
    """

    id: str
    text: str
    root_id: str
    author: Author = Author()
    created_at: datetime | None = None
    conversation_id: str | None = None
    kind: Kind = "post"
    in_reply_to: str | None = None
    quoted_id: str | None = None
    retweet: bool = False
    sensitive: bool = False
    lang: str | None = None
    mentions: frozenset[str] = frozenset()
    source: Source = "typed"
    answer: bool = False
    media: tuple[Media, ...] = ()

    @property
    def url(self) -> str | None:
        """Where a browser shows it; None for ids that X did not give."""
        return f"https://x.com/i/status/{self.id}" if self.id.isdecimal() else None

    @property
    def written_at(self) -> datetime | None:
        """When it was written, as X says or its id tells; None where neither does."""
        if self.created_at or self.source not in {"webhook", "poll"}:
            return self.created_at
        return moment_of(self.id)


def clean(text: str) -> str:
    """`text` as UTF-8 and every queue can carry it.

    Lone surrogates and the two code points outside of what SQS takes (SendMessage, "Message
    characters") become U+FFFD; pairs of surrogates are joined.
    """
    if not _NO_SCALAR.search(text):
        return text
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _NO_SCALAR.sub("\ufffd", joined)


def order(tweet_id: str) -> tuple[int, str]:
    """What to compare ids by: they grow with time, so a longer or greater one is the later."""
    return len(tweet_id), tweet_id


def moment_of(tweet_id: str) -> datetime | None:
    """When X gave that id; None for an id that X did not give."""
    if not tweet_id.isdecimal() or len(tweet_id) > LONGEST_SNOWFLAKE:
        return None
    milliseconds = (int(tweet_id) >> 22) + SNOWFLAKE_EPOCH_MS
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def typed(text: str, tweet_id: str) -> Tweet:
    """A tweet of a bare text."""
    return Tweet(tweet_id, checked_text(text), tweet_id)


def checked_text(text: object) -> str:
    """`text`, cleaned, or `Refused` where it is no text or longer than any post."""
    if not isinstance(text, str):
        raise Refused(f"The text must be a string, not {json_kind(text)}.")
    if len(text) > LONGEST_TEXT:
        raise Refused(
            f"The text has {len(text):,} characters; a post on X has at most {LONGEST_TEXT:,}."
        )
    return clean(text)


def json_kind(value: object) -> str:
    """What JSON calls the type of `value`, for sentences about bad input."""
    if value is None:
        return "null"
    kinds = {bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")


def to_json(tweet: Tweet) -> dict[str, Any]:
    """The tweet as plain JSON values; fields at their defaults are left out."""
    record: dict[str, Any] = {
        field.name: getattr(tweet, field.name)
        for field in fields(tweet)
        if getattr(tweet, field.name) != field.default
    }
    if tweet.author != Author():
        record["author"] = {k: v for k, v in asdict(tweet.author).items() if v is not None}
    if tweet.created_at is not None:
        record["created_at"] = tweet.created_at.isoformat()
    if tweet.mentions:
        record["mentions"] = sorted(tweet.mentions)
    if tweet.media:
        record["media"] = list(tweet.media)
    return record


def from_json(record: Mapping[str, Any]) -> Tweet:
    """The tweet of what `to_json` made. Raises `Refused` for anything else."""
    try:
        values = dict(record)
        if "author" in values:
            values["author"] = Author(**values["author"])
        if "created_at" in values:
            values["created_at"] = datetime.fromisoformat(values["created_at"]).astimezone(UTC)
        if "mentions" in values:
            values["mentions"] = frozenset(values["mentions"])
        if "media" in values:
            values["media"] = tuple(values["media"])
        tweet = Tweet(**values)
    except (TypeError, ValueError, OverflowError) as error:
        raise Refused(f"This is not a tweet in our own form: {error}.") from None
    wrong = ", ".join(name for name, right in _checks(tweet).items() if not right)
    if wrong:
        raise Refused(f"This is not a tweet in our own form: look at its {wrong}.")
    return replace(tweet, text=checked_text(tweet.text))


def _checks(tweet: Tweet) -> dict[str, bool]:
    """Whether fields hold what they may hold: JSON brings anything."""
    author = tweet.author
    words = ("conversation_id", "in_reply_to", "quoted_id", "lang")
    flags = ("retweet", "sensitive", "answer")
    return {
        "id": _is_identity(tweet.id),
        "root_id": _is_identity(tweet.root_id),
        "author": all(_is_word(one) for one in (author.id, author.handle, author.name)),
        "author's followers": type(author.followers) in {int, type(None)},
        "kind": tweet.kind in get_args(Kind),
        "source": tweet.source in get_args(Source),
        "mentions": all(one is not None and _is_word(one) for one in tweet.mentions),
        "media": all(one in get_args(Media) for one in tweet.media),
        **{name: _is_word(getattr(tweet, name)) for name in words},
        **{name: type(getattr(tweet, name)) is bool for name in flags},
    }


def _is_identity(value: object) -> bool:
    return isinstance(value, str) and IDENTITY.fullmatch(value) is not None


def _is_word(value: object) -> bool:
    return value is None or (isinstance(value, str) and not _NO_SCALAR.search(value))
