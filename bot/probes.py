"""The test tweet that `smoke` sends through a running bot: no post, so it counts as none.

It is signed and read like any other. What keeps it from being answered in public, by the bot as by
an agent, are X's own rules (`bot.twitter.rules`): it is a retweet, and marked as sensitive.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from bot import cases
from bot.cases import Case
from bot.tweets import Author, Tweet

AUTHOR: Final = Author(id="0", handle="smoke-test", name="Smoke test")
"""X gives no such id, and no handle with a hyphen."""
TEXT: Final = (
    "Smoke test of the Tweet Escalator: nobody wrote this, and it goes away by itself. The rules "
    "give to a person whoever asks to speak to someone."
)
CALLED_OFF: Final = "The smoke test is over."
_LANGUAGE: Final = "x-test"
"""One that no model was trained for, should the rules know none of its words."""


def is_probe(tweet: Tweet) -> bool:
    """Whether it is a test tweet."""
    return tweet.source == "webhook" and tweet.author.id == AUTHOR.id


def event(tweet_id: str, at: datetime) -> dict[str, Any]:
    """The event by which X's webhook would tell of it (X Activity API, `post.mention.create`)."""
    post = {
        "id": tweet_id,
        "text": TEXT,
        "author_id": AUTHOR.id,
        "created_at": at.isoformat(),
        "edit_history_tweet_ids": [tweet_id],
        "lang": _LANGUAGE,
        "possibly_sensitive": True,
        "referenced_tweets": [{"type": "retweeted", "id": "0"}],
    }
    author = {"id": AUTHOR.id, "username": AUTHOR.handle, "name": AUTHOR.name}
    return {
        "data": {
            "event_uuid": tweet_id,
            "event_type": "post.mention.create",
            "tag": "smoke",
            "payload": post,
            "includes": {"users": [author]},
        }
    }


def stone(tweet_id: str, now: datetime) -> Case:
    """An empty case in the place of one that was called off before it was read."""
    tweet = Tweet(tweet_id, "", tweet_id, AUTHOR, source="webhook")
    return Case(tweet, "skip", (CALLED_OFF,), now, now, resolved=True, erased=True)


def called_off(case: Case) -> Case:
    """The case of which nothing more reaches the world; what is on its way is not tried again."""
    kinds = {effect.kind for effect in case.effects}
    case = cases.withdrawn(case, CALLED_OFF, *kinds)
    return replace(case, resolved=True, remind_at=None, snoozed_until=None)
