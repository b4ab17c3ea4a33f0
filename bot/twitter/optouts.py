"""Authors whom the bot leaves alone: at once, and for good where they asked for it.

X's automation rules ("Automated replies"): an opt-out is honoured at once. It is noted where a
post comes in, before any queue, so that a long queue delays it as little as the order of posts.
Agents may opt an author out too; only that can be undone.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from bot.errors import Conflict, Failure, Misconfigured, Refused
from bot.frozen import frozen
from bot.ports import CaseStore, Heed
from bot.tweets import Author, Tweet

log = logging.getLogger(__name__)

OptedOutBy = Literal["author", "agent"]
"""Whose word keeps the bot from an author: his own, or only an agent's."""


@frozen
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

    def add(self, author: Author, now: datetime, agent: str | None = None) -> None:
        """Notes an author by all we know him by; `agent` is who did it, None for his own words.

        The first time stays, but that the author's own word takes the place of an agent's.
        """
        asked = {"at": now.isoformat(), "names": names(author)}
        if agent:
            asked["who"] = agent

        def noted(before: Any) -> Any:
            return before if before and (agent or not _by_agent(before)) else asked

        for name in names(author):
            self.store.change_note(name, noted)

    def remove(self, author: Author) -> None:
        """Undoes what an agent did, whichever of the author's names is known here.

        Raises `Refused` where the author himself asked to be left alone.
        """
        noted = self._noted(author)
        if _whose(noted.values()) == "author":
            whom = author.handle or "The author"
            raise Refused(
                f"{whom} asked the bot to be quiet, which X's rules let nobody here undo: press "
                "Reply on a card to answer in person."
            )
        for name in noted:
            # What he asked for in this moment stays.
            self.store.change_note(name, lambda note: None if _by_agent(note) else note)

    def opted_out(self, author: Author) -> OptedOutBy | None:
        """By whose word the bot leaves the author alone, None where it does not."""
        return _whose(self._noted(author).values())

    def _noted(self, author: Author) -> dict[str, Any]:
        """The notes about an author, those by his other names among them."""
        found = self.store.notes(names(author))
        listed = [name for note in found.values() if _by_agent(note) for name in note["names"]]
        others = [name for name in dict.fromkeys(listed) if name not in found]
        return {**found, **(self.store.notes(others) if others else {})}


def heed_or_leave(heed: Heed, posts: Sequence[Tweet], now: datetime) -> None:
    """Heeds the opt-outs among posts that are queued; where that fails, triage does it later."""
    try:
        heed(posts, now)
    except (Failure, Conflict, Misconfigured) as failure:
        log.warning("Opt-outs among %d posts are left to triage: %s", len(posts), failure)


def _by_agent(note: Any) -> bool:
    """Whether an agent made this note; those of earlier releases do not say, and so hold."""
    return isinstance(note, dict) and bool(note.get("who"))


def _whose(found: Iterable[Any]) -> OptedOutBy | None:
    noted = [note for note in found if note]
    if not noted:
        return None
    return "agent" if all(_by_agent(note) for note in noted) else "author"


def names(author: Author) -> list[str]:
    """The notes that stand for an author's opt-out: whichever is there, he has opted out."""
    return [f"opted-out-{one}" for one in author.known_by]
