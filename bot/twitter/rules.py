"""When the bot may answer a post: X's rules, and those that keep an account from being a nuisance.

X's automation rules ("Automated replies") and the developer policy for self-serve apps of
February 2026: only where the post's author mentioned or quoted the account, never unasked, once
per interaction, never after an opt-out. Pure: what is known is passed in.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import field
from datetime import datetime, timedelta
from typing import Final

from bot.conversations import Conversation, author_of
from bot.frozen import frozen
from bot.tweets import Author, Tweet

REACTION: Final = timedelta(seconds=15)
"""Nobody reads an answer and writes the next one faster."""
AGENTS: Final = "An agent has answered in this conversation, so a person sees it."
STOPPED: Final = "Its author asked the bot to stop."
_BOT_HANDLE: Final = re.compile(r"(?i:(^|_)bots?(_|\d|$))|(?<=[a-z\d])Bot_?\d*$|^Bot[A-Z]")
_BOT_NAME: Final = re.compile(r"\b(bot|automated|automatic)\b|🤖", re.IGNORECASE)


@frozen
class Limits:
    """What the account sets for itself. `blocked` holds lower-case handles and ids."""

    max_age: timedelta = timedelta(hours=6)
    per_author_per_day: int = 2
    blocked: frozenset[str] = frozenset()


@frozen
class Standing:
    """What is known of a post's author and conversation when it is to be answered.

    `answers_today` counts the bot's answers to other posts of the author on this day.
    """

    opted_out: bool = False
    answers_today: int = 0
    conversation: Conversation = field(default_factory=Conversation)


def refusal(
    tweet: Tweet, account: frozenset[str], limits: Limits, received_at: datetime, now: datetime
) -> str | None:
    """Why the bot must not answer `tweet` for what it is, None where it may.

    `account` holds the account's id and lower-case handle, as far as they are known.
    """
    return next(_of_the_post(tweet, account, limits, received_at, now), None)


def refusal_now(case_id: str, tweet: Tweet, standing: Standing, limits: Limits) -> str | None:
    """Why the bot must not answer `tweet` for what was said before, None where it may."""
    return next(_of_the_past(case_id, tweet, standing, limits), None)


def refusal_through_api(tweet: Tweet, account: frozenset[str]) -> str | None:
    """Why nobody may answer `tweet` through X's API, an agent's own words included."""
    if tweet.retweet:
        return "Retweets are not answered."
    if _own(tweet, account):
        return "The account does not answer itself."
    if not _asked(tweet, account):
        return "It does not mention the account itself, so X takes no answer through its API."
    return None


def mark(text: str) -> str:
    """Tells a text from others without keeping it; case and spaces do not count."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:16]


def _of_the_post(
    tweet: Tweet, account: frozenset[str], limits: Limits, received_at: datetime, now: datetime
) -> Iterator[str]:
    if tweet.sensitive:
        yield "Posts marked as sensitive are not answered by the bot."
    forbidden = refusal_through_api(tweet, account)
    if forbidden:
        yield forbidden
    if author_of(tweet) is None:
        yield "Its author is not known, so an opt-out could not be honoured."
    if not limits.blocked.isdisjoint(_names(tweet.author)):
        yield "Its author is on the list of those whom the bot does not answer."
    if now - (tweet.written_at or received_at) > limits.max_age:
        hours = limits.max_age / timedelta(hours=1)
        yield f"It is older than {hours:g} hours, so an automatic answer would come too late."


def _of_the_past(case_id: str, tweet: Tweet, standing: Standing, limits: Limits) -> Iterator[str]:
    talk = standing.conversation
    if standing.opted_out:
        yield STOPPED
    if talk.at is not None and talk.answered != case_id:
        written = tweet.written_at
        if written is None or written <= talk.at:
            yield "The bot has answered in this conversation since, and nobody has written again."
        elif _by_a_bot(tweet, talk, written - talk.at):
            yield "A bot seems to answer the bot, so the conversation ends here."
    if standing.answers_today >= limits.per_author_per_day:
        yield (
            f"Its author has had {standing.answers_today} automatic answers today, and more would "
            "be a nuisance."
        )


def _by_a_bot(tweet: Tweet, talk: Conversation, after: timedelta) -> bool:
    author = tweet.author
    return (
        after < REACTION
        or talk.said == mark(tweet.text)
        or bool(_BOT_HANDLE.search(author.handle or ""))
        or bool(_BOT_NAME.search(author.name or ""))
    )


def _asked(tweet: Tweet, account: frozenset[str]) -> bool:
    if not account.isdisjoint(tweet.mentions):
        return True
    # A file names accounts by handle; who asks for `--reply` vouches that ours is among them.
    if tweet.source == "file" and tweet.mentions:
        return True
    # Before the account is known, the wire form is all there is to go by.
    return not account and tweet.kind in {"mention", "quote"}


def _own(tweet: Tweet, account: frozenset[str]) -> bool:
    return not account.isdisjoint(_names(tweet.author))


def _names(author: Author) -> set[str]:
    handle = (author.handle or "").removeprefix("@").lower()
    return {name for name in (author.id, handle) if name}
