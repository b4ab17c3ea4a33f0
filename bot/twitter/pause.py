"""The switch that holds back all automatic replies at once.

It is kept as a note: so it outlasts a restart and holds for every function. The gate reads it
before each answer.
"""

from datetime import UTC, datetime
from typing import Any, Final

from bot.frozen import frozen
from bot.ports import CaseStore

PAUSE: Final = "replies-paused"
"""The note: who paused and when, nothing while replies go out."""


@frozen
class Paused:
    """Who paused the replies, and when."""

    who: str
    at: datetime


@frozen
class Pause:
    """Turns the switch. Each method raises what the store raises and may be repeated."""

    store: CaseStore

    def pause(self, who: str, now: datetime) -> None:
        """Holds back what is not sent yet; whoever paused first stays noted."""
        turned = {"who": who, "at": now.isoformat()}
        self.store.change_note(PAUSE, lambda noted: noted or turned)

    def resume(self) -> None:
        """Lets go what was held back."""
        self.store.change_note(PAUSE, lambda _noted: None)

    def paused(self) -> Paused | None:
        """Who has paused the replies; None while they go out."""
        noted: Any = self.store.note(PAUSE)
        if not noted:
            return None
        return Paused(noted["who"], datetime.fromisoformat(noted["at"]).astimezone(UTC))
