"""One SQLite file for cases and queues, safe for several threads and processes.

Every commit is on the disk before it returns (WAL with `synchronous=FULL`; sqlite.org, "PRAGMA
synchronous").
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bot import records
from bot.cases import Case
from bot.errors import Misconfigured, Retryable
from bot.ports import Clock, Identities, Message, Outgoing
from bot.storage.legible import body_of, case_of, case_or_none

DEDUPLICATED_FOR: Final = 300.0
"""Seconds a FIFO queue remembers a deduplication id, as SQS does."""
DEAD_KEPT_FOR: Final = timedelta(days=14)
"""How long a dead letter lies, as on SQS (serverless.yml, MessageRetentionPeriod)."""
PAGE: Final = 200
SCRUB_WAIT: Final = 5.0
"""Seconds a scrub waits for those who use the file: a person sits before it, writers behind."""
SWITCHES: Final = 20
"""How often the journal's mode is set while others do the same."""
_MIGRATIONS: Final = (
    """
    CREATE TABLE cases (
        id TEXT PRIMARY KEY, body TEXT NOT NULL, received_at TEXT NOT NULL,
        due_at REAL, expires_at REAL NOT NULL
    );
    CREATE INDEX cases_newest ON cases (received_at, id);
    CREATE INDEX cases_due ON cases (due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX cases_expired ON cases (expires_at);
    CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, body TEXT NOT NULL,
        flow TEXT, visible_at REAL NOT NULL, receive_count INTEGER NOT NULL DEFAULT 0,
        receipt TEXT, sent_at REAL NOT NULL
    );
    CREATE INDEX messages_visible ON messages (queue, number);
    CREATE INDEX messages_receipt ON messages (receipt) WHERE receipt IS NOT NULL;
    CREATE TABLE deduplications (
        queue TEXT NOT NULL, id TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (queue, id)
    );
    """,
    "CREATE INDEX messages_flow ON messages (queue, flow, visible_at) WHERE flow IS NOT NULL",
    """
    CREATE TABLE ticks (tick INTEGER NOT NULL);
    INSERT INTO ticks VALUES (1);
    ALTER TABLE cases ADD COLUMN tick INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE cases ADD COLUMN route TEXT AS (
        CASE WHEN json_valid(body) THEN json_extract(body, '$.route') END
    ) VIRTUAL;
    ALTER TABLE cases ADD COLUMN decided_at TEXT AS (
        CASE WHEN json_valid(body) THEN json_extract(body, '$.decided_at') END
    ) VIRTUAL;
    CREATE INDEX cases_changed ON cases (tick);
    CREATE INDEX cases_tally ON cases (received_at, route, decided_at);
    CREATE INDEX cases_by_route ON cases (route, received_at, id)
    """,
    """
    ALTER TABLE notes ADD COLUMN expires_at REAL;
    CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, ends_at REAL NOT NULL)
    """,
    # `Case.open`, and what it was before records had it.
    """
    ALTER TABLE cases ADD COLUMN open INTEGER AS (
        CASE WHEN json_valid(body) THEN coalesce(
            json_extract(body, '$.open'),
            json_extract(body, '$.route') = 'escalate'
            AND json_extract(body, '$.resolved') IS NOT 1
            AND json_extract(body, '$.erased') IS NOT 1
        ) END
    ) VIRTUAL;
    CREATE INDEX cases_open ON cases (received_at, id) WHERE open
    """,
)

_OPEN: Final = "SELECT id, CAST(body AS BLOB) FROM cases WHERE open ORDER BY received_at, id"
_WAITING: Final = (
    "SELECT number, body, flow, receive_count, sent_at FROM messages AS m"
    " WHERE queue = :queue AND visible_at <= :now ORDER BY number LIMIT :limit"
)
# While a message of a group is in flight, the rest of its group waits.
_FIFO_WAITING: Final = _WAITING.replace(
    " ORDER BY",
    " AND NOT EXISTS (SELECT 1 FROM messages AS b WHERE b.queue = m.queue AND b.flow = m.flow"
    " AND b.visible_at > :now) ORDER BY",
)


class Database:
    """The file; each thread that asks gets a connection of its own."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file and brings its schema up to date.

        Raises `Misconfigured` where the folder cannot be written or the file is newer than us.
        """
        self.path = path
        self._local = threading.local()
        self._traces = True  # whoever wrote before us may have left some
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._transaction() as connection:
                self._migrate(connection)
        except (OSError, sqlite3.DatabaseError) as error:
            raise Misconfigured(
                [
                    (
                        f"The data folder {path.parent} cannot be used ({error}): "
                        "set DATA_DIR to another."
                    )
                ]
            ) from None

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_MIGRATIONS):
            raise Misconfigured(
                [f"{self.path} was written by a newer release: update this one first."]
            )
        for number, script in enumerate(_MIGRATIONS[version:], version + 1):
            for statement in script.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")

    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection, in autocommit mode."""
        existing: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if existing:
            return existing
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
        self._local.connection = connection
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start; undone on any exception.

        Raises `Retryable` where the file is locked for too long or the disk is full.
        """
        try:
            with self._transaction() as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise Retryable(f"{self.path} cannot be written now: {error}.") from None

    def scrub(self) -> None:
        """Rewrites the file, so that nothing of what was deleted is left in it or its log.

        `secure_delete` alone is not enough: a page that gave rows to its neighbour may keep
        their old copies in its unused part. Raises `Retryable` where somebody still uses the
        file after `SCRUB_WAIT`, or the disk has no room for a second copy.
        """
        in_use = "something else still reads or writes it"
        try:
            with _patience(self.connection(), SCRUB_WAIT) as connection:
                connection.execute("VACUUM")
            trouble = None if self.truncate_log(SCRUB_WAIT) else in_use
        except sqlite3.OperationalError as error:
            trouble = in_use if _is_busy(error) else f"it cannot be rewritten ({error})"
        if trouble:
            raise Retryable(
                f"{self.path} or its log may still hold what was erased, for {trouble}: repeat "
                "`erase` once that is over."
            )

    def leaves_traces(self) -> None:
        """What was just removed or erased may live on in the log, until that is truncated."""
        self._traces = True

    def forget_traces(self) -> None:
        """Truncates the log if it may hold what is gone; while others read it, a later call does.

        Never waits, for a checkpoint that waits for a reader keeps every writer waiting too.
        """
        if self._traces:
            self._traces = done = False
            try:
                done = self.truncate_log()
            finally:
                if not done:
                    self._traces = True

    def truncate_log(self, wait: float = 0) -> bool:
        """Moves the write-ahead log into the file: what was overwritten must not live on in it.

        Waits at most so many seconds for those who still read or write it; False where they did
        not end.
        """
        try:
            with _patience(self.connection(), wait) as connection:
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                return False
            raise
        return not busy

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self.connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


@contextmanager
def _patience(connection: sqlite3.Connection, seconds: float) -> Iterator[sqlite3.Connection]:
    """The connection, waiting for locks at most so long, and no longer than it did before."""
    [before] = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {min(before, round(seconds * 1000))}")
    try:
        yield connection
    finally:
        connection.execute(f"PRAGMA busy_timeout = {before}")


def _is_busy(error: sqlite3.OperationalError) -> bool:
    # The lowest byte is the kind, the others its variety (sqlite.org, "Result Codes").
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switches to a write-ahead log; of several processes that open a new file, one does."""
    for _ in range(SWITCHES):
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
            return
        # The switch does not wait for another process, a transaction does.
        connection.execute("BEGIN IMMEDIATE")
        connection.commit()
    connection.execute("PRAGMA journal_mode = WAL")


class SqliteCases:
    """`bot.ports.CaseStore` over the file."""

    def __init__(self, database: Database, retention: timedelta) -> None:
        self._database = database
        self._retention = retention

    def add(self, cases: Sequence[Case]) -> set[str]:
        """See `bot.ports.CaseStore`."""
        if not cases:
            return set()
        with self._database.writing() as connection:
            tick = _tick(connection)
            return {
                case.id
                for case in cases
                if connection.execute(
                    "INSERT OR IGNORE INTO cases (id, body, received_at, due_at, expires_at, tick)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        case.id,
                        records.body(case),
                        case.received_at.isoformat(),
                        _due(case),
                        (case.received_at + self._retention).timestamp(),
                        tick,
                    ),
                ).rowcount
            }

    def get(self, ids: Sequence[str]) -> dict[str, Case]:
        """See `bot.ports.CaseStore`."""
        rows = self._database.connection().execute(
            "SELECT id, body FROM cases WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {case_id: case_of(case_id, body) for case_id, body in rows}

    def change(self, case_id: str, change: Callable[[Case], Case]) -> Case | None:
        """See `bot.ports.CaseStore`; the write lock makes a lost race impossible."""
        with self._database.writing() as connection:
            row = connection.execute("SELECT body FROM cases WHERE id = ?", (case_id,)).fetchone()
            if row is None:
                return None
            before = case_of(case_id, row[0])
            after = change(before)
            if after is not before:
                connection.execute(
                    "UPDATE cases SET body = ?, due_at = ?, tick = ? WHERE id = ?",
                    (body_of(after, row[0]), _due(after), _tick(connection), case_id),
                )
        if after.erased and not before.erased:
            self._database.leaves_traces()
        return after

    def newest(
        self, until: datetime | None = None, since: datetime | None = None
    ) -> Iterator[Case]:
        """See `bot.ports.CaseStore`."""
        first = since.isoformat() if since else ""
        # As bytes: a body that is not even UTF-8 would end the query and not only its row.
        last = (until.isoformat(), "~") if until else ("~", "")
        while True:
            rows = (
                self._database.connection()
                .execute(
                    "SELECT received_at, id, CAST(body AS BLOB) FROM cases"
                    " WHERE (received_at, id) < (?, ?) AND received_at >= ?"
                    " ORDER BY received_at DESC, id DESC LIMIT ?",
                    (*last, first, PAGE),
                )
                .fetchall()
            )
            found = (case_or_none(case_id, body) for _, case_id, body in rows)
            yield from (case for case in found if case)
            if len(rows) < PAGE:
                return
            last = rows[-1][:2]

    def open(self, limit: int) -> list[Case]:
        """See `bot.ports.CaseStore`."""
        # No LIMIT: a record that nobody can read must not stand in the place of another.
        with closing(self._database.connection().execute(_OPEN)) as rows:
            found = (case_or_none(case_id, body) for case_id, body in rows)
            return list(islice((case for case in found if case), limit))

    def due(self, now: datetime, limit: int) -> list[str]:
        """See `bot.ports.CaseStore`."""
        rows = self._database.connection().execute(
            "SELECT id FROM cases WHERE due_at <= ? ORDER BY due_at LIMIT ?",
            (now.timestamp(), limit),
        )
        return [row[0] for row in rows]

    def delete(self, ids: Sequence[str]) -> None:
        """See `bot.ports.CaseStore`."""
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM cases WHERE id = ?", [(case_id,) for case_id in ids]
            )
        self._database.leaves_traces()

    def expire(self, now: datetime) -> int:
        """See `bot.ports.CaseStore`; messages go too, dead ones sooner."""
        moment = now.timestamp()
        with self._database.writing() as connection:
            gone = sum(
                connection.execute(statement, (until,)).rowcount
                for statement, until in (
                    ("DELETE FROM cases WHERE expires_at <= ?", moment),
                    (
                        "DELETE FROM messages WHERE queue LIKE '%-dead' AND visible_at <= ?",
                        (now - DEAD_KEPT_FOR).timestamp(),
                    ),
                    # Waiting ones are work, however long this machine was off; yet no text stays
                    # longer than its case would.
                    (
                        "DELETE FROM messages WHERE sent_at <= ?",
                        (now - self._retention).timestamp(),
                    ),
                )
            )
            notes = connection.execute("DELETE FROM notes WHERE expires_at <= ?", (moment,))
        if gone or notes.rowcount:
            self._database.leaves_traces()
        self._database.forget_traces()
        return gone

    def note(self, name: str) -> Any:
        """See `bot.ports.CaseStore`."""
        row = (
            self._database.connection()
            .execute("SELECT value FROM notes WHERE name = ?", (name,))
            .fetchone()
        )
        return row and json.loads(row[0])

    def set_note(self, name: str, value: Any, received_at: datetime | None = None) -> None:
        """See `bot.ports.CaseStore`."""
        with self._database.writing() as connection:
            self._write_note(connection, name, value, received_at)

    def notes(self, names: Sequence[str]) -> dict[str, Any]:
        """See `bot.ports.CaseStore`."""
        rows = self._database.connection().execute(
            "SELECT name, value FROM notes WHERE name IN (SELECT value FROM json_each(?))",
            (json.dumps(list(names)),),
        )
        return {name: json.loads(value) for name, value in rows}

    def change_note(
        self,
        name: str,
        change: Callable[[Any], Any],
        received_at: datetime | None = None,
        *,
        new: bool = False,  # noqa: ARG002
    ) -> Any:
        """See `bot.ports.CaseStore`; the write lock makes a lost race impossible."""
        with self._database.writing() as connection:
            row = connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
            after = change(row and json.loads(row[0]))
            if row is None or after != json.loads(row[0]):
                self._write_note(connection, name, after, received_at)
        return after

    def _write_note(
        self, connection: sqlite3.Connection, name: str, value: Any, received_at: datetime | None
    ) -> None:
        expires_at = received_at and (received_at + self._retention).timestamp()
        connection.execute(
            "INSERT OR REPLACE INTO notes (name, value, expires_at) VALUES (?, ?, ?)",
            (name, json.dumps(value), expires_at),
        )

    def lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """See `bot.ports.CaseStore`."""
        with self._database.writing() as connection:
            return bool(
                connection.execute(
                    "INSERT INTO leases VALUES (:name, :holder, :until) ON CONFLICT DO UPDATE"
                    " SET holder = :holder, ends_at = :until"
                    " WHERE holder = :holder OR ends_at <= :now",
                    {
                        "name": name,
                        "holder": holder,
                        "now": now.timestamp(),
                        "until": until.timestamp(),
                    },
                ).rowcount
            )


class SqliteQueue:
    """`bot.ports.Queue` over the file, with what SQS promises of a queue of its kind."""

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        fifo: bool,
        visibility: float,
        max_receives: int,
        clock: Clock,
        identities: Identities,
    ) -> None:
        """`visibility`: seconds a received message stays invisible; see SQS for the rest."""
        self._database = database
        self._name = name
        self._fifo = fifo
        self._visibility = visibility
        self._max_receives = max_receives
        self._clock = clock
        self._identities = identities

    def send(self, messages: Sequence[Outgoing]) -> None:
        """See `bot.ports.Queue`."""
        now = self._clock().timestamp()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM deduplications WHERE until <= ?", (now,))
            connection.executemany(
                "INSERT INTO messages (queue, body, flow, visible_at, sent_at)"
                " VALUES (?, ?, ?, ?, ?)",
                [
                    (self._name, message.body, message.group, now, now)
                    for message in messages
                    if self._first_sent(connection, message, now)
                ],
            )

    def _first_sent(self, connection: sqlite3.Connection, message: Outgoing, now: float) -> bool:
        if not self._fifo:
            return True
        return bool(
            connection.execute(
                "INSERT INTO deduplications VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (self._name, message.deduplication, now + DEDUPLICATED_FOR),
            ).rowcount
        )

    def receive(self, limit: int) -> list[Message]:
        """See `bot.ports.Queue`."""
        now = self._clock().timestamp()
        asked = {"queue": self._name, "now": now, "limit": limit}
        waiting = _FIFO_WAITING if self._fifo else _WAITING
        looked = self._database.connection().execute(waiting, {**asked, "limit": 1}).fetchone()
        if looked is None:  # an idle queue never takes the write lock
            return []
        with self._database.writing() as connection:
            rows = connection.execute(waiting, asked).fetchall()
            # Of a dead letter, `visible_at` tells when it died.
            connection.executemany(
                "UPDATE messages SET queue = ?, receipt = NULL, visible_at = ? WHERE number = ?",
                [
                    (f"{self._name}-dead", now, row[0])
                    for row in rows
                    if row[3] >= self._max_receives
                ],
            )
            alive = [row for row in rows if row[3] < self._max_receives]
            return [self._received(connection, row, now) for row in alive]

    def _received(
        self,
        connection: sqlite3.Connection,
        row: tuple[int, str, str | None, int, float],
        now: float,
    ) -> Message:
        number, body, group, count, sent_at = row
        receipt = self._identities()
        connection.execute(
            "UPDATE messages SET visible_at = ?, receive_count = ?, receipt = ? WHERE number = ?",
            (now + self._visibility, count + 1, receipt, number),
        )
        sent = datetime.fromtimestamp(sent_at, UTC)
        return Message(str(number), body, receipt, count + 1, sent, group)

    def delete(self, receipts: Sequence[str]) -> None:
        """See `bot.ports.Queue`."""
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM messages WHERE receipt = ?", [(receipt,) for receipt in receipts]
            )

    def postpone(self, receipts: Sequence[str], seconds: float) -> None:
        """See `bot.ports.Queue`."""
        visible_at = self._clock().timestamp() + seconds
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE messages SET visible_at = ? WHERE receipt = ?",
                [(visible_at, receipt) for receipt in receipts],
            )

    def take_out(self, concerned: Callable[[str], bool]) -> list[str]:
        """See `bot.ports.Backlog`."""
        with self._database.writing() as connection:
            rows = connection.execute(
                "SELECT number, body FROM messages WHERE queue IN (?, ?)",
                (self._name, f"{self._name}-dead"),
            )
            found = [(number, body) for number, body in rows if concerned(body)]
            connection.executemany(
                "DELETE FROM messages WHERE number = ?", [(number,) for number, _ in found]
            )
        if found:
            self._database.leaves_traces()
        return [body for _, body in found]

    def redrive(self, limit: int | None = None) -> int:
        """See `bot.ports.Queue`; at the end of the queue, where SQS puts them too."""
        now = self._clock().timestamp()
        with self._database.writing() as connection:
            dead = connection.execute(
                "SELECT number FROM messages WHERE queue = ? ORDER BY number LIMIT ?",
                (f"{self._name}-dead", -1 if limit is None else limit),
            ).fetchall()
            connection.executemany(
                # `sent_at` stays, for it tells how long their texts may be kept.
                "INSERT INTO messages (queue, body, flow, visible_at, sent_at)"
                " SELECT ?, body, flow, ?, sent_at FROM messages WHERE number = ?",
                [(self._name, now, number) for (number,) in dead],
            )
            connection.executemany("DELETE FROM messages WHERE number = ?", dead)
        return len(dead)

    def depth(self) -> tuple[int, int]:
        """See `bot.ports.Queue`."""
        counts: dict[str, int] = dict(
            self._database.connection()
            .execute(
                "SELECT queue, count(*) FROM messages WHERE queue IN (?, ?) GROUP BY queue",
                (self._name, f"{self._name}-dead"),
            )
            .fetchall()
        )
        return counts.get(self._name, 0), counts.get(f"{self._name}-dead", 0)


def _tick(connection: sqlite3.Connection) -> int:
    """Numbers the writes, so that a reader can ask what changed since one of them."""
    connection.execute("UPDATE ticks SET tick = tick + 1")
    tick: int = connection.execute("SELECT tick FROM ticks").fetchone()[0]
    return tick


def _due(case: Case) -> float | None:
    return case.due_at.timestamp() if case.due_at else None
