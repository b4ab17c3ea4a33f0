"""The Home tab: one's own cases, those that wait, the numbers of the day. A pure function.

Limits: docs.slack.dev, "Home tab views": 100 blocks.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from bot.cases import Case
from bot.notices import Digest
from bot.slack.looks import buttons, notices
from bot.slack.looks.blocks import (
    JsonObject,
    actions,
    button,
    header,
    link,
    moment,
    paragraph,
    person,
    rich,
    sentence,
    words,
)
from bot.slack.looks.phrases import Link, age, quoted, sureness, whom
from bot.standing import Turned

MOST_MINE: Final = 15
MOST_WAITING: Final = 25
"""Cases shown of either list: each takes two of the hundred blocks."""
LONGEST_TEXT: Final = 280


def home_view(
    mine: Sequence[Case],
    waiting: Sequence[Case],
    today: Digest | None,
    *,
    now: datetime,
    link: Link,
    admin: bool = False,
    paused: Turned | None = None,
    said: str | None = None,
) -> JsonObject:
    """The Home tab of a person whose open cases are `mine`; `waiting` are the others.

    `today` are the day's numbers so far. While replies are `paused`, an `admin` is told how to let
    them go. A case is shown once. `said` is what became of a press, in which people may stand by
    their ids.
    """
    own = {case.id: case for case in _oldest_first(mine)}
    others = {case.id: case for case in _oldest_first(waiting) if case.id not in own}
    unclaimed_first = sorted(others.values(), key=lambda case: case.assignee is not None)
    tab = _Tab(now, link)
    blocks = [
        *([rich(paragraph(*sentence(said)))] if said else []),
        header("Today"),
        *_numbers(today),
        *_pause(paused, admin=admin),
        *tab.mine(list(own.values())),
        *tab.waiting(unclaimed_first),
    ]
    return {"type": "home", "blocks": blocks}


def _oldest_first(cases: Sequence[Case]) -> list[Case]:
    """Those that came at once by how sure the model is."""
    return sorted(cases, key=lambda case: (case.received_at, -_probability(case)))


def _probability(case: Case) -> float:
    return case.verdict.probability if case.verdict else 1.0  # held back for long


def _numbers(today: Digest | None) -> Iterator[JsonObject]:
    if today is None:
        yield rich(paragraph(words("Nothing is counted yet.")))
        return
    _, [_, numbers] = notices.digest(today)
    yield numbers


def _pause(paused: Turned | None, *, admin: bool) -> Iterator[JsonObject]:
    if paused is None:
        return
    how = "/triage resume lets them go." if admin else "The admins can let them go."
    yield rich(
        paragraph(
            words("Automatic replies are paused", bold=True),
            words(" by "),
            person(paused.who),
            words(" since "),
            moment(paused.at),
            words(f". {how}"),
        )
    )


class _Tab:
    """The two lists."""

    def __init__(self, now: datetime, link: Link) -> None:
        self._now = now
        self._link = link

    def mine(self, cases: Sequence[Case]) -> Iterator[JsonObject]:
        yield header("My cases")
        if not cases:
            yield rich(paragraph(words("You have none. Claim one below when you are free.")))
        for case in cases[:MOST_MINE]:
            yield rich(*self._told(case))
            yield actions(f"case {case.id}", *_own_buttons(case))
        yield from _more(len(cases) - MOST_MINE, "/triage open mine")

    def waiting(self, cases: Sequence[Case]) -> Iterator[JsonObject]:
        yield header("Waiting")
        if not cases:
            yield rich(paragraph(words("No case waits to be claimed.")))
        for case in cases[:MOST_WAITING]:
            yield rich(*self._told(case, case.assignee))
            if case.assignee is None:
                yield actions(f"case {case.id}", button("claim", "Claim", case.id))
        yield from _more(len(cases) - MOST_WAITING, "/triage open")

    def _told(self, case: Case, with_whom: str | None = None) -> Iterator[JsonObject]:
        author, text = whom(case.tweet.author), quoted(case, LONGEST_TEXT)
        yield paragraph(words(author, bold=True), words(f" {text}"))
        waits = f"Waits for {age(case.received_at, self._now)}"
        parts = [words(f"{waits} · {sureness(case.verdict, unsure=case.unsure)}")]
        parts += [words(" · with "), person(with_whom)] if with_whom else []
        if url := self._link(case):
            parts += [words(" · "), link(url, "its card")]
        yield paragraph(*parts)


def _own_buttons(case: Case) -> Iterator[JsonObject]:
    yield from buttons.reply(case)
    yield buttons.resolve(case)
    yield buttons.release(case)


def _more(left_out: int, command: str) -> Iterator[JsonObject]:
    if left_out > 0:
        yield rich(paragraph(words(f"… and {left_out:,} more: {command}")))
