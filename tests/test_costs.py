"""What X took, as `python -m bot cost` and the console tell it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from bot.local.costs import Costs, costs, dollars
from bot.twitter.ledger import Ledger
from bot.twitter.polling import BUDGET_USED
from bot.wiring import Parts, now
from tests.examples import parts
from tests.test_settings import X


def charge(bot: Parts) -> None:
    """Two days of a month, and one of the month before."""
    for days, reads, answers in ((0, 40, 3), (1, 1_200, 7), (40, 9_000, 900)):
        at = bot.clock() - timedelta(days=days)
        bot.ledger.charge("mention", reads, at)
        bot.ledger.charge("reply", answers, at)


class TestCosts:
    def test_are_counted_today_and_this_month(self, tmp_path: Path) -> None:
        bot = parts(tmp_path)
        charge(bot)
        assert costs(bot) == Costs(
            today={"mention": 40, "reply": 3},
            month={"mention": 1_240, "reply": 10},
            budget=None,
            read_budget=None,
            reads_left=None,
            answers_wait=False,
            reading_ended=False,
        )

    def test_are_held_against_the_budgets(self, tmp_path: Path) -> None:
        bot = parts(tmp_path, X_MONTHLY_READ_BUDGET="2000", X_MONTHLY_BUDGET_USD="50")
        charge(bot)
        found = costs(bot)
        assert (found.reads_left, found.budget, found.left) == (760, 50_000_000, 48_660_000)

    def test_leave_nothing_of_a_budget_that_was_lowered(self, tmp_path: Path) -> None:
        bot = parts(tmp_path, X_MONTHLY_BUDGET_USD="1")
        charge(bot)
        assert costs(bot).left == 0

    @pytest.mark.parametrize(
        ("mode", "budget", "wait"),
        [
            ("on", "1.345", True),  # one answer costs a cent, and less is left
            ("on", "1.35", False),
            ("dry-run", "1", False),
            ("on", "", False),
        ],
    )
    def test_tell_that_answers_wait_for_the_next_month(
        self, tmp_path: Path, mode: str, budget: str, wait: bool
    ) -> None:
        bot = parts(tmp_path, **X, AUTO_REPLY=mode, X_MONTHLY_BUDGET_USD=budget)
        charge(bot)
        assert costs(bot).answers_wait is wait

    @pytest.mark.parametrize(
        ("noted", "ended"),
        [
            (None, False),
            ({"month": "2026-11", "day": "2026-11-02"}, True),
            ({"month": "2026-10", "day": "2026-10-30"}, False),
        ],
    )
    def test_tell_that_reading_has_ended_for_the_month(
        self, tmp_path: Path, noted: Any, ended: bool
    ) -> None:
        bot = parts(tmp_path)
        bot.store.set_note(BUDGET_USED, noted)
        assert costs(bot).reading_ended is ended


@pytest.mark.parametrize(
    ("millionths", "shown"),
    [
        (0, "$0.00"),
        (1_000, "$0.001"),
        (10_000, "$0.01"),
        (3_402_000, "$3.402"),
        (1_234_500_000, "$1,234.50"),
    ],
)
def test_an_amount_is_exact_and_in_cents_where_it_can_be(millionths: int, shown: str) -> None:
    assert dollars(millionths) == shown


class TestTheVerb:
    @pytest.fixture
    def bot(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
        monkeypatch.setenv("DATA_DIR", str(tmp_path))
        made = parts(tmp_path)
        Ledger(made.store).charge("mention", 1_200, now())
        Ledger(made.store).charge("reply with link", 2, now())
        return made

    @pytest.mark.usefixtures("bot")
    def test_shows_a_table(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("X_MONTHLY_READ_BUDGET", "2000")
        assert main(["cost"]) == 0
        head, *lines, dollars_left, reads_left = capsys.readouterr().out.splitlines()
        assert head.split() == ["What", "X", "took", "(UTC)", "today", f"{now():%Y-%m}"]
        assert [line.split()[-4:] for line in lines] == [
            ["1,200", "$1.20", "1,200", "$1.20"],
            ["0", "$0.00", "0", "$0.00"],
            ["0", "$0.00", "0", "$0.00"],
            ["0", "$0.00", "0", "$0.00"],
            ["2", "$0.40", "2", "$0.40"],
            ["1,202", "$1.60", "1,202", "$1.60"],
        ]
        assert len({len(line) for line in (head, *lines)}) == 1
        assert dollars_left == "No budget of dollars is set (X_MONTHLY_BUDGET_USD)."
        assert reads_left == ("800 of the month's 2,000 reads are left (X_MONTHLY_READ_BUDGET).")

    def test_says_that_a_budget_is_used_up(
        self, bot: Parts, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in X.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("X_MONTHLY_READ_BUDGET", "1200")
        monkeypatch.setenv("X_MONTHLY_BUDGET_USD", "1.5")
        bot.store.set_note(BUDGET_USED, {"month": f"{now():%Y-%m}", "day": ""})
        main(["cost"])
        *_, dollars_left, reads_left = capsys.readouterr().out.splitlines()
        assert dollars_left == (
            "$0.00 of the month's $1.50 is left (X_MONTHLY_BUDGET_USD)."
            " Automatic replies are held back until the month is over."
        )
        assert reads_left == (
            "0 of the month's 1,200 reads are left (X_MONTHLY_READ_BUDGET)."
            " Mentions stay unread until the month is over."
        )

    @pytest.mark.usefixtures("bot")
    def test_prints_one_object_a_line(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("X_MONTHLY_BUDGET_USD", "50")
        assert main(["cost", "--json"]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert rows[0] == {
            "action": "mention",
            "today": 1_200,
            "today_usd": 1.2,
            "month": 1_200,
            "month_usd": 1.2,
        }
        assert [row["action"] for row in rows[:-2]] == [
            "mention",
            "own post",
            "lookup",
            "reply",
            "reply with link",
            "all",
        ]
        assert rows[-2:] == [
            {"budget": "usd", "limit": 50.0, "left": 48.4},
            {"budget": "reads", "limit": None, "left": None},
        ]
