"""What `doctor` finds out about Slack, from Slack's stand-in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.local.doctor import Finding, examine
from bot.settings import HOUSE
from bot.slack.manifest import SCOPES
from bot.slack.refusals import REASONS, remedy
from tests.standins.server import Fault
from tests.standins.slack import SlackStandin, rate_limited

Environment = dict[str, str]
LINES = ("slack", "slack scopes", "slack channel", "slack socket")


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin() as standin:
        standin.scopes = tuple(SCOPES)
        yield standin


@pytest.fixture
def connected(slack: SlackStandin, tmp_path: Path) -> Environment:
    return {
        "DATA_DIR": str(tmp_path),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_SUPPORT_CHANNEL": slack.channel,
        "SLACK_API_URL": slack.api_url,
    }


def found(environment: Environment) -> dict[str, Finding]:
    lines = {one.what: one for one in examine(environment)}
    return {what: lines[what] for what in LINES}


def says(slack: SlackStandin, **changes: Any) -> None:
    """What Slack answers to each "auth.test" from now on, scopes aside."""
    body = {"ok": True, "team": "Harbor Example", "user": "escalator", "bot_id": "B0", **changes}
    slack.fail_every(1, status=200, body=body, where="auth.test")


class TestWithoutKeys:
    def test_nothing_has_to_be_mended(self, tmp_path: Path) -> None:
        lines = found({"DATA_DIR": str(tmp_path)})
        assert [line.well for line in lines.values()] == [None] * 4
        assert lines["slack"].says.startswith("Not connected, so cards stay in the console: README")


class TestTheToken:
    def test_is_named_by_its_bot_and_workspace(self, connected: Environment) -> None:
        lines = found(connected)
        assert [line.well for line in lines.values()] == [True, True, True, None]
        assert lines["slack"].says == "Connected as @escalator in Harbor Example."

    def test_that_slack_does_not_know_is_one_thing_to_mend_and_not_three(
        self, connected: Environment
    ) -> None:
        lines = found({**connected, "SLACK_BOT_TOKEN": "xoxb-wrong"})
        assert [line.well for line in lines.values()] == [False, None, None, None]
        assert "Slack refuses (invalid_auth): copy the Bot User OAuth" in lines["slack"].says
        assert "xoxb-wrong" not in repr(lines)

    @pytest.mark.parametrize("reason", ["token_revoked", "account_inactive"])
    def test_that_was_taken_back_needs_a_new_installation(
        self, slack: SlackStandin, connected: Environment, reason: str
    ) -> None:
        slack.fail_every(1, status=200, body={"ok": False, "error": reason}, where="auth.test")
        line = found(connected)["slack"]
        assert line.well is False
        assert "install the app again" in line.says

    def test_of_a_person_is_the_wrong_one(
        self, slack: SlackStandin, connected: Environment
    ) -> None:
        says(slack, bot_id=None, user="mira")
        line = found(connected)["slack"]
        assert line.well is False
        assert "no bot's token but that of @mira" in line.says

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [
            (Fault("html", 502), "Something answered in Slack's place"),
            (Fault("drop"), "answer was lost"),
            (rate_limited(), "slow down"),
            (Fault(status=200, body=b"null"), "Slack"),
        ],
    )
    def test_that_slack_does_not_answer_for_is_a_finding(
        self, slack: SlackStandin, connected: Environment, fault: Fault, expected: str
    ) -> None:
        slack.faults.append(fault)
        line = found(connected)["slack"]
        assert line.well is False
        assert expected in line.says


class TestTheScopes:
    @pytest.mark.parametrize("missing", SCOPES)
    def test_that_are_missing_are_named(
        self, slack: SlackStandin, connected: Environment, missing: str
    ) -> None:
        slack.scopes = tuple(one for one in SCOPES if one != missing)
        line = found(connected)["slack scopes"]
        assert line.well is False
        assert line.says.startswith(f"The token lacks {missing}: paste what `python -m bot slack")
        assert "reinstall" in line.says

    def test_may_be_more_than_are_needed(self, slack: SlackStandin, connected: Environment) -> None:
        slack.scopes = ("users:read", *SCOPES)
        assert found(connected)["slack scopes"].well is True

    def test_may_be_unknown(self, slack: SlackStandin, connected: Environment) -> None:
        says(slack)
        assert found(connected)["slack scopes"].well is None


class TestTheChannel:
    def test_has_the_app(self, slack: SlackStandin, connected: Environment) -> None:
        line = found(connected)["slack channel"]
        assert (line.well, line.says) == (True, "@escalator is a member of C0SUPPORT.")
        [call] = slack.calls("conversations.history")
        assert call.form()["limit"] == "1"

    def test_that_lacks_the_app_gets_it_by_an_invitation(
        self, slack: SlackStandin, connected: Environment
    ) -> None:
        slack.member = False
        line = found(connected)["slack channel"]
        assert line.well is False
        assert "(not_in_channel): type /invite @escalator in the channel." in line.says

    def test_that_is_not_found_is_named_wrongly_or_private(self, connected: Environment) -> None:
        line = found({**connected, "SLACK_SUPPORT_CHANNEL": "#support"})["slack channel"]
        assert line.well is False
        assert "(channel_not_found): set SLACK_SUPPORT_CHANNEL to the channel's id" in line.says
        assert "/invite @escalator" in line.says

    @pytest.mark.parametrize("kind", ["channel_archive", "group_archive"])
    def test_that_is_archived_is_known_by_its_last_message(
        self, slack: SlackStandin, connected: Environment, kind: str
    ) -> None:
        farewell = {"type": "message", "subtype": kind, "ts": "1.2", "text": "…"}
        for messages, well in [([farewell], False), ([{**farewell, "subtype": "x"}], True)]:
            body = {"ok": True, "messages": messages}
            slack.faults.append(Fault(status=200, body=body, where="conversations.history"))
            line = found(connected)["slack channel"]
            assert line.well is well
            assert ("C0SUPPORT is archived: unarchive" in line.says) is not well

    def test_that_is_private_takes_a_scope_of_its_own(
        self, slack: SlackStandin, connected: Environment
    ) -> None:
        slack.private = True
        assert found(connected)["slack channel"].well is True
        slack.scopes = tuple(one for one in SCOPES if one != "groups:history")
        assert "(missing_scope): paste" in found(connected)["slack channel"].says

    def test_is_not_asked_for_with_any_other_effect(
        self, slack: SlackStandin, connected: Environment
    ) -> None:
        found(connected)
        methods = {request.path.removeprefix("/api/") for request in slack.requests}
        assert methods == {"auth.test", "conversations.history"}


class TestSocketMode:
    @pytest.mark.parametrize(("token", "well"), [("xapp-1-A0", True), ("xoxb-1-A0", False)])
    def test_takes_an_app_level_token_and_no_other(
        self, connected: Environment, token: str, well: bool
    ) -> None:
        line = found({**connected, "SLACK_APP_TOKEN": token})["slack socket"]
        assert line.well is well
        assert ("connections:write" in line.says) is not well
        assert token not in line.says


class TestTheRemedies:
    def test_name_the_app_where_they_speak_of_it(self) -> None:
        assert remedy("not_in_channel", "escalator") == "type /invite @escalator in the channel"
        assert remedy("no_such_error") is None

    @pytest.mark.parametrize("reason", ["msg_too_long", "msg_blocks_too_long", "invalid_blocks"])
    def test_of_our_own_faults_ask_to_report_them(self, reason: str) -> None:
        told = remedy(reason)
        assert told
        assert all(f"`python -m bot {verb}`" in told for verb in ("explain", "redrive"))

    def test_name_no_setting_that_there_is_not(self) -> None:
        source = Path(settings.__file__).read_text("utf-8")
        for reason in REASONS:
            words = str(remedy(reason)).replace(",", " ").split()
            assert all(f'"{word}"' in source for word in words if word.startswith("SLACK_"))

    def test_stand_in_the_documentation(self) -> None:
        page = (HOUSE / "docs/slack.md").read_text("utf-8")
        assert [reason for reason in sorted(REASONS) if f"`{reason}`" not in page] == []
        assert [scope for scope in SCOPES if f"`{scope}`" not in page] == []
