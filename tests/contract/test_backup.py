"""A copy of the SQLite file while others write to it."""

import shutil
import signal
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import Refused
from bot.settings import HOUSE
from bot.storage.backup import back_up
from bot.storage.sqlite import Database, SqliteCases
from tests.contract.examples import Watch, a_case, sqlite_queue

RETENTION = timedelta(days=90)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "data ü#1?" / "bot.sqlite"
    SqliteCases(Database(path), RETENTION).add([a_case("1"), a_case("2")])
    return path


def ids(path: Path) -> set[str]:
    return {case.id for case in SqliteCases(Database(path), RETENTION).newest()}


def test_holds_everything_and_is_a_database_like_its_source(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    assert back_up(source, copy) == copy.stat().st_size
    assert ids(copy) == {"1", "2"}


def test_is_its_owners_alone_and_leaves_nothing_beside_it(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    back_up(source, folder / "copy.sqlite")
    [copy] = folder.iterdir()
    assert (copy.name, stat.S_IMODE(copy.stat().st_mode)) == ("copy.sqlite", 0o600)


def test_is_of_one_moment_while_another_process_writes(tmp_path: Path) -> None:
    source = tmp_path / "bot.sqlite"
    command = [sys.executable, "-m", "tests.contract.writer", "fill", str(source)]
    with subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        for number in range(5):
            seen = int(writer.stdout.readline())
            copy = tmp_path / f"copy-{number}.sqlite"
            back_up(source, copy)
            cases = ids(copy)
            assert cases >= {f"{seen}-a", f"{seen}-b"}
            assert len(cases) % 2 == 0, "a call of two cases is in it whole or not at all"
            # Case before message: one may be ahead of the other by no more than its own step.
            waiting, _ = sqlite_queue(Database(copy), Watch(), fifo=False).depth()
            assert len(cases) / 2 - waiting in {0, 1}
        writer.send_signal(signal.SIGKILL)


def test_has_what_a_killed_process_left_in_its_log(source: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    opened = Database(source).connection()
    opened.execute("BEGIN IMMEDIATE")  # keeps the log where it is while it is copied
    shutil.copytree(source.parent, killed)
    opened.rollback()
    (killed / "bot.sqlite-shm").unlink()
    assert (killed / "bot.sqlite-wal").stat().st_size
    back_up(killed / "bot.sqlite", tmp_path / "copy.sqlite")
    assert ids(tmp_path / "copy.sqlite") == {"1", "2"}


def test_does_not_overwrite_what_is_there(source: Path, tmp_path: Path) -> None:
    there = tmp_path / "letter"
    there.write_text("Dear Mira")
    with pytest.raises(Refused, match="is there already: name another file"):
        back_up(source, there)
    assert there.read_text() == "Dear Mira"


def test_of_nothing_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"There is no .*bot\.sqlite yet"):
        back_up(tmp_path / "bot.sqlite", tmp_path / "copy.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_to_where_nobody_can_write_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be written: Not a directory"):
        back_up(source, tmp_path / "file" / "copy.sqlite")


@pytest.mark.parametrize("damage", ["all of it", "its middle"])
def test_of_a_damaged_file_is_refused_and_leaves_nothing(damage: str, tmp_path: Path) -> None:
    source, folder = tmp_path / "bot.sqlite", tmp_path / "backups"
    folder.mkdir()
    database = Database(source)
    store = SqliteCases(database, RETENTION)
    store.add([a_case(f"{number}", assignee="U" * 300) for number in range(200)])
    database.truncate_log()
    database.connection().close()
    size = source.stat().st_size
    with source.open("r+b") as file:
        file.seek(0 if damage == "all of it" else size // 2)
        file.write(b"?" * (size // 4))
    with pytest.raises(Refused, match=r"cannot be copied to .*: .*(malformed|not a database)"):
        back_up(source, folder / "copy.sqlite")
    assert list(folder.iterdir()) == []
