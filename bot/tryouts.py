"""Texts that somebody tried the classifier on, and whose verdict they called right or wrong.

Each is kept as a case of its own, so that it is there to learn from, and leaves when cases do.
"""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot import deeds
from bot.cases import Case
from bot.ports import CaseStore
from bot.probes import is_probe
from bot.tweets import Tweet, typed

REASON: Final = "Somebody tried this text on the classifier, and said whether it was right."


def tweet_of(text: str) -> Tweet:
    """The text as a tweet: the same text, the same tweet. Raises `Refused` where it is too long."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return typed(text, f"tried-{digest[:24]}")


def unjudged(tweet: Tweet, now: datetime) -> Case:
    """What a text becomes while no classifier answers: the label is worth keeping all the same."""
    return Case(tweet, "skip", (REASON,), now, now)


def labelled(store: CaseStore, judged: Case, escalate: bool, who: str, now: datetime) -> Case:  # noqa: FBT001
    """Keeps what `judged` became as a tryout, with that label. Raises what the store raises."""
    kept = replace(
        judged, route="skip", reasons=(REASON,), effects=(), remind_at=None, resolved=True
    )
    store.add([kept])

    def labelled(case: Case) -> Case:
        return deeds.labelled(case, who, now, escalate=escalate)

    return store.change(kept.id, labelled) or kept


def came_in(case: Case) -> bool:
    """Whether it is about a post that came in: no notice, no text that was tried, no test."""
    return case.notice is None and case.reasons != (REASON,) and not is_probe(case.tweet)
