"""What is particular to the SQLite file: several processes, power cuts, expiry, its schema."""

import json
import logging
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from bot import cases, records
from bot.cases import Case
from bot.errors import Misconfigured, Refused, Retryable
from bot.local.serverless import WIRING, load
from bot.ports import Outgoing
from bot.settings import HOUSE
from bot.storage import sqlite
from bot.storage.sqlite import DEAD_KEPT_FOR, Database, SqliteCases, SqliteQueue
from bot.tweets import Tweet
from tests.contract.examples import (
    NOW,
    RECEIVES,
    VISIBILITY,
    Watch,
    a_case,
    bodies,
    grouped,
    sqlite_queue,
    tell,
    told,
)

RETENTION = timedelta(days=90)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.sqlite"


def store_in(path: Path) -> SqliteCases:
    return SqliteCases(Database(path), RETENTION)


def disk_pages(database: Database, pages: int) -> None:
    """Lets the file grow to so many pages and no further."""
    database.connection().execute(f"PRAGMA max_page_count = {pages}")


def log_of(path: Path) -> int:
    """The bytes that the write-ahead log holds."""
    return path.with_name(f"{path.name}-wal").stat().st_size


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Somebody has the file as it is now before them and does not end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM cases").fetchone()
        yield


def spoil(database: Database, case_id: str, body: str | bytes) -> None:
    """The record of that case is damaged."""
    database.connection().execute(
        "UPDATE cases SET body = CAST(? AS TEXT) WHERE id = ?", (body, case_id)
    )


def writer(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.contract.writer", *map(str, arguments)]
    return subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True)


class TestSeveralProcesses:
    def test_that_open_a_new_file_and_change_one_case_lose_nothing(self, path: Path) -> None:
        writers = [writer("tell", path, "1", name, 40) for name in "abcd"]
        for process in writers:
            process.communicate(timeout=60)
            assert process.returncode == 0
        lines = told(store_in(path).get(["1"])["1"])
        assert sorted(lines) == sorted(
            f"{name} {number}" for name in "abcd" for number in range(40)
        )

    def test_of_which_one_is_just_making_the_file_wait_for_it(self, path: Path) -> None:
        path.parent.mkdir()
        maker = sqlite3.connect(path, isolation_level=None)
        maker.execute("BEGIN IMMEDIATE")
        opened: list[Database] = []
        other = Thread(target=lambda: opened.append(Database(path)))
        other.start()
        other.join(0.2)
        assert other.is_alive()
        maker.commit()
        other.join(30)
        assert len(opened) == 1
        maker.close()

    def test_of_which_one_is_killed_while_it_writes_leave_a_whole_file(self, path: Path) -> None:
        process = writer("fill", path)
        assert process.stdout
        seen = [int(process.stdout.readline()) for _ in range(30)]
        process.send_signal(signal.SIGKILL)
        seen += [int(line) for line in process.communicate()[0].splitlines()]
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
        cases = {case.id for case in store_in(path).newest()}
        assert cases >= {f"{number}-{half}" for number in seen for half in "ab"}
        assert len(cases) % 2 == 0, "a call of two cases is stored whole or not at all"
        assert sqlite_queue(Database(path), Watch(), fifo=False).depth()[0] >= len(seen)


class TestExpiry:
    def test_removes_what_is_past_its_retention_and_says_how_much(self, path: Path) -> None:
        store = store_in(path)
        ages = {"gone": RETENTION + MINUTE, "going": RETENTION, "stays": RETENTION - MINUTE}
        store.add([a_case(case_id, NOW - age) for case_id, age in ages.items()])
        assert store.expire(NOW) == 2
        assert [case.id for case in store.newest()] == ["stays"]
        assert store.expire(NOW) == 0

    def test_comes_no_later_for_a_case_that_was_changed(self, path: Path) -> None:
        store = store_in(path)
        store.add([a_case("1", NOW - RETENTION)])
        store.change("1", tell("claimed"))
        assert store.expire(NOW) == 1

    def test_leaves_notes_alone(self, path: Path) -> None:
        store = store_in(path)
        store.set_note("cursor", "1")
        store.expire(NOW + 100 * RETENTION)
        assert store.note("cursor") == "1"

    def test_removes_a_note_with_the_cases_of_its_time(self, path: Path) -> None:
        store = store_in(path)
        store.set_note("edit-2", "1", NOW)
        store.expire(NOW + RETENTION - MINUTE)
        assert store.note("edit-2") == "1"
        store.expire(NOW + RETENTION)
        assert store.note("edit-2") is None

    def test_removes_a_dead_letter_two_weeks_after_it_died(self, path: Path) -> None:
        watch, database = Watch(), Database(path)
        store, queue = SqliteCases(database, RETENTION), sqlite_queue(database, watch, fifo=False)
        queue.send([Outgoing("poison")])
        for _ in range(RECEIVES):
            queue.receive(1)
            watch.forward(VISIBILITY)
        watch.forward(30 * 86400)  # the machine was off
        assert queue.receive(1) == []
        store.expire(watch() + DEAD_KEPT_FOR - MINUTE)
        assert queue.depth() == (0, 1)
        assert store.expire(watch() + DEAD_KEPT_FOR) == 1
        assert queue.depth() == (0, 0)

    def test_leaves_waiting_messages_as_long_as_their_cases_would_stay(self, path: Path) -> None:
        database = Database(path)
        store, queue = SqliteCases(database, RETENTION), sqlite_queue(database, Watch(), fifo=False)
        queue.send([Outgoing("a tweet")])
        store.expire(NOW + RETENTION - MINUTE)
        assert queue.depth() == (1, 0)
        assert store.expire(NOW + RETENTION) == 1
        assert queue.depth() == (0, 0)

    def test_waits_for_no_reader_and_clears_the_log_when_it_is_gone(self, path: Path) -> None:
        database = Database(path)
        store = SqliteCases(database, RETENTION)
        store.add([a_case("1", NOW - RETENTION)])
        gone: list[int] = []
        with reading(path):
            store.add([a_case("2")])
            housekeeping = Thread(target=lambda: gone.append(store.expire(NOW)))
            housekeeping.start()
            housekeeping.join(15)  # half of what a connection waits for a lock
            assert gone == [1]
            assert log_of(path) > 0
        assert store.expire(NOW) == 0
        assert log_of(path) == 0

    def test_leaves_the_log_alone_while_nothing_goes(self, path: Path) -> None:
        store = store_in(path)
        store.expire(NOW)
        store.add([a_case("1")])
        written = log_of(path)
        assert store.expire(NOW) == 0
        assert log_of(path) == written > 0

    @pytest.mark.parametrize("what", ["an old case", "an old note", "a post", "an erased case"])
    def test_leaves_nothing_in_the_log_of_what_went(self, path: Path, what: str) -> None:
        database = Database(path)
        store, queue = SqliteCases(database, RETENTION), sqlite_queue(database, Watch(), fifo=False)
        store.expire(NOW)
        if what == "an old note":
            store.set_note("edit-2", "1", NOW - RETENTION)
        elif what == "a post":
            queue.send([Outgoing("a tweet")])
            queue.take_out(lambda body: body == "a tweet")
        else:
            store.add([a_case("1", NOW - (RETENTION if what == "an old case" else MINUTE))])
        if what == "an erased case":
            store.change("1", partial(cases.erased, now=NOW))
        assert log_of(path) > 0
        store.expire(NOW)
        assert log_of(path) == 0

    def test_leaves_a_connection_as_patient_as_it_was(self, path: Path) -> None:
        database = Database(path)
        before = database.connection().execute("PRAGMA busy_timeout").fetchone()
        SqliteCases(database, RETENTION).expire(NOW)
        database.scrub()
        assert database.connection().execute("PRAGMA busy_timeout").fetchone() == before
        assert before > (0,)

    def test_comes_for_dead_letters_when_sqs_would_remove_them(self) -> None:
        resources = load(WIRING)["resources"]["Resources"]
        kept = {
            body["Properties"]["MessageRetentionPeriod"]
            for name, body in resources.items()
            if name.endswith("DeadLetters")
        }
        assert kept == {DEAD_KEPT_FOR.total_seconds()}


def secret(number: int, chance: Random) -> Case:
    text = f"SECRET-{number:04}- " + "word " * chance.choice([3, 9, 30, 60])
    return replace(a_case(f"{number}"), tweet=Tweet(f"{number}", text, f"{number}"))


class TestScrubbing:
    def test_leaves_nothing_of_what_was_erased_in_any_corner_of_the_file(self, path: Path) -> None:
        database = Database(path)
        store = SqliteCases(database, RETENTION)
        chance = Random(3)  # noqa: S311
        numbers = list(range(1500))
        # Cases that come in between others, and grow, make pages share out their rows.
        chance.shuffle(numbers)
        for start in range(0, len(numbers), 10):
            new = [secret(number, chance) for number in numbers[start : start + 10]]
            store.add(new)
            for case in new[:5]:
                store.change(case.id, tell("x" * chance.randrange(400)))
        gone = set(numbers[::3])
        for number in gone:
            store.change(f"{number}", partial(cases.erased, now=NOW))
        database.scrub()
        raw = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert {int(found) for found in re.findall(rb"SECRET-(\d{4})-", raw)} == (
            set(numbers) - gone
        )

    def test_of_a_file_that_another_writes_just_now_may_work_later(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite, "SCRUB_WAIT", 0)
        database, other = Database(path), Database(path)
        with other.writing(), pytest.raises(Retryable, match="still reads or writes it: repeat"):
            database.scrub()
        database.scrub()

    def test_of_a_file_that_another_reads_just_now_says_so_and_may_be_repeated(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite, "SCRUB_WAIT", 0)
        database = Database(path)
        with reading(path), pytest.raises(Retryable, match="still reads or writes it: repeat"):
            database.scrub()
        assert log_of(path) > 0
        database.scrub()
        assert log_of(path) == 0

    @pytest.mark.parametrize("what", ["read", "write"])
    def test_waits_for_others_only_as_long_as_a_person_would(
        self, path: Path, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite, "SCRUB_WAIT", 0)
        database = Database(path)
        said: list[str] = []

        def scrub() -> None:
            with pytest.raises(Retryable) as refusal:
                database.scrub()
            said.append(str(refusal.value))

        with reading(path) if what == "read" else Database(path).writing():
            scrubbing = Thread(target=scrub)
            scrubbing.start()
            scrubbing.join(15)  # half of what a connection waits for a lock
            assert len(said) == 1

    def test_that_fails_otherwise_says_why(self, path: Path) -> None:
        database = Database(path)
        with database.writing(), pytest.raises(Retryable, match=r"rewritten \(.* transaction\)"):
            database.scrub()


class TestWriting:
    def test_returning_the_same_case_writes_nothing(self, path: Path) -> None:
        database = Database(path)
        store = SqliteCases(database, RETENTION)
        store.add([a_case("1")])
        written = database.connection().total_changes
        assert store.change("1", lambda case: case) == a_case("1")
        assert database.connection().total_changes == written
        store.change("1", tell("claimed"))
        assert database.connection().total_changes > written

    @pytest.mark.parametrize("what", ["a case", "a message"])
    def test_may_work_later_where_the_disk_is_full(self, path: Path, what: str) -> None:
        database = Database(path)
        store, queue = SqliteCases(database, RETENTION), sqlite_queue(database, Watch(), fifo=False)

        def write() -> None:
            if what == "a case":
                assert store.add([a_case("1", assignee="U" * 100_000)]) == {"1"}
            else:
                queue.send([Outgoing("a" * 100_000)])

        disk_pages(database, 1)
        with pytest.raises(Retryable, match="full"):
            write()
        assert (list(store.newest()), queue.depth()) == ([], (0, 0))
        disk_pages(database, 1_000_000)
        write()


class TestTheQueue:
    @pytest.fixture
    def watch(self) -> Watch:
        return Watch()

    def fifo(self, path: Path, watch: Watch) -> SqliteQueue:
        return sqlite_queue(Database(path), watch, fifo=True)

    def test_remembers_a_deduplication_id_for_five_minutes_even_after_deletion(
        self, path: Path, watch: Watch
    ) -> None:
        fifo = self.fifo(path, watch)
        fifo.send([grouped("a card")])
        fifo.delete([message.receipt for message in fifo.receive(10)])
        watch.forward(299.9)
        fifo.send([grouped("a card")])
        assert fifo.depth() == (0, 0)
        watch.forward(0.1)
        fifo.send([grouped("a card")])
        assert bodies(fifo.receive(10)) == ["a card"]

    def test_refuses_a_fifo_message_without_deduplication_id_rather_than_lose_it(
        self, path: Path, watch: Watch
    ) -> None:
        with pytest.raises(sqlite3.IntegrityError):
            self.fifo(path, watch).send([Outgoing("a card", "C0SUPPORT")])

    def test_keeps_deduplication_ids_and_messages_of_each_queue_apart(
        self, path: Path, watch: Watch
    ) -> None:
        database = Database(path)
        cards, tweets = (sqlite_queue(database, watch, fifo=fifo) for fifo in (True, False))
        cards.send([grouped("a card")])
        tweets.send([grouped("a card"), Outgoing("a tweet")])
        assert bodies(tweets.receive(10)) == ["a card", "a tweet"]
        assert (cards.depth(), tweets.depth()) == ((1, 0), (2, 0))

    def test_hides_a_message_for_just_its_visibility_timeout(
        self, path: Path, watch: Watch
    ) -> None:
        fifo = self.fifo(path, watch)
        fifo.send([grouped("a card")])
        [message] = fifo.receive(1)
        watch.forward(VISIBILITY - 0.1)
        assert fifo.receive(1) == []
        fifo.postpone([message.receipt], 5)
        watch.forward(4.9)
        assert fifo.receive(1) == []
        watch.forward(0.1)
        assert bodies(fifo.receive(1)) == ["a card"]

    def test_takes_no_orders_from_a_receipt_of_an_earlier_receive(
        self, path: Path, watch: Watch
    ) -> None:
        # SQS makes no promise here, and moto obeys a message's every receipt.
        fifo = self.fifo(path, watch)
        fifo.send([grouped("a card")])
        [before] = fifo.receive(1)
        watch.forward(VISIBILITY)
        [after] = fifo.receive(1)
        fifo.postpone([before.receipt], 0)
        fifo.delete([before.receipt])
        assert (fifo.receive(1), fifo.depth()) == ([], (1, 0))
        fifo.delete([after.receipt])
        assert fifo.depth() == (0, 0)

    def test_gives_out_what_it_is_searched_for_waiting_in_flight_or_dead(
        self, path: Path, watch: Watch
    ) -> None:
        database = Database(path)
        tweets, fifo = (sqlite_queue(database, watch, fifo=fifo) for fifo in (False, True))
        tweets.send([Outgoing("by mira: dead")])
        for _ in range(RECEIVES):
            tweets.receive(1)
            watch.forward(VISIBILITY)
        tweets.receive(1)
        tweets.send([Outgoing("by mira: in flight")])
        tweets.receive(1)
        tweets.send([Outgoing("by mira"), Outgoing("by otto")])
        fifo.send([grouped("by mira")])
        taken = tweets.take_out(lambda body: "mira" in body)
        assert sorted(taken) == ["by mira", "by mira: dead", "by mira: in flight"]
        assert (tweets.depth(), fifo.depth()) == ((1, 0), (1, 0))
        assert bodies(tweets.receive(10)) == ["by otto"]

    def test_puts_redriven_messages_behind_those_that_wait(self, path: Path, watch: Watch) -> None:
        fifo = self.fifo(path, watch)
        fifo.send([grouped("poison")])
        for _ in range(RECEIVES):
            fifo.receive(1)
            watch.forward(VISIBILITY)
        fifo.send([grouped("healthy")])
        assert bodies(fifo.receive(1)) == []
        fifo.redrive()
        assert bodies(fifo.receive(10)) == ["healthy", "poison"]

    def test_keeps_the_text_of_a_redriven_message_no_longer_than_its_case(
        self, path: Path, watch: Watch
    ) -> None:
        fifo = self.fifo(path, watch)
        fifo.send([grouped("poison")])
        for _ in range(RECEIVES):
            fifo.receive(1)
            watch.forward(VISIBILITY)
        fifo.receive(1)
        fifo.redrive()
        assert store_in(path).expire(NOW + RETENTION) == 1
        assert fifo.depth() == (0, 0)

    def test_keeps_a_dead_letter_whatever_its_last_receiver_does(
        self, path: Path, watch: Watch
    ) -> None:
        fifo = self.fifo(path, watch)
        fifo.send([grouped("poison")])
        for _ in range(RECEIVES):
            [last] = fifo.receive(1)
            watch.forward(VISIBILITY)
        assert fifo.receive(1) == []
        fifo.delete([last.receipt])
        assert fifo.depth() == (0, 1)


TWEETLESS = '{"route": "escalate", "reasons": ["private words"]}'


class TestARecordThatNobodyCanRead:
    @pytest.mark.parametrize(
        "body",
        [
            *("private words", "", "[]", '"private words"', "{}", TWEETLESS, "[" * 100_000),
            TWEETLESS.replace("}", ', "tweet": {"text": "private words"}}'),
            json.dumps({**records.to_json(a_case("199")), "received_at": "private words"}),
            json.dumps({**records.to_json(a_case("199")), "verdict": "private words"}),
            b'{"private": "\xff\xfe"}',
        ],
        ids=lambda body: repr(body[:20]),
    )
    def test_hides_no_other_and_is_logged_by_its_id_alone(
        self, path: Path, body: str | bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        database = Database(path)
        store = SqliteCases(database, RETENTION)
        store.add([a_case(str(number), NOW - number * MINUTE) for number in range(410)])
        spoil(database, "199", body)  # the last one of a page
        assert [case.id for case in store.newest()] == [
            str(number) for number in range(410) if number != 199
        ]
        [logged] = caplog.records
        assert logged.levelno == logging.ERROR
        assert logged.getMessage().startswith("The record of case 199 is damaged (")
        assert "private" not in caplog.text

    def test_takes_the_place_of_no_other_among_the_open(self, path: Path) -> None:
        database = Database(path)
        store = SqliteCases(database, RETENTION)
        store.add([a_case(str(number), NOW + number * MINUTE) for number in range(4)])
        spoil(database, "0", TWEETLESS)
        spoil(database, "1", "private words")
        spoil(database, "2", b'{"route": "escalate", "tweet": "\xff\xfe"}')
        assert [case.id for case in store.open(1)] == ["3"]

    def test_is_refused_in_one_sentence_where_it_is_asked_for(self, path: Path) -> None:
        database = Database(path)
        store = SqliteCases(database, RETENTION)
        store.add([a_case("1")])
        spoil(database, "1", "private words")
        for ask in (lambda: store.get(["1"]), lambda: store.change("1", tell("claimed"))):
            with pytest.raises(
                Refused, match=r"^The record of case 1 is damaged \(\w+\): a backup"
            ):
                ask()

    def test_goes_when_its_time_is_over(self, path: Path) -> None:
        database = Database(path)
        store = SqliteCases(database, RETENTION)
        store.add([a_case("1")])
        spoil(database, "1", "no JSON")
        assert store.expire(NOW + RETENTION) == 1

    def test_keeps_a_file_of_the_release_before_from_nothing(self, path: Path) -> None:
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as connection:
            for script in sqlite._MIGRATIONS[:2]:
                connection.executescript(script)
            connection.execute("PRAGMA user_version = 2")
            connection.execute("INSERT INTO cases VALUES ('1', 'no JSON', 'then', NULL, 4e9)")
            connection.commit()
        store = store_in(path)
        store.add([a_case("2")])
        assert [case.id for case in store.newest()] == ["2"]


class TestTheFile:
    def test_finds_the_open_cases_by_an_index_in_their_order(self, path: Path) -> None:
        plan = Database(path).connection().execute(f"EXPLAIN QUERY PLAN {sqlite._OPEN}")
        assert [step for *_, step in plan] == ["SCAN cases USING INDEX cases_open"]

    def test_finds_the_open_cases_that_a_release_before_wrote(self, path: Path) -> None:
        path.parent.mkdir()
        done = [replace(a_case("2"), resolved=True), replace(a_case("3"), route="reply")]
        with closing(sqlite3.connect(path)) as connection:
            for script in sqlite._MIGRATIONS[:4]:
                connection.executescript(script)
            connection.execute("PRAGMA user_version = 4")
            connection.executemany(
                "INSERT INTO cases (id, body, received_at, expires_at) VALUES (?, ?, 'then', 4e9)",
                [(case.id, json.dumps(records.to_json(case))) for case in (a_case("1"), *done)],
            )
            connection.commit()
        assert store_in(path).open(10) == [a_case("1")]

    def test_keeps_what_a_first_release_wrote(self, path: Path) -> None:
        path.parent.mkdir()
        with sqlite3.connect(path) as connection:
            connection.executescript(sqlite._MIGRATIONS[0] + "PRAGMA user_version = 1;")
            connection.execute("INSERT INTO notes VALUES ('cursor', '\"1\"')")
        connection.close()
        assert store_in(path).note("cursor") == "1"

    def test_of_a_newer_release_stops_the_start(self, path: Path) -> None:
        Database(path).connection().execute("PRAGMA user_version = 99")
        with pytest.raises(Misconfigured, match="update this one first"):
            Database(path)

    def test_that_is_no_database_stops_the_start(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_text("This is a letter and not a database. " * 100)
        with pytest.raises(Misconfigured, match="set DATA_DIR to another"):
            Database(path)

    def test_whose_folder_cannot_be_made_stops_the_start(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("a file where the folder should be")
        with pytest.raises(Misconfigured, match="set DATA_DIR to another"):
            Database(tmp_path / "data" / "bot.sqlite")

    def test_is_written_through_to_the_disk_at_each_commit(self, path: Path) -> None:
        connection = Database(path).connection()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        full = 2
        assert connection.execute("PRAGMA synchronous").fetchone() == (full,)
