import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from bot.local.serverless import WIRING, load
from bot.settings import HOUSE
from bot.triage import Arrival, message
from tests.examples import NOON, parts
from tests.simulation import ANGRY
from tests.standins import aws
from tests.test_command_line import bot, cases, running
from tests.test_settings import AWS

TWEETS = """tweet_id,username,text
11,Ana_example,I am very angry about the zanzibarian parcel
12,ben_example,"thanks, I am happy with your service"
13,ana_example,thanks for the quixotic answer
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A laptop's folder with three cases in its `data`."""
    file = tmp_path / "tweets.csv"
    file.write_text(TWEETS)
    assert bot(tmp_path, "ingest", str(file)).returncode == 0
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    return {case["tweet_id"]: case["text"] for case in cases(folder)}


def bytes_of(folder: Path) -> bytes:
    """All that lies in the data folder."""
    return b"".join(file.read_bytes() for file in (folder / "data").iterdir())


class TestBackup:
    def test_writes_a_copy_that_can_be_put_back(self, folder: Path) -> None:
        copy = folder / "copy.sqlite"
        done = bot(folder, "backup", str(copy))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Wrote {copy} (")
        before = texts(folder)
        shutil.rmtree(folder / "data")
        (folder / "data").mkdir()
        copy.rename(folder / "data" / "bot.sqlite")
        assert texts(folder) == before

    def test_without_a_name_makes_one_in_the_data_folder(self, folder: Path) -> None:
        row = json.loads(bot(folder, "backup", "--json").stdout)
        [copy] = (folder / "data" / "backups").iterdir()
        assert row == {"file": str(copy), "bytes": copy.stat().st_size}
        assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700

    def test_while_the_bot_runs_holds_its_cases(self, folder: Path) -> None:
        with running(folder):
            done = bot(folder, "backup", str(folder / "copy.sqlite"))
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("verb", ["backup", "backup FILE"])
    def test_of_nothing_is_one_sentence(self, tmp_path: Path, verb: str) -> None:
        done = bot(tmp_path, *verb.replace("FILE", str(tmp_path / "copy")).split())
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"There is no {tmp_path / 'data/bot.sqlite'} yet")
        assert list(tmp_path.iterdir()) == []

    def test_to_nowhere_is_one_sentence(self, folder: Path) -> None:
        done = bot(folder, "backup", str(folder / "absent" / "copy.sqlite"))
        assert done.returncode == 2
        assert done.stderr == (
            f"{folder / 'absent/copy.sqlite'} cannot be written: No such file or directory.\n"
        )

    def test_is_not_for_a_table_on_aws(self, tmp_path: Path) -> None:
        done = bot(tmp_path, "backup", **AWS)
        assert done.returncode == 2
        assert "point-in-time recovery" in done.stderr

    @pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
    def test_has_a_target_of_its_own(self) -> None:
        # The tests themselves may run under make, which tells its children so.
        own = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAG"))}
        told = subprocess.run(
            ["make", "--dry-run", "backup"],  # noqa: S607  whichever make is there
            cwd=HOUSE,
            env=own,
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.splitlines()[-1] == ".venv/bin/python -m bot backup"


class TestErase:
    def test_takes_an_authors_words_out_of_every_file(self, folder: Path) -> None:
        waiting = Arrival(ANGRY, NOON)
        own = parts(folder / "data")
        own.tweets.send([message(waiting)])
        for word in (b"zanzibarian", b"quixotic", b"Ana_example", b"I am angry", b"mira"):
            assert word in bytes_of(folder)
        for author in ("@ANA_example", "mira"):
            assert bot(folder, "erase", "--author", author).returncode == 0
        for word in (b"zanzibarian", b"quixotic", b"na_example", b"I am angry", b"mira"):
            assert word not in bytes_of(folder)
        assert texts(folder) == {
            "11": "",
            "12": "thanks, I am happy with your service",
            "13": "",
            "101": "",
        }

    def test_says_how_much_it_erased(self, folder: Path) -> None:
        done = bot(folder, "erase", "--author", "ana_example")
        assert done.stdout == (
            "Erased 2 cases, took 0 posts off the queue, and will not read 0 that never came.\n"
        )
        again = bot(folder, "erase", "--author", "ana_example")
        assert (again.returncode, again.stdout[:14]) == (1, "Erased 0 cases")

    def test_takes_ids_and_keeps_unknown_ones_from_coming(self, folder: Path) -> None:
        done = bot(folder, "erase", "--json", "11", "99")
        assert done.returncode == 0
        assert json.loads(done.stdout) == {
            "cases": 1,
            "queued": 0,
            "unknown": 1,
            "queue_searched": True,
        }
        (folder / "tweets.csv").write_text("tweet_id,text\n99,I am very angry\n")
        bot(folder, "ingest", str(folder / "tweets.csv"))
        assert (texts(folder)["11"], texts(folder)["99"]) == ("", "")

    @pytest.mark.parametrize("arguments", [[], ["11", "--author", "ana_example"]])
    def test_wants_either_an_author_or_ids(self, folder: Path, arguments: list[str]) -> None:
        done = bot(folder, "erase", *arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "--author HANDLE" in done.stderr
        assert "" not in texts(folder).values()

    def test_works_while_the_bot_runs(self, folder: Path) -> None:
        with running(folder):
            assert bot(folder, "erase", "--author", "ana_example").returncode == 0
            assert b"zanzibarian" not in bytes_of(folder)

    def test_on_aws_says_that_queued_tweets_were_not_searched(self, tmp_path: Path) -> None:
        with aws.moto_server() as address:
            made = aws.create(address, load(WIRING))
            done = bot(
                tmp_path,
                *("erase", "99"),
                AWS_ENDPOINT_URL=address,
                AWS_DEFAULT_REGION=aws.REGION,
                no_proxy="127.0.0.1",
                **aws.CREDENTIALS,
                **{name: made[name] for name in AWS},
            )
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(
            " Tweets that wait on SQS were not searched: repeat this once they are decided.\n"
        )


@pytest.mark.parametrize("verb", ["backup", "erase"])
def test_each_verb_explains_itself(verb: str, tmp_path: Path) -> None:
    done = bot(tmp_path, verb, "--help")
    assert done.returncode == 0
    assert f"python -m bot {verb}" in done.stdout
