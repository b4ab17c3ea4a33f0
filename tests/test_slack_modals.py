"""Reply: an answer written in Slack, seen again, sent; what is public by it, and what is not."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import cases, deeds
from bot.cases import Case, Effect
from tests.examples import NOON, case, noon
from tests.standins.server import Fault
from tests.standins.slack import refused
from tests.standins.x import XStandin
from tests.test_cards import tweeted
from tests.workspace import (
    AGENT,
    OTHER,
    Message,
    Unreachable,
    Workspace,
    buttons,
    shown,
    workspace,
)

ACCOUNT = "1001"
MENTION = tweeted(
    case(), source="webhook", kind="mention", answer=True, mentions=frozenset({ACCOUNT})
)
TEXT = "Sorry to hear that! Which parcel is it?"
LINK = "See https://example.com/help"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path, X_USER_ID=ACCOUNT) as made:
        yield made


@pytest.fixture
def card(office: Workspace) -> Message:
    return office.carded(MENTION)


def opened(office: Workspace, card: Message, who: str = AGENT) -> Message:
    """The form that a press on Reply opens."""
    office.asked(office.pressed("reply", card, who))
    return office.slack.views[-1]


def submitted(
    office: Workspace, view: Message, text: str | None = None, who: str = AGENT
) -> Message | None:
    """The form on top once Slack has taken the answer to a submission."""
    answer = office.asked(office.submitted(view, text, who))
    return office.slack.acknowledged(view, answer["body"])


def previewed(office: Workspace, card: Message, text: str = TEXT, who: str = AGENT) -> Message:
    preview = submitted(office, opened(office, card, who), text, who)
    assert preview
    return preview


def problem(office: Workspace, view: Message, text: str, who: str = AGENT) -> str:
    """What is said beside the field."""
    answer = office.asked(office.submitted(view, text, who))
    assert office.slack.acknowledged(view, answer["body"]) == view, "the form stays open"
    return beside_the_field(answer)


def beside_the_field(answer: dict[str, Any]) -> str:
    told = json.loads(answer["body"])
    assert told["response_action"] == "errors"
    [said] = told["errors"].values()
    return str(said)


class TestReply:
    def test_opens_its_form_before_anything_is_queued(
        self, office: Workspace, card: Message
    ) -> None:
        office.bot.actions = Unreachable()
        form = opened(office, card)
        assert form["callback_id"] == "reply"
        assert MENTION.tweet.text in shown(form)

    def test_begins_with_the_text_suggested_for_the_post(
        self, office: Workspace, card: Message
    ) -> None:
        [field] = [b["element"] for b in opened(office, card)["blocks"] if b["type"] == "input"]
        assert field["initial_value"] == office.bot.reply_texts.draft(MENTION.tweet)
        assert "@river_example" in field["initial_value"]

    def test_tells_who_else_has_the_case(self, office: Workspace) -> None:
        card = office.carded(deeds.claimed(MENTION, OTHER, NOON))
        assert f"<@{OTHER}>  has it since" in shown(opened(office, card))
        assert "has it since" not in shown(opened(office, card, OTHER))

    def test_is_offered_on_the_home_tab_too(self, office: Workspace) -> None:
        office.carded(deeds.claimed(MENTION, AGENT, NOON))
        office.does(office.looked_at_home())
        assert "Reply" in opened(office, office.slack.homes[AGENT])["title"]["text"]

    @pytest.mark.parametrize("text", [TEXT, f"  {TEXT}\n"])
    def test_shows_what_will_be_public_and_then_sends_it(
        self, office: Workspace, card: Message, text: str
    ) -> None:
        preview = previewed(office, card, text)
        assert preview["previous_view_id"]
        assert TEXT in shown(preview)
        assert "@river_example's post" in shown(preview)
        assert office.bot.actions.depth() == office.bot.replies.depth() == (0, 0)
        assert submitted(office, preview) is None, "both forms are closed"
        assert office.works() == office.draws() == 0
        reply = office.case(MENTION.id).effect("reply")
        assert reply
        assert (reply.state, reply.text, reply.by) == ("pending", TEXT, AGENT)
        assert office.bot.replies.depth() == (1, 0)

    def test_claims_the_case_and_tells_card_and_thread(
        self, office: Workspace, card: Message
    ) -> None:
        submitted(office, previewed(office, card))
        assert office.works() == office.draws() == 0
        assert office.case(MENTION.id).assignee == AGENT
        assert "is on its way" in shown(office.card(MENTION.id))
        assert "reply" not in buttons(office.card(MENTION.id))
        assert office.thread(MENTION.id) == [f"<@{AGENT}> answers it in public."]

    def test_submitted_twice_is_sent_once(self, office: Workspace, card: Message) -> None:
        preview = previewed(office, card)
        submission = office.submitted(preview)
        for _ in ("once", "and again, as Slack delivered it twice"):
            office.asked(submission)
        assert office.works() == office.draws() == 0
        assert office.bot.replies.depth() == (1, 0)
        assert office.whispers() == office.slack.ephemerals == []

    def test_to_a_post_of_a_file_is_recorded_and_not_sent(self, office: Workspace) -> None:
        card = office.carded(case())
        preview = previewed(office, card)
        assert "the answer is recorded, not sent" in shown(preview)
        submitted(office, preview)
        assert office.works() == office.draws() == 0
        assert office.bot.replies.depth() == (0, 0)
        assert "is recorded, not sent" in shown(office.card(case().id))

    def test_after_one_that_failed_is_sent_as_a_second_attempt(self, office: Workspace) -> None:
        failed = Effect("reply", "failed", problem="X refused it.", text="Hello!")
        card = office.carded(replace(MENTION, effects=(failed,)))
        form = opened(office, card)
        assert "The bot's answer failed: X refused it." in shown(form)
        preview = submitted(office, form, TEXT)
        assert preview
        submitted(office, preview)
        assert office.works() == 0
        reply = office.case(MENTION.id).effect("reply")
        assert reply
        assert (reply.text, reply.attempt, reply.state) == (TEXT, 2, "pending")


class TestWhatXWouldNotTake:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "The answer is empty"),
            (" \n ", "The answer is empty"),
            ("\u200b", "The answer is empty"),
            ("x" * 281, "has 281 characters as X counts them: shorten it to 280."),
            ("字" * 141, "has 282 characters as X counts them: shorten it to 280."),
            (LINK, "holds a link (https://example.com/help)"),
            ("look at example.com", "holds a link (example.com)"),
            ("\ufeff hello", "holds a character that X refuses (U+FEFF)"),
            ("\ud800 hello", "holds a character that X refuses (U+D800)"),
        ],
    )
    def test_is_said_beside_the_field(
        self, office: Workspace, card: Message, text: str, said: str
    ) -> None:
        form = opened(office, card)
        assert said in problem(office, form, text)
        assert office.bot.actions.depth() == (0, 0)

    def test_may_be_changed_until_it_fits(self, office: Workspace, card: Message) -> None:
        form = opened(office, card)
        problem(office, form, "x" * 281)
        assert submitted(office, form, "字" * 140)

    def test_is_taken_where_links_are_allowed(self, tmp_path: Path) -> None:
        with workspace(tmp_path, X_USER_ID=ACCOUNT, ALLOW_LINKS="1") as office:
            preview = previewed(office, office.carded(MENTION), LINK)
            assert "costs $0.2" in shown(preview)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"retweet": True}, "Retweets are not answered."),
            ({"mentions": frozenset({"77"})}, "It does not mention the account itself"),
            ({"author": replace(MENTION.tweet.author, id=ACCOUNT)}, "does not answer itself"),
        ],
    )
    def test_of_any_answer_is_said_too(
        self, office: Workspace, changes: dict[str, Any], said: str
    ) -> None:
        card = office.carded(tweeted(MENTION, **changes))
        assert said in problem(office, opened(office, card), TEXT)

    def test_is_refused_once_more_when_it_is_sent(self, office: Workspace, card: Message) -> None:
        preview = previewed(office, card)
        forged = {**preview}
        forged["private_metadata"] = preview["private_metadata"].replace(TEXT, LINK)
        office.asked(office.submitted(forged))
        assert office.works() == 0
        [told] = office.slack.ephemerals
        assert told["user"] == AGENT
        assert "holds a link" in told["text"]
        assert office.bot.replies.depth() == (0, 0)


class TestTwoWhoAnswer:
    def test_learn_beside_the_field_that_another_answer_is_on_its_way(
        self, office: Workspace, card: Message
    ) -> None:
        form = opened(office, card, OTHER)
        submitted(office, previewed(office, card))
        assert office.works() == 0
        said = problem(office, form, "Hello there!", OTHER)
        assert said == "Another agent's answer is on its way: wait for what becomes of it."

    def test_learn_it_in_private_if_they_send_at_once(
        self, office: Workspace, card: Message
    ) -> None:
        previews = [previewed(office, card, f"{TEXT} {who}", who) for who in (AGENT, OTHER)]
        for preview, who in zip(previews, (AGENT, OTHER), strict=True):
            submitted(office, preview, who=who)
        assert office.works() == 0
        [told] = office.slack.ephemerals
        assert (told["user"], told["text"]) == (
            OTHER,
            "Another agent's answer is on its way: wait for what becomes of it.",
        )
        reply = office.case(MENTION.id).effect("reply")
        assert reply
        assert reply.by == AGENT
        assert office.bot.replies.depth() == (1, 0)

    @pytest.mark.parametrize(
        ("state", "warned"), [("sending", "may be"), ("sent", "is"), ("unknown", "may be")]
    )
    def test_learn_that_one_is_public_already(
        self, office: Workspace, card: Message, state: Any, warned: str
    ) -> None:
        form = opened(office, card)
        public = Effect("reply", state, text="Hello!")
        office.bot.store.change(MENTION.id, lambda one: cases.put(one, public))
        assert "An answer is public or on its way" in problem(office, form, TEXT)
        assert f"An answer {warned} public already" in shown(opened(office, card))


class TestAPostThatIsGone:
    def test_has_no_form(self, office: Workspace, card: Message) -> None:
        office.bot.store.change(MENTION.id, lambda one: cases.erased(one, NOON))
        view = opened(office, card)
        assert "submit" not in view
        assert shown(view) == ("The post was deleted or erased, so there is nothing to answer.")

    def test_is_told_of_beside_the_field(self, office: Workspace, card: Message) -> None:
        form = opened(office, card)
        office.bot.store.change(MENTION.id, lambda one: cases.erased(one, NOON))
        assert "deleted or erased" in problem(office, form, TEXT)

    def test_with_its_case_has_no_form_either(self, office: Workspace, card: Message) -> None:
        with office.bot.database.writing() as connection:
            connection.execute("DELETE FROM cases")
        assert "no longer here" in shown(opened(office, card))


class TestWhenSomethingFails:
    def test_a_store_that_does_not_answer_is_said_in_the_modal(
        self, office: Workspace, card: Message
    ) -> None:
        office.bot.store = Unreachable()
        view = opened(office, card)
        assert shown(view) == "Its case cannot be read right now: try again."

    def test_a_store_that_does_not_answer_is_said_beside_the_field(
        self, office: Workspace, card: Message
    ) -> None:
        form = opened(office, card)
        office.bot.agents = replace(office.bot.agents, store=Unreachable())
        assert problem(office, form, TEXT) == "It cannot be checked right now: try again."

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("drop", where="views.open"),
            Fault("html", where="views.open"),
            Fault("status", 500, where="views.open"),
            refused("expired_trigger_id", "views.open"),
            refused("trigger_expired", "views.open"),
        ],
    )
    def test_a_modal_that_opens_too_late_is_told_of(
        self, office: Workspace, card: Message, fault: Fault
    ) -> None:
        office.slack.faults.append(fault)
        office.asked(office.pressed("reply", card))
        assert office.slack.views == []
        assert office.works() == 0
        assert office.whisper() == "Slack was too slow to open it: press the button once more."

    @pytest.mark.parametrize(
        ("reason", "told"),
        [
            ("ratelimited", "It did not open. Slack asks to slow down."),
            ("invalid_auth", "It did not open. Slack refuses (invalid_auth): copy the Bot User"),
            ("odd_error", "It did not open. Slack refuses the message (odd_error)."),
        ],
    )
    def test_a_modal_that_slack_refuses_says_why(
        self, office: Workspace, card: Message, reason: str, told: str
    ) -> None:
        office.slack.faults.append(refused(reason, "views.open"))
        office.asked(office.pressed("reply", card))
        assert office.slack.views == []
        assert office.works() == 0
        assert office.whisper().startswith(told)

    def test_a_press_that_comes_too_late_is_told_of(self, office: Workspace, card: Message) -> None:
        press = office.pressed("reply", card)
        office.slack.clock = lambda: NOON.timestamp() + 4
        office.asked(press)
        assert office.works() == 0
        assert "too slow" in office.whisper()

    @pytest.mark.parametrize("damage", ["", "{", "[]", '{"case": 5}', '{"case": "../x"}'])
    def test_a_damaged_form_is_said_beside_its_field(
        self, office: Workspace, card: Message, damage: str
    ) -> None:
        form = opened(office, card)
        damaged = {**form, "private_metadata": damage}
        answer = office.asked(office.submitted(damaged, TEXT))
        assert "damaged or of another release" in beside_the_field(answer)

    @pytest.mark.parametrize("damage", ["", "{", "[]", '{"case": "1"}', '{"text": "x"}'])
    def test_a_damaged_preview_is_said_in_its_place(
        self, office: Workspace, card: Message, damage: str
    ) -> None:
        preview = previewed(office, card)
        damaged = {**preview, "private_metadata": damage}
        answer = office.asked(office.submitted(damaged))
        view = office.slack.acknowledged(preview, answer["body"])
        assert view
        assert "damaged or of another release" in shown(view)
        assert office.queued() == []

    def test_a_form_without_its_field_is_said_beside_it(
        self, office: Workspace, card: Message
    ) -> None:
        answer = office.asked(office.submitted(opened(office, card)))
        assert "damaged or of another release" in beside_the_field(answer)


class TestOnX:
    @pytest.fixture
    def x(self) -> Iterator[XStandin]:
        with XStandin(ACCOUNT, clock=noon) as standin:
            yield standin

    @pytest.fixture
    def connected(self, tmp_path: Path, x: XStandin) -> Iterator[Workspace]:
        keys = {
            "X_CONSUMER_KEY": x.keys.consumer_key,
            "X_CONSUMER_SECRET": x.keys.consumer_secret,
            "X_ACCESS_TOKEN": x.keys.access_token,
            "X_ACCESS_TOKEN_SECRET": x.keys.access_token_secret,
        }
        with workspace(tmp_path, X_USER_ID=ACCOUNT, X_API_URL=x.url, **keys) as made:
            yield made

    @pytest.fixture
    def asked(self, connected: Workspace, x: XStandin) -> Case:
        post = x.add_mention("My parcel never came!")
        made = tweeted(MENTION, id=post.id, root_id=post.id)
        connected.carded(made)
        return made

    def test_an_answer_is_public_once_and_card_and_thread_say_so(
        self, connected: Workspace, x: XStandin, asked: Case
    ) -> None:
        preview = previewed(connected, connected.card(asked.id))
        submission = connected.submitted(preview)
        for _ in ("once", "twice"):
            connected.asked(submission)
        assert connected.works() == connected.answers() == connected.draws() == 0
        [public] = x.replies_to(asked.id)
        assert public.text.endswith(TEXT)
        assert "is public:" in shown(connected.card(asked.id))
        assert public.id in str(connected.card(asked.id)["blocks"])
        told = " ".join(connected.thread(asked.id))
        assert told == f"<@{AGENT}> answers it in public. The answer is public."

    def test_an_answer_that_is_refused_comes_back_to_the_card(
        self, connected: Workspace, x: XStandin, asked: Case
    ) -> None:
        body = {"title": "Forbidden", "detail": "You are not permitted.", "status": 403}
        x.faults.append(Fault("status", 403, body, where="POST /2/tweets"))
        submitted(connected, previewed(connected, connected.card(asked.id)))
        assert connected.works() == connected.answers() == connected.draws() == 0
        assert x.replies_to(asked.id) == []
        assert "The answer by  <@U0AGENT>  failed:" in shown(connected.card(asked.id))
        assert "reply" in buttons(connected.card(asked.id))
        assert "The answer failed:" in " ".join(connected.thread(asked.id))
