"""`python -m bot x …` against X's stand-in and the bot's own web server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.__main__ import parser
from bot.errors import Failure, Refused
from bot.local import x_verbs
from bot.settings import HOUSE
from bot.twitter import ACCOUNT
from bot.twitter.registration import KINDS
from bot.wiring import Parts, now
from tests.standins.server import Fault
from tests.standins.x import XStandin
from tests.test_x_registration import ELSEWHERE, URL, bot_at, came


@dataclass
class Terminal:
    """Where the verbs are typed."""

    x: XStandin
    environment: dict[str, str]
    capture: pytest.CaptureFixture[str]

    def type(self, line: str) -> tuple[int, list[str], str]:
        """Exit code, lines of the output, and what else is said."""
        arguments = parser().parse_args(line.split())
        code: int = arguments.work(arguments, self.environment)
        said = self.capture.readouterr()
        return code, said.out.splitlines(), said.err

    def rows(self, line: str) -> list[dict[str, Any]]:
        """What a verb prints for a program."""
        _, lines, _ = self.type(f"{line} --json")
        return [json.loads(one) for one in lines]

    def refusal(self, line: str) -> str:
        """The one sentence of a verb that fails."""
        with pytest.raises((Failure, Refused)) as failed:
            self.type(line)
        assert self.capture.readouterr().out == ""
        return str(failed.value)

    def without(self, *names: str) -> "Terminal":
        kept = {name: value for name, value in self.environment.items() if name not in names}
        return Terminal(self.x, kept, self.capture)


@pytest.fixture
def x() -> Iterator[XStandin]:
    with XStandin(clock=now) as standin:
        yield standin


@pytest.fixture
def terminal(x: XStandin, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    environment = {
        "DATA_DIR": str(tmp_path),
        "X_API_URL": x.url,
        "X_CONSUMER_KEY": x.keys.consumer_key,
        "X_CONSUMER_SECRET": x.keys.consumer_secret,
        "X_ACCESS_TOKEN": x.keys.access_token,
        "X_ACCESS_TOKEN_SECRET": x.keys.access_token_secret,
        "X_BEARER_TOKEN": x.bearer_token,
    }
    with bot_at(tmp_path, x.keys.consumer_secret) as (address, _):
        x.webhooks.hosts = {"bot.example": address, "elsewhere.example": address}
        yield Terminal(x, environment, capsys)


def passed() -> Fault:
    """X says that a check was made, and not how it ended."""
    return Fault(status=200, body={"data": {"valid": True}}, where="PUT")


def foreign_subscription(x: XStandin, hook: str) -> str:
    """The id of a subscription that the app has for another account."""
    about = {"event_type": "post.delete", "filter": {"user_id": "5"}, "webhook_id": hook}
    x.webhooks.subscriptions["9"] = {"subscription_id": "9", **about}
    return "9"


@pytest.fixture
def hook(terminal: Terminal) -> str:
    """The id of a registered webhook."""
    [row] = terminal.rows(f"x webhook add {URL}")
    return str(row["id"])


class TestWebhooks:
    def test_are_added_in_one_line(self, terminal: Terminal) -> None:
        code, [line], said = terminal.type(f"x webhook add {URL}")
        assert code == 0
        assert line.split()[1:] == ["valid", URL]
        assert "x subscribe" in said

    @pytest.mark.parametrize(
        "given", ["bot.example", "https://bot.example", "https://bot.example/"]
    )
    def test_get_the_bots_path_where_only_a_host_is_given(
        self, terminal: Terminal, given: str
    ) -> None:
        _, [line], said = terminal.type(f"x webhook add {given}")
        assert line.endswith(URL)
        assert f"The whole address is {URL}." in said

    @pytest.mark.parametrize("given", [URL, "https://proxy.example/to/the/bot"])
    def test_keep_a_path_that_is_given(self, given: str) -> None:
        assert x_verbs.address_of(given) == given

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ("http://bot.example/x/webhook", "https addresses only"),
            ("https://bot.example:8443", "port"),
            ("bot.example:443", "port"),
            ("https://", "https addresses only"),
            ("https://bot.example:port", "no address"),
            ("https://[bot", "no address"),
        ],
    )
    def test_are_refused_at_addresses_that_x_does_not_call(
        self, terminal: Terminal, given: str, says: str
    ) -> None:
        assert says in terminal.refusal(f"x webhook add {given}")
        assert not terminal.x.calls("POST")

    def test_are_listed_a_line_each(self, terminal: Terminal, hook: str) -> None:
        terminal.type(f"x webhook add {ELSEWHERE}")
        code, [first, second], _ = terminal.type("x webhook list")
        assert code == 0
        assert first.split() == [hook, "valid", URL]
        assert second.split()[1:] == ["valid", ELSEWHERE]

    def test_are_listed_for_programs_too(self, terminal: Terminal, hook: str) -> None:
        [row] = terminal.rows("x webhook list")
        assert (row["id"], row["url"], row["valid"]) == (hook, URL, True)
        assert row["created_at"]

    def test_that_are_not_there_yet_are_told_how_to_come(self, terminal: Terminal) -> None:
        code, lines, said = terminal.type("x webhook list")
        assert (code, lines) == (0, [])
        assert "x webhook add URL" in said

    def test_are_checked_without_an_id_where_there_is_one(
        self, terminal: Terminal, hook: str
    ) -> None:
        code, [line], _ = terminal.type("x webhook check")
        assert (code, line.split()[:2]) == (0, [hook, "valid"])

    def test_that_x_finds_invalid_end_the_check_with_1(self, terminal: Terminal, hook: str) -> None:
        terminal.x.webhooks.hosts.clear()
        assert "reachable" in terminal.refusal(f"x webhook check {hook}")
        terminal.x.faults.append(passed())
        code, [line], _ = terminal.type(f"x webhook check {hook}")
        assert (code, line.split()[1]) == (1, "invalid")

    def test_have_to_be_named_where_there_are_several(self, terminal: Terminal, hook: str) -> None:
        terminal.type(f"x webhook add {ELSEWHERE}")
        refusal = terminal.refusal("x webhook check")
        assert hook in refusal
        assert ELSEWHERE in refusal
        assert terminal.type(f"x webhook check {hook}")[0] == 0

    def test_are_removed_by_their_id(self, terminal: Terminal, hook: str) -> None:
        assert terminal.rows(f"x webhook remove {hook}") == [{"id": hook, "removed": True}]
        assert terminal.rows("x webhook list") == []

    @pytest.mark.parametrize(
        "line",
        [
            "x webhook check ../tweets",
            "x webhook remove five",
            "x webhook replay 5.5",
            "x subscribe --webhook five",
            "x unsubscribe five",
        ],
    )
    def test_are_not_asked_for_by_what_is_no_id(self, terminal: Terminal, line: str) -> None:
        assert "ids are numbers" in terminal.refusal(line)
        assert not terminal.x.requests


class TestAReplay:
    def test_brings_again_what_x_told_today(
        self, x: XStandin, terminal: Terminal, hook: str, tmp_path: Path
    ) -> None:
        terminal.type("x subscribe")
        missed = x.add_mention("hello?", created_at=now() - timedelta(hours=2))
        address = x.webhooks.hosts.pop("bot.example")
        x.tell(missed)
        with bot_at(tmp_path / "new", x.keys.consumer_secret) as (other, bot):
            x.webhooks.hosts["bot.example"] = other
            code, [line], _ = terminal.type("x webhook replay")
            assert (code, hook in line) == (0, True)
            assert came(bot) == [missed.id]
        x.webhooks.hosts["bot.example"] = address

    def test_reaches_as_far_back_as_it_is_told(
        self, x: XStandin, terminal: Terminal, hook: str
    ) -> None:
        [row] = terminal.rows(f"x webhook replay --hours 3 {hook}")
        assert row.keys() == {"job_id", "webhook_id", "since", "until"}
        [call] = x.calls("/replay")
        assert call.json()["from_date"] == row["since"]
        assert int(row["until"]) > int(row["since"])

    @pytest.mark.parametrize("hours", ["0", "25", "-1"])
    def test_of_more_than_x_keeps_is_refused(self, terminal: Terminal, hours: str) -> None:
        assert "from 1 to 24" in terminal.refusal(f"x webhook replay --hours={hours}")


class TestSubscribing:
    def test_makes_x_tell_of_everything_the_bot_reads(self, terminal: Terminal, hook: str) -> None:
        rows = terminal.rows("x subscribe")
        assert [(row["kind"], row["state"]) for row in rows] == [(kind, "new") for kind in KINDS]
        assert {(row["user_id"], row["webhook_id"]) for row in rows} == {("1001", hook)}

    def test_again_leaves_everything_as_it_is(self, terminal: Terminal, hook: str) -> None:
        first = terminal.rows("x subscribe")
        again = terminal.rows(f"x subscribe --webhook {hook}")
        assert [row["state"] for row in again] == ["kept"] * len(KINDS)
        assert [row["id"] for row in again] == [row["id"] for row in first]

    def test_after_one_was_lost_makes_that_one_anew(self, terminal: Terminal, hook: str) -> None:
        rows = terminal.rows(f"x subscribe --webhook {hook}")
        terminal.type(f"x unsubscribe {rows[1]['id']}")
        again = terminal.rows("x subscribe")
        assert [row["state"] for row in again] == ["kept", "new", "kept", "kept"]

    def test_moves_what_goes_to_another_webhook(self, terminal: Terminal, hook: str) -> None:
        terminal.type("x subscribe")
        terminal.type(f"x webhook remove {hook}")
        [other] = terminal.rows(f"x webhook add {ELSEWHERE}")
        rows = terminal.rows("x subscribe")
        assert [row["state"] for row in rows] == ["moved"] * len(KINDS)
        listed = terminal.rows("x subscriptions")
        assert {row["webhook_id"] for row in listed} == {other["id"]}

    def test_moves_nothing_where_one_of_several_is_right(
        self, terminal: Terminal, hook: str
    ) -> None:
        [first, *_] = terminal.rows("x subscribe")
        held = terminal.x.webhooks.subscriptions
        held["9"] = held[first["id"]] | {"subscription_id": "9", "webhook_id": "5"}
        again = terminal.rows(f"x subscribe --webhook {hook}")
        assert [row["state"] for row in again] == ["kept"] * len(KINDS)

    def test_keeps_out_of_what_others_subscribed(self, terminal: Terminal, hook: str) -> None:
        foreign = foreign_subscription(terminal.x, hook)
        terminal.type("x subscribe")
        terminal.type("x unsubscribe --all")
        assert [row["id"] for row in terminal.rows("x subscriptions")] == [foreign]

    def test_without_a_webhook_says_what_comes_first(self, terminal: Terminal) -> None:
        assert "x webhook add URL" in terminal.refusal("x subscribe")

    def test_is_for_the_account_that_is_set(self, terminal: Terminal, hook: str) -> None:
        terminal.environment["X_USER_ID"] = "5"
        assert "that very account" in terminal.refusal(f"x subscribe --webhook {hook}")
        assert not terminal.x.calls("/users/me")

    def test_is_for_the_account_that_polling_found(self, terminal: Terminal, hook: str) -> None:
        Parts(settings.read(terminal.environment)).store.set_note(ACCOUNT, "1001")
        assert len(terminal.rows(f"x subscribe --webhook {hook}")) == len(KINDS)
        assert not terminal.x.calls("/users/me")

    @pytest.mark.usefixtures("hook")
    def test_without_any_hint_of_the_account_is_refused(self, terminal: Terminal) -> None:
        bare = terminal.without("X_CONSUMER_KEY", "X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET")
        assert "set X_USER_ID" in bare.refusal("x subscribe")


@pytest.mark.usefixtures("hook")
class TestSubscriptions:
    def test_are_listed_a_line_each(self, terminal: Terminal, hook: str) -> None:
        terminal.type("x subscribe")
        _, lines, _ = terminal.type("x subscriptions")
        assert [line.split()[1] for line in lines] == list(KINDS)
        assert lines[0].endswith(f"account 1001, webhook {hook}")

    def test_that_are_not_there_yet_are_told_how_to_come(self, terminal: Terminal) -> None:
        code, lines, said = terminal.type("x subscriptions")
        assert (code, lines) == (0, [])
        assert "x subscribe" in said

    def test_end_one_by_one(self, terminal: Terminal) -> None:
        first, second, *others = (row["id"] for row in terminal.rows("x subscribe"))
        _, lines, _ = terminal.type(f"x unsubscribe {first} {second}")
        assert lines == [f"Removed subscription {one}." for one in (first, second)]
        assert [row["id"] for row in terminal.rows("x subscriptions")] == others

    def test_end_all_at_once(self, terminal: Terminal) -> None:
        made = [row["id"] for row in terminal.rows("x subscribe")]
        assert [row["id"] for row in terminal.rows("x unsubscribe --all")] == made
        assert terminal.rows("x subscriptions") == []

    @pytest.mark.parametrize("line", ["x unsubscribe", "x unsubscribe 5 --all"])
    def test_end_only_where_it_is_clear_which(self, terminal: Terminal, line: str) -> None:
        assert "or --all" in terminal.refusal(line)


@pytest.mark.parametrize(
    "line",
    [
        "x webhook add bot.example",
        "x webhook list",
        "x webhook check",
        "x webhook remove 5",
        "x webhook replay",
        "x subscribe",
        "x subscriptions",
        "x unsubscribe --all",
    ],
)
def test_every_verb_names_the_token_it_needs(terminal: Terminal, line: str) -> None:
    assert "X_BEARER_TOKEN is not set" in terminal.without("X_BEARER_TOKEN").refusal(line)
    assert not terminal.x.requests


def test_a_failure_is_one_sentence_and_exit_code_2(terminal: Terminal) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "x", "webhook", "list"],
        cwd=HOUSE,
        env={"PATH": os.environ["PATH"], **terminal.environment, "X_BEARER_TOKEN": "wrong"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "X refuses X_BEARER_TOKEN (401): copy it anew from X's developer console.\n"
    )


@pytest.mark.parametrize("line", ["x", "x webhook", "x webhook replay --hours many"])
def test_half_a_verb_is_refused_with_its_usage(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(line.split())
    assert ended.value.code == 2
    assert "usage: python -m bot x" in capsys.readouterr().err
