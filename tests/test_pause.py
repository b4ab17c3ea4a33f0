"""The switch that holds back all automatic replies."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.twitter.pause import Pause, Paused
from tests.examples import NOON, parts

LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def pause(tmp_path: Path) -> Pause:
    return parts(tmp_path).pause


class TestThePause:
    def test_is_off_at_first(self, pause: Pause) -> None:
        assert pause.paused() is None

    def test_names_who_paused_and_when(self, pause: Pause) -> None:
        pause.pause("river", NOON)
        assert pause.paused() == Paused("river", NOON)

    def test_names_whoever_paused_first(self, pause: Pause) -> None:
        pause.pause("river", NOON)
        pause.pause("sun", LATER)
        assert pause.paused() == Paused("river", NOON)

    def test_ends_and_may_end_twice(self, pause: Pause) -> None:
        pause.pause("river", NOON)
        pause.resume()
        pause.resume()
        assert pause.paused() is None
        pause.pause("sun", LATER)
        assert pause.paused() == Paused("sun", LATER)

    def test_holds_for_every_process_and_after_a_restart(
        self, pause: Pause, tmp_path: Path
    ) -> None:
        pause.pause("river", NOON)
        assert parts(tmp_path).pause.paused() == Paused("river", NOON)


class TestTheVerbs:
    @pytest.fixture(autouse=True)
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATA_DIR", str(tmp_path))

    def test_pause_and_resume_and_say_so(
        self, pause: Pause, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(2):
            assert main(["replies", "pause"]) == 0
        paused = pause.paused()
        assert paused
        assert paused.who == "the command line"
        assert main(["replies", "resume"]) == 0
        assert pause.paused() is None
        assert capsys.readouterr().out.splitlines() == [
            "Automatic replies are paused; what agents write is still sent.",
            "Automatic replies are paused; what agents write is still sent.",
            "Automatic replies are no longer paused.",
        ]

    def test_print_json_where_asked(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["replies", "pause", "--json"])
        main(["replies", "resume", "--json"])
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert told == [{"paused": True}, {"paused": False}]
