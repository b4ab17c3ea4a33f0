"""Authors who asked the bot to leave them alone: at once, and for good.

X's automation rules ("Automated replies"): an opt-out is honoured at once. It is noted where a
post comes in, before any queue, so that a long queue delays it as little as the order of posts.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.errors import Conflict, Failure, Misconfigured
from bot.ports import CaseStore, Heed
from bot.tweets import Author, Tweet

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OptOuts:
    """Notes who opted out. `asks` says of a text whether it asks for that."""

    store: CaseStore
    asks: Callable[[str], bool]

    def heed(self, posts: Iterable[Tweet], now: datetime) -> int:
        """Notes the authors of those posts that ask for it; returns how many posts did.

        Raises what the store raises; may be repeated.
        """
        asking = [post for post in posts if self.asks(post.text)]
        for post in asking:
            self.add(post.author, now)
            log.info("The author of post %s asked the bot to be quiet.", post.id)
        return len(asking)

    def add(self, author: Author, now: datetime) -> None:
        """Notes an author by all we know him by; the first time stays."""
        asked = {"at": now.isoformat(), "names": names(author)}
        for name in names(author):
            self.store.change_note(name, lambda noted: noted or asked)

    def remove(self, author: Author) -> None:
        """The bot may answer the author again, whichever of his names is known here."""
        noted = self.store.notes(names(author)).values()
        # Notes of earlier releases hold nothing but a time.
        others = [name for note in noted if isinstance(note, dict) for name in note["names"]]
        for name in dict.fromkeys([*names(author), *others]):
            self.store.change_note(name, lambda _noted: None)

    def opted_out(self, author: Author) -> bool:
        """Whether the bot leaves the author alone."""
        return any(self.store.notes(names(author)).values())


def heed_or_leave(heed: Heed, posts: Sequence[Tweet], now: datetime) -> None:
    """Heeds the opt-outs among posts that are queued; where that fails, triage does it later."""
    try:
        heed(posts, now)
    except (Failure, Conflict, Misconfigured) as failure:
        log.warning("Opt-outs among %d posts are left to triage: %s", len(posts), failure)


def names(author: Author) -> list[str]:
    """The notes that stand for an author's opt-out: whichever is there, he has opted out."""
    return [f"opted-out-{one}" for one in author.known_by]
