"""Authors whom agents have muted: what they write makes no card, unless a rule always escalates."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.frozen import frozen
from bot.ports import CaseStore
from bot.tweets import Author


@frozen
class Mutes:
    """Kept as notes. Each method raises what the store raises and may be repeated."""

    store: CaseStore

    def mute(self, author: Author, who: str, now: datetime) -> None:
        """Notes an author by all we know him by; who did it first stays."""
        turned = {"who": who, "at": now.isoformat(), "names": names(author)}
        for name in names(author):
            self.store.change_note(name, lambda noted: noted or turned)

    def unmute(self, author: Author) -> None:
        """What the author writes makes cards again, whichever of his names is known here."""
        noted = self.store.notes(names(author)).values()
        others = [name for note in noted if note for name in note.get("names", ())]
        for name in dict.fromkeys([*names(author), *others]):
            self.store.change_note(name, lambda _noted: None)

    def muted(self, author: Author) -> bool:
        """Whether the author is muted."""
        return is_muted(author, self.store.notes(names(author)))


def names(author: Author) -> list[str]:
    """The notes that stand for an author's mute: whichever is there, he is muted."""
    return [f"muted-{one}" for one in author.known_by]


def names_of(authors: Iterable[Author]) -> list[str]:
    """The same for several."""
    return list(dict.fromkeys(name for author in authors for name in names(author)))


def is_muted(author: Author, noted: Mapping[str, Any]) -> bool:
    """Whether one of the notes read says so."""
    return any(noted.get(name) for name in names(author))
