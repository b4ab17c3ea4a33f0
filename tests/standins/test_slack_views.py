"""Modals and Home tabs of Slack's stand-in, opened through its own SDK."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.standins.slack import SlackStandin
from tests.standins.slack_methods import Refused
from tests.standins.slack_requests import Delivery, View

MESSAGE = {"ts": "1700000000.000001", "channel": "C0SUPPORT"}


class Clock:
    now = 1_793_620_800.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackStandin]:
    with SlackStandin(clock=clock) as standin:
        yield standin


@pytest.fixture
def bot(slack: SlackStandin) -> WebClient:
    return WebClient(slack.bot_token, slack.api_url, timeout=5, retry_handlers=[])


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def modal(title: str = "Reply") -> View:
    field = {"type": "plain_text_input", "action_id": "typed"}
    block = {"type": "input", "block_id": "answer", "label": plain("Answer"), "element": field}
    submit = plain("Send")
    return {"type": "modal", "title": plain(title), "submit": submit, "blocks": [block]}


def home(text: str = "Hello") -> View:
    return {"type": "home", "blocks": [{"type": "section", "text": plain(text)}]}


def payload(delivery: Delivery) -> dict[str, Any]:
    fields = parse_qs(delivery[1].decode())
    content: dict[str, Any] = json.loads(fields["payload"][0])
    return content


def pressed(slack: SlackStandin, place: Any = MESSAGE) -> str:
    """The trigger of a button."""
    trigger: str = payload(slack.button("reply", "77", place))["trigger_id"]
    return trigger


@pytest.fixture
def shown(slack: SlackStandin, bot: WebClient) -> View:
    bot.views_open(trigger_id=pressed(slack), view=modal())
    return slack.views[-1]


class TestAModal:
    def test_opens_once_for_each_trigger(self, slack: SlackStandin, bot: WebClient) -> None:
        _, body = slack.command("help")
        trigger = parse_qs(body.decode())["trigger_id"][0]
        opened = bot.views_open(trigger_id=trigger, view=modal())
        assert slack.views[0] == opened["view"]
        assert opened["view"]["root_view_id"] == opened["view"]["id"]
        with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
            bot.views_open(trigger_id=trigger, view=modal())
        with pytest.raises(SlackApiError, match="invalid_trigger_id"):
            bot.views_open(trigger_id="1.2.3", view=modal())

    def test_opens_within_three_seconds(
        self, slack: SlackStandin, bot: WebClient, clock: Clock
    ) -> None:
        soon, late = pressed(slack), pressed(slack)
        clock.now += 3
        bot.views_open(trigger_id=soon, view=modal())
        clock.now += 0.1
        with pytest.raises(SlackApiError, match="expired_trigger_id"):
            bot.views_open(trigger_id=late, view=modal())

    @pytest.mark.parametrize(
        "view", [home(), {**modal(), "title": plain("t" * 25)}, {**modal(), "id": "V1"}]
    )
    def test_that_slack_would_not_show_is_refused_and_leaves_the_trigger(
        self, slack: SlackStandin, bot: WebClient, view: View
    ) -> None:
        trigger = pressed(slack)
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            bot.views_open(trigger_id=trigger, view=view)
        bot.views_open(trigger_id=trigger, view=modal())

    def test_is_changed_in_place_unless_it_was_changed_before(
        self, slack: SlackStandin, bot: WebClient, shown: View
    ) -> None:
        bot.views_update(view_id=shown["id"], hash=shown["hash"], view=modal("Sure?"))
        [changed] = slack.views
        assert (changed["id"], changed["title"]["text"]) == (shown["id"], "Sure?")
        with pytest.raises(SlackApiError, match="hash_conflict"):
            bot.views_update(view_id=shown["id"], hash=shown["hash"], view=modal())
        bot.views_update(view_id=shown["id"], view=modal("Last"))
        assert slack.views[0]["title"]["text"] == "Last"
        with pytest.raises(SlackApiError, match="not_found"):
            bot.views_update(view_id="V404", view=modal())

    def test_lies_upon_the_one_from_which_it_was_pushed_up_to_three(
        self, slack: SlackStandin, bot: WebClient, shown: View
    ) -> None:
        for title in ("second", "third"):
            bot.views_push(trigger_id=pressed(slack, slack.views[-1]), view=modal(title))
        assert [(view["root_view_id"], view["previous_view_id"]) for view in slack.views] == [
            (shown["id"], None),
            (shown["id"], shown["id"]),
            (shown["id"], slack.views[1]["id"]),
        ]
        with pytest.raises(SlackApiError, match="push_limit_reached"):
            bot.views_push(trigger_id=pressed(slack, slack.views[-1]), view=modal())

    def test_is_pushed_upon_another_one_only(self, slack: SlackStandin, bot: WebClient) -> None:
        with pytest.raises(SlackApiError, match="not_found"):
            bot.views_push(trigger_id=pressed(slack), view=modal())

    def test_that_was_closed_is_gone(
        self, slack: SlackStandin, bot: WebClient, shown: View
    ) -> None:
        bot.views_update(view_id=shown["id"], view={**modal(), "notify_on_close": True})
        told = payload(slack.view_closed(slack.views[0], everything=True))
        assert (told["type"], told["is_cleared"]) == ("view_closed", True)
        assert told["view"]["id"] == shown["id"]
        with pytest.raises(SlackApiError, match="not_found"):
            bot.views_update(view_id=shown["id"], view=modal())

    def test_is_closed_silently_unless_the_app_asked(
        self, slack: SlackStandin, shown: View
    ) -> None:
        with pytest.raises(ValueError, match="notify_on_close"):
            slack.view_closed(shown)


class TestTheAnswerToASubmission:
    @pytest.mark.parametrize("body", ["", b"{}", '{"response_action": "clear"}'])
    def test_closes_the_modal(self, slack: SlackStandin, shown: View, body: str) -> None:
        assert slack.acknowledged(shown, body) is None
        with pytest.raises(Refused, match="not_found"):
            slack.acknowledged(shown, json.dumps({"response_action": "update", "view": modal()}))

    def test_may_close_all_that_lie_upon_each_other(
        self, slack: SlackStandin, bot: WebClient, shown: View
    ) -> None:
        trigger = payload(slack.submission(shown, {}))["trigger_id"]
        bot.views_push(trigger_id=trigger, view=modal("Sure?"))
        assert slack.acknowledged(slack.views[1], '{"response_action": "clear"}') is None
        with pytest.raises(SlackApiError, match="not_found"):
            bot.views_update(view_id=shown["id"], view=modal())

    def test_may_say_what_is_wrong_beside_an_input(self, slack: SlackStandin, shown: View) -> None:
        body = {"response_action": "errors", "errors": {"answer": "Too long."}}
        assert slack.acknowledged(shown, json.dumps(body)) == shown

    @pytest.mark.parametrize(
        "body",
        [
            {"response_action": "errors"},
            {"response_action": "errors", "errors": {}},
            {"response_action": "errors", "errors": {"typed": "Too long."}},
            {"response_action": "errors", "errors": {"answer": ""}},
            {"response_action": "push", "view": home()},
            {"response_action": "update"},
            {"response_action": "dance"},
            {"text": "thanks"},
        ],
    )
    def test_must_be_one_that_slack_takes(
        self, slack: SlackStandin, shown: View, body: dict[str, Any]
    ) -> None:
        with pytest.raises(Refused, match="invalid_arguments"):
            slack.acknowledged(shown, json.dumps(body))
        assert slack.views == [shown]

    def test_may_put_another_view_upon_it_or_in_its_place(
        self, slack: SlackStandin, shown: View
    ) -> None:
        push = {"response_action": "push", "view": modal("Sure?")}
        pushed = slack.acknowledged(shown, json.dumps(push))
        assert pushed
        assert (pushed["root_view_id"], pushed["previous_view_id"]) == (shown["id"], shown["id"])
        update = {"response_action": "update", "view": modal("Sent")}
        updated = slack.acknowledged(pushed, json.dumps(update))
        assert updated
        assert (updated["id"], updated["previous_view_id"]) == (pushed["id"], shown["id"])
        assert slack.acknowledged(updated, "") == shown


class TestAHomeTab:
    def test_is_kept_for_each_user_and_shown_when_it_is_opened(
        self, slack: SlackStandin, bot: WebClient
    ) -> None:
        def opened(tab: str = "home") -> dict[str, Any]:
            _, body = slack.app_home_opened("U0AGENT", tab)
            event: dict[str, Any] = json.loads(body)["event"]
            return event

        assert (opened()["user"], opened()["channel"]) == ("U0AGENT", "D0AGENT")
        assert "view" not in opened()
        bot.views_publish(user_id="U0AGENT", view=home())
        bot.views_publish(user_id="U0OTHER", view=home("other"))
        assert opened()["view"] == slack.homes["U0AGENT"]
        assert "view" not in opened("messages")

    def test_keeps_its_id_and_knows_a_stale_hash(self, slack: SlackStandin, bot: WebClient) -> None:
        first = bot.views_publish(user_id="U0AGENT", view=home())["view"]
        second = bot.views_publish(user_id="U0AGENT", view=home("2"), hash=first["hash"])["view"]
        assert second["id"] == first["id"]
        with pytest.raises(SlackApiError, match="hash_conflict"):
            bot.views_publish(user_id="U0AGENT", view=home("3"), hash=first["hash"])
        bot.views_update(view_id=first["id"], view=home("4"))
        assert slack.homes["U0AGENT"]["blocks"][0]["text"]["text"] == "4"

    def test_is_no_modal(self, bot: WebClient) -> None:
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            bot.views_publish(user_id="U0AGENT", view=modal())

    def test_of_great_size_is_refused(self, bot: WebClient) -> None:
        block = {"type": "section", "text": plain("x" * 3000)}
        with pytest.raises(SlackApiError, match="view_too_large"):
            bot.views_publish(user_id="U0AGENT", view={"type": "home", "blocks": [block] * 84})
