"""The channel as an outlet for cards, their updates and the lines in their threads.

A reply to a message that is gone is no failure: Slack shows it in the channel (slack-go, issue
1571).
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from slack_sdk import WebClient

from bot import telemetry
from bot.cases import Case, Effect
from bot.errors import Permanent, Retryable, Unknown
from bot.frozen import frozen
from bot.slack.client import Gone, NoThread, Turns, asked
from bot.slack.looks.cards import CARD, LINE, card, line, mentions_somebody
from bot.slack.surroundings import Surroundings

log = logging.getLogger(__name__)

PAGES: Final = 5
"""Of the channel's messages that are looked through."""
THREAD_PAGES: Final = 2
A_PAGE: Final = 200
"""Messages of a page."""
SOON: Final = 10.0
"""Seconds until a card that another one waits for should be there."""
BEFORE: Final = timedelta(minutes=1)
AFTER: Final = timedelta(minutes=5)
"""Around the moment a call began, within which its message is looked for: Slack's clock is not
ours, and a thread's pages begin with its oldest message."""
WATCHED_FOR: Final = timedelta(hours=24)
"""How long a card that no one in Slack has is new enough for somebody to look into its thread."""

JsonObject = dict[str, Any]


@frozen
class Place:
    """A message in the channel; `thread` is the message it answers. As text it is an outside id."""

    ts: str
    thread: str | None = None

    @classmethod
    def of(cls, outside_id: str) -> "Place":
        """The place that `str` made such an id of."""
        thread, _, ts = outside_id.rpartition("/")
        return cls(ts, thread or None)

    @property
    def root(self) -> str:
        """The message whose thread it is in, or begins."""
        return self.thread or self.ts

    def __str__(self) -> str:
        """The outside id."""
        return f"{self.thread}/{self.ts}" if self.thread else self.ts


@frozen
class Channel:
    """Messages in one channel. Each method raises the three failures."""

    client: WebClient
    id: str
    turns: Turns

    def post(self, message: JsonObject, thread: str | None = None) -> Place:
        """Posts it, in that message's thread if one is given; never to the channel as well."""
        more = {"thread_ts": thread} if thread else {}
        answered = self._written(self.client.chat_postMessage, **message, **more)
        posted = answered.get("message")
        # Slack decides where it appears: not in a thread whose first message is gone.
        within = posted.get("thread_ts") if isinstance(posted, dict) else thread
        return Place(_stamp(answered), within if thread else None)

    def redraw(self, ts: str, message: JsonObject) -> None:
        """Puts it in the place of the message that stands there."""
        drawn = {k: v for k, v in message.items() if not k.startswith("unfurl")}
        _stamp(self._written(self.client.chat_update, ts=ts, **drawn))

    def remove(self, ts: str) -> None:
        """Deletes a message of our own; one that is gone already is no failure.

        A bot's token deletes what that bot posted (method "chat.delete", "Usage info"), and the
        answers in its thread stay.
        """
        try:
            asked(self.client.chat_delete, channel=self.id, ts=ts)
        except Gone:
            return

    def link(self, ts: str) -> str:
        """Where a browser shows the message."""
        answered = asked(self.client.chat_getPermalink, channel=self.id, message_ts=ts)
        return str(answered.get("permalink"))

    def _written(self, method: Callable[..., Any], **message: Any) -> JsonObject:
        self.turns.take()
        try:
            return asked(method, channel=self.id, **message)
        except Retryable as failure:
            if failure.after:
                self.turns.hold(failure.after)
            raise

    def whisper(self, who: str, message: JsonObject) -> None:
        """Tells one member of the channel, where nobody else sees it."""
        asked(self.client.chat_postEphemeral, channel=self.id, user=who, **message)

    def answers(self, root: str, at: datetime) -> Iterator[JsonObject]:
        """A thread's messages of about that time."""
        return self._pages(partial(self.client.conversations_replies, ts=root), at, THREAD_PAGES)

    def messages(self, at: datetime) -> Iterator[JsonObject]:
        """The channel's messages of about that time; of threads it has only the first ones."""
        return self._pages(self.client.conversations_history, at, PAGES)

    def _pages(self, method: Callable[..., Any], at: datetime, pages: int) -> Iterator[JsonObject]:
        cursor: str | None = None
        for _ in range(pages):
            answered = asked(
                method,
                channel=self.id,
                oldest=str((at - BEFORE).timestamp()),
                latest=str((at + AFTER).timestamp()),
                include_all_metadata=True,
                limit=A_PAGE,
                cursor=cursor,
            )
            yield from answered.get("messages", [])
            cursor = answered.get("response_metadata", {}).get("next_cursor")
            if not cursor:
                return


@frozen
class CardOutlet:
    """`bot.ports.Outlet` for cards. One that goes on with a conversation joins its thread."""

    channel: Channel
    surroundings: Surroundings

    def send(self, case: Case, effect: Effect) -> str:  # noqa: ARG002
        """See `bot.ports.Outlet`; the outside id is a `Place`."""
        around = self.surroundings.of(case)
        message, thread = card(case, around), _thread(case, around.head, around.incident)
        if thread:
            try:
                return str(self.channel.post(message, thread))
            except NoThread as failure:
                extra = telemetry.about(case)
                log.warning(
                    "The card of case %s goes to the channel: %s", case.id, failure, extra=extra
                )
        return str(self.channel.post(message))

    def find(self, case: Case, effect: Effect) -> str | None:
        """See `bot.ports.Outlet`: looks through its thread and the channel."""
        around, at = self.surroundings.of(case), effect.begun_at or case.decided_at
        for first in (around.head, around.incident):
            root = _root(first)
            found = root and _found_in_thread(self.channel, root, at, partial(_is_card, case))
            if found:
                return str(Place(found, root))
        found = _found(self.channel.messages(at), partial(_is_card, case))
        return str(Place(found)) if found else None


@frozen
class UpdateOutlet:
    """`bot.ports.Outlet` for a card drawn anew; doing it twice is harmless."""

    channel: Channel
    surroundings: Surroundings

    def send(self, case: Case, effect: Effect) -> str:  # noqa: ARG002
        """See `bot.ports.Outlet`."""
        place = _place_of_card(case)
        self.channel.redraw(place.ts, card(case, self.surroundings.of(case)))
        return str(place)

    def find(self, case: Case, effect: Effect) -> str | None:  # noqa: ARG002
        """See `bot.ports.Outlet`: never looked for, only done again."""
        return None


@frozen
class LineOutlet:
    """`bot.ports.Outlet` for the lines in a card's thread."""

    channel: Channel
    channel_url: Callable[[], str | None]

    def send(self, case: Case, effect: Effect) -> str:
        """See `bot.ports.Outlet`."""
        place = _place_of_card(case)
        url = self.channel_url() if place.thread else None
        return str(self.channel.post(line(case, effect, url), place.root))

    def find(self, case: Case, effect: Effect) -> str | None:
        """See `bot.ports.Outlet`: looks through the thread."""
        root, at = _place_of_card(case).root, effect.begun_at or case.decided_at
        found = _found_in_thread(self.channel, root, at, partial(_is_line, case, effect))
        return str(Place(found, root)) if found else None


def take_away(channel: Channel, case: Case, card: Place, at: datetime) -> None:
    """Deletes a card posted at that time, and what its thread was told; what others wrote stays.

    Raises the three failures; may be repeated.
    """
    try:
        told = {_stamp(one) for one in channel.answers(card.root, at) if _is_of(case, one)}
    except NoThread:
        told = set()
    for ts in (*sorted(told - {card.ts}), card.ts):
        channel.remove(ts)


def _place_of_card(case: Case) -> Place:
    """Where its card stands. Raises `Permanent` where there is none, `Retryable` if not yet."""
    sent = case.effect("card")
    if sent is None or sent.state == "failed":
        raise Permanent("There is no card.")
    if sent.outside_id is None:
        raise Retryable("The card itself is still on its way.", SOON)
    return Place.of(sent.outside_id)


def _thread(case: Case, head: Case | None, incident: Case | None) -> str | None:
    """The message whose thread the case's card joins, None where it is to stand by itself.

    Raises `Retryable` where that message is still on its way.
    """
    sent = head.effect("card") if head and not head.erased else None
    if head and sent and sent.state != "failed" and _watched(case, head):
        return _sent_root(sent)
    gathers = incident.effect("card") if incident else None
    return _sent_root(gathers) if gathers and gathers.state != "failed" else None


def _watched(case: Case, head: Case) -> bool:
    """Whether somebody would look into that thread; whoever is mentioned does."""
    return case.received_at - head.received_at <= WATCHED_FOR or mentions_somebody(case, head)


def _sent_root(sent: Effect) -> str | None:
    if sent.stuck:  # who knows for how long
        return None
    if sent.state != "sent":
        raise Retryable("The card whose thread it joins is still on its way.", SOON)
    return Place.of(sent.outside_id).root if sent.outside_id else None


def _root(first: Case | None) -> str | None:
    sent = first.effect("card") if first else None
    return Place.of(sent.outside_id).root if sent and sent.outside_id else None


def _found_in_thread(
    channel: Channel, root: str, at: datetime, wanted: Callable[[JsonObject], bool]
) -> str | None:
    try:
        return _found(channel.answers(root, at), wanted)
    except NoThread:
        return None


def _found(messages: Iterator[JsonObject], wanted: Callable[[JsonObject], bool]) -> str | None:
    return next((_stamp(message) for message in messages if wanted(message)), None)


def _is_card(case: Case, message: JsonObject) -> bool:
    return _payload(message, CARD).get("case") == case.id


def _is_of(case: Case, message: JsonObject) -> bool:
    return case.id in {_payload(message, kind).get("case") for kind in (CARD, LINE)}


def _is_line(case: Case, effect: Effect, message: JsonObject) -> bool:
    payload = _payload(message, LINE)
    return payload.get("case") == case.id and payload.get("line") == effect.token


def _payload(message: JsonObject, event_type: str) -> JsonObject:
    metadata = message.get("metadata") or {}
    known = metadata.get("event_type") == event_type
    payload: JsonObject = (metadata.get("event_payload") or {}) if known else {}
    return payload


def _stamp(message: JsonObject) -> str:
    try:
        return str(message["ts"])
    except (TypeError, KeyError):
        raise Unknown("Slack's answer names no message.") from None
