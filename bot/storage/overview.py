"""What a support lead looks at: the SQLite file's cases by side, by change, by word, in sum."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.cases import Case
from bot.errors import Refused
from bot.frozen import frozen
from bot.storage.legible import case_or_none
from bot.storage.sqlite import Database

Side = Literal["channel", "bot"]
"""The cases that people see, and those that the bot answers or skips."""

_OF_SIDE: Final = {"channel": ("escalate", "escalate"), "bot": ("reply", "skip")}
LONGEST_SEARCH: Final = 200
"""Characters; what a person types. Each of its words is looked for in every case."""
_OF_A_TWEET: Final = "+route IN ('escalate', 'reply', 'skip')"
"""Neither what is about no tweet (`bot.notices`) nor what is damaged. With its + the condition
leaves the choice of an index to the others (sqlite.org, "Disqualifying WHERE Clause Terms Using
Unary +")."""
_WAITED: Final = "(julianday(decided_at) - julianday(received_at)) * 86400.0"


@frozen
class Bar:
    """How many tweets of each route came in a stretch of time that begins at `start`."""

    start: datetime
    escalate: int = 0
    reply: int = 0
    skip: int = 0


@frozen
class Tally:
    """What came in a period; `median` is seconds from received to decided, None without cases."""

    bars: tuple[Bar, ...]
    median: float | None

    def total(self, route: Literal["escalate", "reply", "skip"]) -> int:
        """How many took this route."""
        return sum(getattr(bar, route) for bar in self.bars)


class SqliteOverview:
    """Reads the file that `SqliteCases` writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tick(self) -> int:
        """The number of the last write; grows with every change of a case."""
        tick: int = self._rows("SELECT tick FROM ticks", ())[0][0]
        return tick

    def changed(self, since: int, limit: int) -> list[Case]:
        """The cases written after that tick, at most `limit`."""
        return self._cases(
            f"SELECT id, body FROM cases WHERE tick > ? AND {_OF_A_TWEET} LIMIT ?",  # noqa: S608
            (since, limit),
        )

    def newest(
        self, side: Side, limit: int, before: tuple[datetime, str] | None = None
    ) -> list[Case]:
        """A side's cases, last received first; those `before` a case's time and id."""
        last = (before[0].isoformat(), before[1]) if before else ("~", "")
        # One ordered walk of the index for each route, instead of a sort of all.
        found = {
            case.id: case
            for route in set(_OF_SIDE[side])
            for case in self._cases(
                "SELECT id, body FROM cases WHERE route = ? AND (received_at, id) < (?, ?)"
                " ORDER BY received_at DESC, id DESC LIMIT ?",
                (route, *last, limit),
            )
        }
        ordered = sorted(found.values(), key=lambda case: (case.received_at, case.id), reverse=True)
        return ordered[:limit]

    def search(self, words: str, limit: int) -> list[Case]:
        """The newest cases in whose text, author, answer or id each of the words stands.

        Raises `Refused` for more than `LONGEST_SEARCH` characters.
        """
        if len(words) > LONGEST_SEARCH:
            raise Refused(f"The search is too long: {LONGEST_SEARCH} characters at most.")
        wanted = {word.lstrip("@") for word in words.casefold().split()}

        def holds(*fields: str | None) -> bool:
            text = "\n".join(field for field in fields if field).casefold()
            return all(word in text for word in wanted)

        self._database.connection().create_function("holds", -1, holds)
        return self._cases(
            f"SELECT id, body FROM cases WHERE {_OF_A_TWEET}"  # noqa: S608
            " AND holds(id, json_extract(body, '$.tweet.text'),"
            " json_extract(body, '$.tweet.author.handle'),"
            " json_extract(body, '$.tweet.author.name'), json_extract(body, '$.effects[0].text'),"
            " json_extract(body, '$.effects[1].text'), json_extract(body, '$.effects[2].text'),"
            " json_extract(body, '$.effects[3].text'))"
            " ORDER BY received_at DESC, id DESC LIMIT ?",
            (limit,),
        )

    def tally(self, now: datetime, period: timedelta, bars: int) -> Tally:
        """What came in the period that ends now, in that many bars of equal length."""
        start, step = now - period, period / bars
        counts = self._rows(
            # Whole milliseconds, or a difference of days would fall just short of a bar's edge.
            "SELECT CAST(round((julianday(received_at) - julianday(?)) * 86400000.0) / ?"  # noqa: S608
            " AS INTEGER) AS bar, route, count(*) FROM cases WHERE received_at >= ?"
            f" AND {_OF_A_TWEET} GROUP BY bar, route",
            (start.isoformat(), step / timedelta(milliseconds=1), start.isoformat()),
        )
        heights: dict[int, dict[str, int]] = {}
        for bar, route, count in counts:
            own = heights.setdefault(min(max(bar, 0), bars - 1), {})
            own[route] = own.get(route, 0) + count
        return Tally(
            tuple(Bar(start + at * step, **heights.get(at, {})) for at in range(bars)),
            self._median(start, sum(count for _, _, count in counts)),
        )

    def _median(self, start: datetime, count: int) -> float | None:
        found = self._rows(
            f"SELECT {_WAITED} AS waited FROM cases WHERE received_at >= ? AND {_OF_A_TWEET}"  # noqa: S608
            " ORDER BY waited LIMIT 1 OFFSET ?",
            (start.isoformat(), count // 2),
        )
        return round(found[0][0], 3) if found and found[0][0] is not None else None

    def _cases(self, query: str, values: Sequence[object]) -> list[Case]:
        found = (case_or_none(case_id, body) for case_id, body in self._rows(query, values))
        return [case for case in found if case]

    def _rows(self, query: str, values: Sequence[object]) -> list[sqlite3.Row]:
        return self._database.connection().execute(query, tuple(values)).fetchall()
