"""The Slack app that the manifest describes is the one that listens, and asks for no more."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_sdk import WebClient

from bot.__main__ import main, parser
from bot.errors import Refused
from bot.local.serverless import functions
from bot.local.slack_verbs import address_of
from bot.process import hosting
from bot.settings import HOUSE
from bot.slack.manifest import COMMANDS, EVENTS, PATH, SCOPES, manifest
from bot.wiring import Parts
from handlers import slack as function
from tests.examples import parts
from tests.standins.gateway import http_event
from tests.standins.slack import SlackStandin
from tests.standins.slack_methods import METHODS
from tests.standins.slack_requests import Delivery

URL = "https://bot.example"


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackStandin]:
    with SlackStandin() as standin:
        yield standin


@pytest.fixture
def bot(slack: SlackStandin, tmp_path: Path) -> Parts:
    return parts(
        tmp_path,
        SLACK_BOT_TOKEN=slack.bot_token,
        SLACK_SIGNING_SECRET=slack.signing_secret,
        SLACK_SUPPORT_CHANNEL=slack.channel,
        SLACK_API_URL=slack.api_url,
    )


def answered(bot: Parts, delivery: Delivery) -> int:
    """The status with which the bot answers Slack."""
    headers, body = delivery
    happening = http_event("POST", PATH, headers, body, route=f"POST {PATH}")
    with hosting(bot):
        return int(function.handler(happening, None)["statusCode"])


def event(slack: SlackStandin, name: str) -> Delivery:
    return slack.event({"type": name, "user": "U0AGENT", "channel": "D0AGENT", "tab": "home"})


def listened(bot: Parts, kind: str) -> set[str]:
    """The names of the listeners of that kind; Bolt keeps each in its matcher's closure."""
    names = set()
    for listener in bot.slack_app._listeners:
        for matcher in listener.matchers:
            if matcher.func.__qualname__.startswith(f"{kind}."):  # type: ignore[attr-defined]
                cells = matcher.func.__closure__  # type: ignore[attr-defined]
                names |= {cell.cell_contents for cell in cells}
    return {name for name in names if isinstance(name, str)}  # a pattern takes what is left over


class TestWhatItNames:
    @pytest.mark.parametrize("command", [command.name for command in COMMANDS])
    def test_a_command_is_answered(self, slack: SlackStandin, bot: Parts, command: str) -> None:
        assert answered(bot, slack.command("help", command=command)) == 200

    @pytest.mark.parametrize("name", EVENTS)
    def test_an_event_is_answered(self, slack: SlackStandin, bot: Parts, name: str) -> None:
        assert answered(bot, event(slack, name)) == 200

    def test_nothing_comes_of_anything_else(self, slack: SlackStandin, bot: Parts) -> None:
        assert answered(bot, slack.command("help", command="/other")) == 404
        assert answered(bot, event(slack, "team_join")) == 200
        assert bot.actions.depth() == (0, 0)

    def test_is_all_that_is_listened_to(self, bot: Parts) -> None:
        assert listened(bot, "command") == {command.name for command in COMMANDS}
        assert listened(bot, "event") == set(EVENTS)

    def test_is_reached_where_the_functions_listen(self) -> None:
        [slack] = [one for one in functions() if one.name == "slack"]
        assert slack.routes == (f"POST {PATH}",)

    def test_are_the_scopes_that_our_calls_need_and_no_other(self) -> None:
        public = {METHODS[method].scope for method in called()} - {""}
        private = {scope.replace("channels:", "groups:") for scope in public}
        assert set(SCOPES) == public | private | {"commands"}


def called() -> set[str]:
    """The methods of Slack's Web API that the code names, as Slack does."""
    methods = {name for name in dir(WebClient) if re.match("[a-z]+_", name)} - {"api_call"}
    named = set()
    for file in (HOUSE / "bot").rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {name.replace("_", ".") for name in named & methods}


class TestTheApp:
    def test_of_an_address_is_called_there_with_everything(self) -> None:
        made = manifest(URL)
        for command in made["features"]["slash_commands"]:
            assert command["url"] == URL + PATH
        for way in ("event_subscriptions", "interactivity"):
            assert made["settings"][way]["request_url"] == URL + PATH
        assert made["settings"]["socket_mode_enabled"] is False

    def test_over_socket_mode_names_no_address(self) -> None:
        made = manifest(None)
        assert "url" not in json.dumps(made)
        assert made["settings"]["socket_mode_enabled"] is True

    def test_is_the_same_but_for_that(self) -> None:
        assert without_address(manifest(URL)) == without_address(manifest(None))

    @pytest.mark.parametrize("url", [URL, None])
    def test_has_buttons_a_home_tab_and_no_messages(self, url: str | None) -> None:
        made = manifest(url)
        assert made["settings"]["interactivity"]["is_enabled"] is True
        home = made["features"]["app_home"]
        assert (home["home_tab_enabled"], home["messages_tab_enabled"]) == (True, False)

    def test_keeps_to_slacks_lengths(self) -> None:
        """slackapi/manifest-schema, schemas/manifest.schema.1.0.0.json."""
        made = manifest(URL)
        about = made["display_information"]
        assert len(about["name"]) <= 35
        assert len(about["description"]) <= 140
        assert re.fullmatch("#[0-9a-f]{6}", about["background_color"])
        for command in made["features"]["slash_commands"]:
            assert re.fullmatch("/[a-z]{1,31}", command["command"])
            assert 0 < len(command["description"]) <= 2000
            assert 0 < len(command["usage_hint"]) <= 1000


def without_address(made: Any) -> Any:
    if isinstance(made, dict):
        kept = {k: v for k, v in made.items() if k not in {"url", "request_url"}}
        return {k: without_address(v) for k, v in kept.items() if k != "socket_mode_enabled"}
    return [without_address(one) for one in made] if isinstance(made, list) else made


def typed(line: str) -> int:
    arguments = parser().parse_args(["slack", "manifest", *line.split()])
    code: int = arguments.work(arguments, {})
    return code


class TestTheVerb:
    @pytest.mark.parametrize(("line", "url"), [(f"--url {URL}", URL), ("--socket", None)])
    def test_prints_yaml_or_json(
        self, capsys: pytest.CaptureFixture[str], line: str, url: str | None
    ) -> None:
        assert typed(line) == 0
        printed = capsys.readouterr().out
        assert yaml.safe_load(printed) == manifest(url)
        assert not re.search("[&*]id", printed), "Slack's page knows no aliases"
        assert typed(f"{line} --json") == 0
        assert json.loads(capsys.readouterr().out) == manifest(url)

    def test_writes_a_file_and_says_what_to_do_with_it(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        file = tmp_path / "slack-manifest.yml"
        assert typed(f"--socket -o {file}") == 0
        assert yaml.safe_load(file.read_text("utf-8")) == manifest(None)
        said = capsys.readouterr()
        assert said.out == ""
        assert f"Wrote {file}: at https://api.slack.com/apps" in said.err

    def test_says_where_it_cannot_write(self, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="cannot be written: No such file"):
            typed(f"--socket -o {tmp_path / 'gone' / 'slack-manifest.yml'}")

    @pytest.mark.parametrize("line", ["", f"--socket --url {URL}"])
    def test_wants_to_be_told_one_of_the_two_ways(
        self, capsys: pytest.CaptureFixture[str], line: str
    ) -> None:
        assert main(["slack", "manifest", *line.split()]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("Say either --url https://YOUR-ADDRESS")

    @pytest.mark.parametrize(
        "given", ["bot.example", URL, f"{URL}/", f"{URL}{PATH}", f"{URL}{PATH}/"]
    )
    def test_takes_an_address_with_and_without_the_bots_path(self, given: str) -> None:
        assert address_of(given) == URL

    def test_keeps_the_path_of_a_proxy(self) -> None:
        assert address_of(f"{URL}/to/the/bot/") == f"{URL}/to/the/bot"

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ("http://bot.example", "https addresses only"),
            ("https://", "https addresses only"),
            ("https://[::1", "is no address"),
            ("https://bot.example:port", "is no address"),
            (f"{URL}/?stage=prod", "and nothing more"),
            (f"{URL}/#top", "and nothing more"),
            ("https://me:secret@bot.example", "and nothing more"),
            (f"{URL}/a b", "and nothing more"),
        ],
    )
    def test_refuses_what_slack_would_not_call(self, given: str, says: str) -> None:
        with pytest.raises(Refused, match=says):
            address_of(given)
