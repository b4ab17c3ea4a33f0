"""The page on a small server, and its unit, say what is so."""

import re
from configparser import RawConfigParser

from bot.local.serverless import functions
from bot.settings import HOUSE

PAGE = (HOUSE / "docs/server.md").read_text("utf-8")


def unit() -> RawConfigParser:
    parser = RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(HOUSE / "docs/tweet-escalator.service", "utf-8")
    return parser


SERVICE = unit()["Service"]


def test_the_unit_runs_what_make_run_runs_in_the_folder_of_the_page() -> None:
    folder = SERVICE["WorkingDirectory"]
    [recipe] = re.findall(
        r"^run: .*\n\t@\$\(VENV\) (.*)$", (HOUSE / "Makefile").read_text(), re.MULTILINE
    )
    assert SERVICE["ExecStart"] == f"{folder}/.venv/bin/python {recipe}"
    assert f"{folder}\n    cd {folder}\n" in PAGE
    assert f"useradd --system --no-create-home {SERVICE['User']}\n" in PAGE


def test_the_bot_may_write_where_the_page_says_its_data_lies_and_nowhere_else() -> None:
    assert f"DATA_DIR=/var/lib/{SERVICE['StateDirectory']} " in PAGE
    assert SERVICE["ProtectSystem"] == "strict"
    assert "ReadWritePaths" not in SERVICE


def test_a_stop_waits_longer_than_any_function_runs() -> None:
    assert int(SERVICE["TimeoutStopSec"]) > max(function.timeout for function in functions())


def test_a_crash_starts_it_again_and_wrong_settings_do_not() -> None:
    assert (SERVICE["Restart"], SERVICE["RestartPreventExitStatus"]) == ("on-failure", "2")
