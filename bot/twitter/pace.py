"""When the account may post again, and what it said lately. Pure; kept as a note."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from bot.frozen import frozen

WINDOW: Final = timedelta(minutes=15)
CALLS: Final = 100
"""Posts one account may make in a window (X API reference, "Create Post")."""
UNLIKE: Final = 20
"""An answer is of another variant than so many sent before it, as far as there are so many."""
REMEMBERED: Final = 200
"""And of another text than so many: X refuses what the account said not long ago."""


@frozen
class Pace:
    """`posted`: when, in the last window. `marks`: of the last answers' texts and variants.

    `waiting` is how many found the window full since it last had room. `held_until` is when X
    said that the account may call again.
    """

    posted: tuple[datetime, ...] = ()
    said: Mapping[str, Sequence[str]] = field(default_factory=dict)
    waiting: int = 0
    held_until: datetime | None = None

    def opens_at(self, calls: int, now: datetime, *, in_line: bool = True) -> datetime | None:
        """When one more may be posted if `calls` fill a window; None for now.

        Who finds it full gets `in_line`: each window takes so many of those who wait.
        """
        if self.held_until and self.held_until > now:
            return self.held_until
        if len(self.posted) < calls:
            return None
        windows = 1 + (self.waiting // calls if in_line else 0)
        return self.posted[-calls] + WINDOW * windows

    def with_one_waiting(self) -> "Pace":
        """One more found the window full."""
        return replace(self, waiting=self.waiting + 1)

    def with_post(self, now: datetime) -> "Pace":
        """One more is posted now."""
        return replace(self, posted=(*self.posted, now), waiting=0)

    def without_post(self, at: datetime) -> "Pace":
        """What was to be posted then never was."""
        posted = list(self.posted)
        if at in posted:
            posted.remove(at)
        return replace(self, posted=tuple(posted))

    def with_answer(self, case_id: str, marks: Sequence[str]) -> "Pace":
        """The last answer is that to this case, with a text of those marks."""
        others = {one: said for one, said in self.said.items() if one != case_id}
        last = list({**others, case_id: tuple(marks)}.items())[-REMEMBERED:]
        return replace(self, said=dict(last))

    def used(self, case_id: str) -> set[str]:
        """The marks of what was said last to others: a second try may say the same again."""
        others = [marks for one, marks in self.said.items() if one != case_id]
        variants = {mark for _, *rest in others[-UNLIKE:] for mark in rest}
        return variants | {text for text, *_ in others}

    def held(self, until: datetime) -> "Pace":
        """X takes nothing from the account before that."""
        return replace(self, held_until=until)

    def to_json(self) -> dict[str, Any]:
        """The pace as plain JSON values."""
        return {
            "posted": [one.isoformat() for one in self.posted],
            "said": [[case_id, *marks] for case_id, marks in self.said.items()],
            "waiting": self.waiting,
            "held_until": self.held_until and self.held_until.isoformat(),
        }


def pace_of(record: Mapping[str, Any] | None, now: datetime) -> Pace:
    """The pace of what `Pace.to_json` made, as it is `now`; a new one of anything else."""
    try:
        posted = [datetime.fromisoformat(one) for one in (record or {})["posted"]]
        held = (record or {})["held_until"]
        return Pace(
            tuple(one for one in posted if one > now - WINDOW),
            {case_id: marks for case_id, *marks in (record or {})["said"]},
            int((record or {})["waiting"]),
            datetime.fromisoformat(held) if held else None,
        )
    except (TypeError, KeyError, ValueError):
        return Pace()
