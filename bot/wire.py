"""Reading each wire form of a post: Activity API events, API v2 answers, CSV, JSON lines.

Field names come from X's developer documentation ("X Activity API", "Data dictionary: Post");
newer specifications call the same fields `note_post`, `referenced_posts` and `includes.posts`,
and both names are read.
"""

import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, get_args

from bot.errors import Refused
from bot.frozen import frozen
from bot.tweets import (
    IDENTITY,
    Author,
    Kind,
    Media,
    Source,
    Tweet,
    checked_text,
    from_json,
    json_kind,
    typed,
)

_EVENT_KINDS: Final[Mapping[str, Kind]] = {
    "post.mention.create": "mention",
    "post.reply.create": "reply",
    "post.quote.create": "quote",
}
_REPLAYED: Final = "replay_job_status"
"""By this a webhook is told that a replay it asked for is over."""
LONGEST_NAME: Final = 100
"""Characters kept of a name, handle or language: twice what X allows."""
MOST_MENTIONS: Final = 100
"""Mentions kept of a post: more than X notifies of, and no more than a message can carry."""
MOST_MEDIA: Final = 8
"""Attached media kept of a post: twice what X allows ("Create Post", `media_ids`)."""
_MEDIA: Final[tuple[Media, ...]] = get_args(Media)
_BETWEEN: Final = re.compile(r"[\s,;|]+")
_EVENT_TYPE: Final = re.compile(r"(?=.{3,60}$)[a-z0-9_]+(\.[a-z0-9_]+)+")
"""What a name of X's looks like; anything else might be somebody's words."""
_HANDLE: Final = re.compile(r"(?<![\w@])@(\w{1,15})\b")
_CLASSIC_TIME: Final = "%a %b %d %H:%M:%S %z %Y"
_ID_COLUMNS: Final = ("tweet_id", "id")
_AUTHOR_COLUMNS: Final = ("username", "handle", "author")
_REPLY_COLUMNS: Final = ("in_reply_to", "in_reply_to_tweet_id", "in_response_to_tweet_id")


@frozen
class Deleted:
    """A post that was deleted on X."""

    id: str
    author_id: str | None = None
    source: Source = "webhook"


@frozen
class Revoked:
    """The account took back its access from the app, so its tokens are void."""

    user_id: str | None = None


@frozen
class Ignored:
    """An event that asks nothing of us; `kind` is its `event_type`, or says why."""

    kind: str


class Unreadable(Refused):
    """An event of a kind we take, but not in the form that is known of it."""


Told = Tweet | Deleted | Revoked
"""What an event may tell us."""


def activity_events(body: object) -> list[Mapping[str, Any]]:
    """The single events of a webhook body; each still looks like a body of its own."""
    data = _object(body, "The body").get("data")
    if isinstance(data, list):
        return [
            {"data": one, "includes": _object(body, "The body").get("includes")} for one in data
        ]
    return [_object(body, "The body")]


def activity_event(event: object) -> Told | Ignored:
    """What one X Activity API event brings.

    Raises `Unreadable` for an event of a kind we take, `Refused` where not even its kind can be
    read; neither sentence quotes what the event holds.
    """
    outer = _object(event, "The event")
    if _REPLAYED in outer:
        return Ignored(_REPLAYED)
    data = _object(outer.get("data"), "The event's data")
    kind = data.get("event_type")
    if not isinstance(kind, str):
        raise Refused(f"The event's data.event_type must be a string, not {json_kind(kind)}.")
    read = _EVENTS.get(kind)
    if read is None:
        return Ignored(kind if _EVENT_TYPE.fullmatch(kind) else "a type that is no name")
    includes = _mapping(data.get("includes")) or _mapping(outer.get("includes"))
    try:
        payload = _object(data.get("payload"), "The event's data.payload")
        account = _optional_identity(_mapping(data.get("filter")).get("user_id"))
        return read(_Event(kind, payload, includes, account))
    except Refused as refused:
        raise Unreadable(str(refused)) from None


@frozen
class _Event:
    """`account` is whom the subscription is for, None where the event does not say."""

    kind: str
    payload: Mapping[str, Any]
    includes: Mapping[str, Any]
    account: str | None


def _written(event: _Event) -> Tweet | Ignored:
    account = event.account
    if account and _optional_identity(event.payload.get("author_id")) == account:
        return Ignored("the account's own post")
    tweet = api_post(event.payload, _users(event.includes), "webhook", _media(event.includes))
    kind = _EVENT_KINDS[event.kind]
    # The subscription itself vouches for a mention or quote, whatever the entities say.
    vouched = {account} if account and kind != "reply" else set()
    explicit = tweet.mentions | vouched
    return replace(tweet, kind=kind, mentions=frozenset(explicit), answer=True)


def _deleted(event: _Event) -> Deleted:
    author_id = _optional_identity(event.payload.get("author_id"))
    return Deleted(_identity(event.payload, "id"), author_id)


def _revoked(event: _Event) -> Revoked:
    user_id = _optional_identity(event.payload.get("user_id"))
    return Revoked(user_id if user_id and user_id.isdecimal() else None)


_EVENTS: Final[Mapping[str, Callable[[_Event], Told | Ignored]]] = {
    **dict.fromkeys(_EVENT_KINDS, _written),
    "post.delete": _deleted,
    "oauth.revoke": _revoked,
}


def api_answer(answer: object, source: Source) -> tuple[list[Tweet], list[str]]:
    """The posts of an API v2 answer, and a sentence for each that could not be read."""
    outer = _object(answer, "The answer")
    data = outer.get("data") or []
    includes = _mapping(outer.get("includes"))
    users, media = _users(includes), _media(includes)
    tweets: list[Tweet] = []
    problems: list[str] = []
    for number, post in enumerate(data if isinstance(data, list) else [data]):
        try:
            tweet = api_post(post, users, source, media)
            tweets.append(replace(tweet, answer=source == "poll"))
        except Refused as refused:
            problems.append(f"data[{number}]: {refused}")
    return tweets, problems


def api_post(
    post: object,
    users: Mapping[str, Author],
    source: Source,
    media: Mapping[str, Media] | None = None,
) -> Tweet:
    """One post object of API v2; `media` are the kinds of what it may have attached, by key.

    Raises `Refused` where its id or text cannot be read.
    """
    fields = _object(post, "The post")
    tweet_id = _identity(fields, "id")
    note = _mapping(fields.get("note_tweet") or fields.get("note_post"))
    text = _unescaped(note.get("text", fields.get("text")))
    history = fields.get("edit_history_tweet_ids") or fields.get("edit_history_post_ids")
    root = _optional_identity(history[0]) if isinstance(history, list) and history else None
    references = _references(fields)
    author_id = _optional_identity(fields.get("author_id"))
    stated = Author(author_id, _string(fields.get("username")), _string(fields.get("name")))
    return Tweet(
        id=tweet_id,
        text=text,
        root_id=root or tweet_id,
        author=users.get(author_id or "", stated),
        created_at=time_of(fields.get("created_at")),
        conversation_id=_optional_identity(fields.get("conversation_id")),
        kind=_kind(references),
        in_reply_to=references.get("replied_to"),
        quoted_id=references.get("quoted"),
        retweet="retweeted" in references,
        sensitive=fields.get("possibly_sensitive") is True,
        lang=_string(fields.get("lang")),
        mentions=_explicit_mentions(fields, note),
        source=source,
        media=_attached(fields, media or {}),
    )


def csv_row(row: Mapping[str, str | None], file_id: str, number: int, *, answer: bool) -> Tweet:
    """A row of a CSV file with a `text` column.

    A row without an id gets one from `file_id` (the file's hash) and its number. Raises `Refused`
    where the row has no text, or more fields than the header (under the key None, as
    `csv.DictReader` has them): a text cut at its comma would be judged by its beginning.
    """
    if any(name is None for name in row):
        raise Refused(
            "The row has more fields than the header: put a text that holds a comma in quotes."
        )
    if row.get("text") is None:
        raise Refused("The row has fewer columns than the header, and no text.")
    tweet_id = _optional_identity(_first(row, _ID_COLUMNS)) or f"{file_id}-{number}"
    text = _unescaped(row["text"])
    handle = _first(row, _AUTHOR_COLUMNS)
    return Tweet(
        id=tweet_id,
        text=text,
        root_id=tweet_id,
        author=Author(_first(row, ("author_id",)), handle and handle.lstrip("@")),
        created_at=time_of(row.get("created_at")),
        conversation_id=_first(row, ("conversation_id",)),
        in_reply_to=_first(row, _REPLY_COLUMNS),
        lang=_first(row, ("lang",)),
        mentions=_written_mentions(text),
        source="file",
        answer=answer,
        media=_written_media(row.get("media")),
    )


def json_line(line: str, file_id: str, number: int, *, answer: bool) -> list[Tweet | Deleted]:
    """What one JSON line brings, in whatever wire form: event, answer, post, our own, a string.

    Raises `Refused` where it is malformed; events that ask nothing of us bring nothing.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused(f"The line is not JSON: {error}.") from None
    if isinstance(value, str):
        value = {"text": value}
    found = _any_form(_object(value, "The line"), file_id, number)
    return [
        replace(one, source="file", answer=answer)
        if isinstance(one, Tweet)
        else replace(one, source="file")
        for one in found
        if isinstance(one, Tweet | Deleted)
    ]


def _any_form(value: Mapping[str, Any], file_id: str, number: int) -> list[Told | Ignored]:
    if "event_type" in _mapping(value.get("data")):
        return [activity_event(value)]
    if "root_id" in value:
        return [from_json(value)]
    if "data" in value or "meta" in value:
        tweets, problems = api_answer(value, "file")
        if problems:
            raise Refused(" ".join(problems))
        return list(tweets)
    if "id" not in value and "tweet_id" not in value:
        if "text" not in value:
            raise Refused("The line has neither an id nor a text: it is no post.")
        return [typed(value["text"], f"{file_id}-{number}")]
    post = {"id": value.get("tweet_id"), **value}
    tweet = api_post(post, {}, "file")
    mentions = tweet.mentions | _written_mentions(tweet.text)
    media = tweet.media or _written_media(value.get("media"))
    return [replace(tweet, mentions=mentions, media=media)]


def _kind(references: Mapping[str, str]) -> Kind:
    if "quoted" in references:
        return "quote"
    return "reply" if "replied_to" in references else "mention"


def _references(fields: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for reference in _listed(fields.get("referenced_tweets") or fields.get("referenced_posts")):
        kind = _string(_mapping(reference).get("type"))
        reference_id = _optional_identity(_mapping(reference).get("id"))
        if kind and reference_id:
            found[kind] = reference_id
    return found


def _explicit_mentions(fields: Mapping[str, Any], note: Mapping[str, Any]) -> frozenset[str]:
    # Mentions that X itself puts in front of a reply lie before the displayed text.
    shown = fields.get("display_text_range")
    start = shown[0] if isinstance(shown, list) and shown and isinstance(shown[0], int) else 0
    listed = (
        mention
        for entities in (fields.get("entities"), note.get("entities"))
        for mention in _listed(_mapping(entities).get("mentions"))
    )
    mentioned: set[str] = set()
    for mention in islice(listed, MOST_MENTIONS):
        at = _mapping(mention).get("start")
        if isinstance(at, int) and at < start:
            continue
        handle = _string(_mapping(mention).get("username"))
        mentioned |= {handle.lower()} if handle else set()
        mentioned |= {_optional_identity(_mapping(mention).get("id")) or ""} - {""}
    return frozenset(mentioned)


def _written_mentions(text: str) -> frozenset[str]:
    return frozenset(handle.lower() for handle in _HANDLE.findall(text))


def _attached(fields: Mapping[str, Any], media: Mapping[str, Media]) -> tuple[Media, ...]:
    # A post of API v1.1 says itself what its media are ("Extended entities object").
    own = _listed(_mapping(fields.get("extended_entities")).get("media"))
    kinds = [_media_kind(one) for one in own if isinstance(one, Mapping)]
    attached = _listed(_mapping(fields.get("attachments")).get("media_keys"))
    links = _listed(_mapping(fields.get("entities")).get("urls"))
    keys = attached or [_mapping(link).get("media_key") for link in links]
    # Several photos share one link, which then stands there once for each.
    named = dict.fromkeys(key for key in keys if isinstance(key, str) and key)
    return tuple((kinds or [media.get(key, "media") for key in named])[:MOST_MEDIA])


def _written_media(written: object) -> tuple[Media, ...]:
    """The kinds that a file names, in a list or one behind the other."""
    words = _BETWEEN.split(written) if isinstance(written, str) else _listed(written)
    return tuple(kind for word in words for kind in _MEDIA if kind == word)[:MOST_MEDIA]


def _media(includes: Mapping[str, Any]) -> dict[str, Media]:
    entries = [_mapping(one) for one in _listed(includes.get("media"))]
    keyed = [(one.get("media_key"), _media_kind(one)) for one in entries]
    return {key: kind for key, kind in keyed if isinstance(key, str)}


def _media_kind(entry: Mapping[str, Any]) -> Media:
    return next((kind for kind in _MEDIA if kind == entry.get("type")), "media")


def _users(includes: Mapping[str, Any]) -> dict[str, Author]:
    authors: dict[str, Author] = {}
    for user in _listed(includes.get("users")):
        # Activity events wrap some users in one more "data".
        fields = _mapping(_mapping(user).get("data")) or _mapping(user)
        user_id = _optional_identity(fields.get("id"))
        if user_id:
            followers = _mapping(fields.get("public_metrics")).get("followers_count")
            authors[user_id] = Author(
                user_id,
                _string(fields.get("username")),
                _string(fields.get("name")),
                followers if type(followers) is int else None,
            )
    return authors


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(f"{what} must be a JSON object, not {json_kind(value)}.")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(value: object) -> str | None:
    return checked_text(value[:LONGEST_NAME]) if isinstance(value, str) and value else None


def _identity(fields: Mapping[str, Any], name: str) -> str:
    identity = _optional_identity(fields.get(name))
    if identity is None:
        raise Refused(f"The post's {name} is missing or is neither a string nor a number.")
    return identity


def _optional_identity(value: object) -> str | None:
    if type(value) is int and value >= 0:
        value = str(value)
    return value if isinstance(value, str) and IDENTITY.fullmatch(value) else None


def _unescaped(text: object) -> str:
    """X escapes a text for HTML once, which makes it longer than what its author wrote."""
    return checked_text(html.unescape(text) if isinstance(text, str) else text)


def _first(row: Mapping[str, str | None], columns: Iterable[str]) -> str | None:
    return _string(next((row[column] for column in columns if row.get(column)), None))


def time_of(value: object) -> datetime | None:
    """A time as ISO 8601 or as X wrote it once, in UTC; None where it is neither."""
    if not isinstance(value, str) or not value:
        return None
    for parse in (datetime.fromisoformat, _classic_time):
        try:
            parsed = parse(value)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _classic_time(value: str) -> datetime:
    return datetime.strptime(value, _CLASSIC_TIME)  # noqa: DTZ007  it holds %z
