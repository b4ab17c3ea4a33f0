"""What agents press on cards: what becomes of the case, its card, its thread, and who is told."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot import cases, deeds
from bot.cases import Case, Effect
from bot.ports import Outgoing
from bot.tweets import Author
from tests.examples import NOON, case
from tests.standins.server import Fault
from tests.standins.slack import refused
from tests.test_cards import tweeted
from tests.workspace import AGENT, OTHER, Message, Unreachable, Workspace, buttons, shown, workspace

TOMORROW_AT_NINE = NOON.replace(hour=9) + timedelta(days=1)
GONE = "This case is no longer here: its time was over or its author erased it."


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        yield made


@pytest.fixture
def card(office: Workspace) -> Message:
    return office.carded(case())


def mine() -> Case:
    return deeds.claimed(case(), AGENT, NOON)


def done() -> Case:
    return deeds.resolved(case(), OTHER, NOON)


class TestAButton:
    @pytest.mark.parametrize(
        ("before", "button", "becomes", "thread", "says"),
        [
            (case(), "claim", {"assignee": AGENT}, "claimed it.", "Claimed by  <@U0AGENT>"),
            (mine(), "release", {"assignee": None}, "released it.", "Claim"),
            (mine(), "resolve", {"resolved": True}, "resolved it.", "Resolved by  <@U0AGENT>"),
            (
                case(),
                "dismiss",
                {"resolved": True},
                "resolved it: it needed nobody.",
                ": it needed nobody.",
            ),
            (done(), "reopen", {"resolved": False}, "reopened it.", "Resolve"),
        ],
    )
    def test_changes_the_case_its_card_and_tells_the_thread(
        self,
        office: Workspace,
        before: Case,
        button: str,
        becomes: dict[str, object],
        thread: str,
        says: str,
    ) -> None:
        card = office.carded(before)
        office.does(office.pressed(button, card))
        after = office.case(before.id)
        assert {name: getattr(after, name) for name in becomes} == becomes
        assert AGENT in [entry.who for entry in after.history if entry not in before.history]
        assert office.thread(before.id) == [f"<@{AGENT}> {thread}"]
        assert says in shown(office.card(before.id))
        assert button not in buttons(office.card(before.id))
        assert office.whispers() == [], "the card says it all"

    def test_pressed_twice_does_it_once(self, office: Workspace, card: Message) -> None:
        press = office.pressed("claim", card)
        for _ in ("once", "and again, as Slack delivered it twice"):
            office.does(press)
        after = office.case(case().id)
        assert [entry.what for entry in after.history if entry.who == AGENT] == [deeds.CLAIMED]
        assert len(office.thread(case().id)) == 1
        assert office.whispers() == []

    def test_whose_message_comes_twice_does_it_once(self, office: Workspace, card: Message) -> None:
        office.asked(office.pressed("dismiss", card))
        [action] = office.bot.actions.receive(1)
        office.bot.actions.delete([action.receipt])
        office.bot.actions.send([Outgoing(action.body)] * 2)
        assert office.works() == office.draws() == 0
        assert office.thread(case().id) == [f"<@{AGENT}> resolved it: it needed nobody."]

    def test_that_needs_nobody_labels_the_case(self, office: Workspace, card: Message) -> None:
        office.does(office.pressed("dismiss", card))
        label = office.case(case().id).label
        assert label
        assert (label.escalate, label.who, label.at, label.model) == (False, AGENT, NOON, "starter")

    def test_that_it_was_needed_labels_the_case_and_leaves_it_open(
        self, office: Workspace, card: Message
    ) -> None:
        office.does(office.pressed("relabel yes", card))
        office.does(office.pressed("relabel yes", office.card(case().id), OTHER))
        after = office.case(case().id)
        assert after.label
        assert (after.label.escalate, after.label.who) == (True, OTHER), "the last word"
        assert after.open
        assert office.thread(case().id) == [
            f"<@{who}> says that it needs a person." for who in (AGENT, OTHER)
        ]
        assert office.card(case().id)["text"].startswith("Needs a person.")

    def test_that_resolves_folds_the_card_and_reopening_unfolds_it(
        self, office: Workspace, card: Message
    ) -> None:
        whole = office.card(case().id)["blocks"]
        office.does(office.pressed("resolve", card))
        folded = office.card(case().id)
        assert buttons(folded) == ["reopen"]
        assert len(json.dumps(folded["blocks"])) < len(json.dumps(whole)) / 2
        office.does(office.pressed("reopen", folded))
        assert office.card(case().id)["blocks"] == whole

    def test_that_opens_a_page_is_acknowledged_and_asks_nothing(
        self, office: Workspace, card: Message
    ) -> None:
        office.asked(office.pressed("open", card))
        assert office.queued() == []

    @pytest.mark.parametrize("before", [mine(), done()])
    def test_is_offered_only_where_it_does_something(self, office: Workspace, before: Case) -> None:
        card = office.carded(before)
        with pytest.raises(LookupError):
            office.pressed("claim", card)


class TestTwoAgentsWhoClaimInTheSameSecond:
    def test_the_second_is_told_who_was_first(self, office: Workspace, card: Message) -> None:
        for who in (AGENT, OTHER):
            office.asked(office.pressed("claim", card, who))
        assert office.works() == office.draws() == 0
        assert office.case(case().id).assignee == AGENT
        assert office.thread(case().id) == [f"<@{AGENT}> claimed it."]
        assert office.whisper() == (
            f"<@{AGENT}> claimed it first, at 12:00 UTC: ask them, or release it."
        )
        told = next(url for url, sent in office.slack.responses.items() if sent)
        assert told == max(office.slack.responses, key=int), "and only the second"

    def test_the_second_is_told_so_although_the_first_has_it_done_by_then(
        self, office: Workspace, card: Message
    ) -> None:
        office.asked(office.pressed("resolve", card))
        office.asked(office.pressed("claim", card, OTHER))
        assert office.works() == 0
        assert office.whisper() == f"It was resolved by <@{AGENT}>: reopen it first."


class TestAChoiceOfTheMenu:
    def test_says_that_the_label_is_wrong(self, office: Workspace, card: Message) -> None:
        office.does(office.chosen("relabel no", card))
        after = office.case(case().id)
        assert after.label
        assert (after.label.escalate, after.label.who, after.label.at) == (False, AGENT, NOON)
        assert after.label.model == "starter"
        assert after.open, "whoever pressed may have more to do"
        assert office.thread(case().id) == [f"<@{AGENT}> says that it needs nobody."]
        assert office.card(case().id)["text"].startswith("Marked as needing nobody.")

    def test_takes_that_back(self, office: Workspace, card: Message) -> None:
        office.does(office.chosen("relabel no", card))
        office.does(office.pressed("relabel yes", office.card(case().id), OTHER))
        label = office.case(case().id).label
        assert label
        assert (label.escalate, label.who) == (True, OTHER)

    def test_of_an_older_card_is_done_all_the_same(self, office: Workspace, card: Message) -> None:
        older = office.slack.overflow(
            "more", "relabel yes", card, block_id=f"case {case().id}", now=time.time()
        )
        office.does(older)
        label = office.case(case().id).label
        assert label
        assert label.escalate

    @pytest.mark.parametrize(
        ("choice", "until"),
        [("snooze hour", NOON + timedelta(hours=1)), ("snooze morning", TOMORROW_AT_NINE)],
    )
    def test_snoozes_the_case_from_the_press_on(
        self, office: Workspace, card: Message, choice: str, until: datetime
    ) -> None:
        press = office.chosen(choice, card)
        for _ in ("once", "again"):
            office.asked(press)
            office.clock.wait(600)
            assert office.works() == office.draws() == 0
        assert office.case(case().id).snoozed_until == until
        assert office.thread(case().id) == [f"<@{AGENT}> snoozed it."]
        assert "Snoozed  by  <@U0AGENT>" in shown(office.card(case().id))

    def test_mutes_the_author_and_tells_how_to_undo_it(
        self, office: Workspace, card: Message
    ) -> None:
        author = case().tweet.author
        office.does(office.chosen("mute", card))
        assert office.bot.mutes.muted(author)
        assert not office.bot.opt_outs.opted_out(author)
        assert office.thread(case().id) == [f"<@{AGENT}> muted its author."]
        assert "muted its author" in shown(office.card(case().id))
        assert office.whisper() == (
            "What @river_example writes makes no cards, unless a rule always escalates it. "
            "`/triage find @river_example` undoes it."
        )

    def test_keeps_the_bot_from_the_author_and_tells_how_to_undo_it(
        self, office: Workspace, card: Message
    ) -> None:
        author = case().tweet.author
        office.does(office.chosen("opt out", card))
        assert office.bot.opt_outs.opted_out(author)
        assert not office.bot.mutes.muted(author)
        assert "keeps the bot from answering its author" in shown(office.card(case().id))
        assert office.whisper() == (
            "The bot never answers @river_example any more. `/triage find @river_example` undoes "
            "it, unless they asked for it themselves."
        )

    def test_about_an_author_is_refused_where_nobody_knows_who_it_was(
        self, office: Workspace
    ) -> None:
        card = office.carded(tweeted(case(), author=Author(name="Kim")))
        choice = office.slack.overflow(
            "more", "mute", card, block_id=f"case {case().id}", now=time.time()
        )
        office.does(choice)
        assert office.whisper() == "Nobody knows who wrote it, so there is nothing to do."


def gone(office: Workspace) -> None:
    """What retention leaves: a card without a case."""
    with office.bot.database.writing() as connection:
        connection.execute("DELETE FROM cases")


def erased(office: Workspace) -> None:
    office.bot.store.change(case().id, lambda one: cases.erased(one, NOON))


def resolved(office: Workspace) -> None:
    office.bot.store.change(case().id, lambda one: deeds.resolved(one, OTHER, NOON))


class TestACardThatIsBehindItsCase:
    @pytest.mark.parametrize(
        ("becomes", "button", "told"),
        [
            (gone, "claim", GONE),
            (gone, "resolve", GONE),
            (gone, "dismiss", GONE),
            (erased, "claim", "The post was deleted or erased, so there is nothing to do."),
            (erased, "resolve", None),
            (resolved, "claim", f"It was resolved by <@{OTHER}>: reopen it first."),
            (resolved, "dismiss", None),
        ],
    )
    def test_tells_whoever_presses(
        self,
        office: Workspace,
        card: Message,
        becomes: Callable[[Workspace], None],
        button: str,
        told: str | None,
    ) -> None:
        becomes(office)
        office.asked(office.pressed(button, card))
        assert office.works() == 0
        assert [one["text"] for one in office.whispers()] == ([told] if told else [])

    @pytest.mark.parametrize("choice", ["relabel no", "snooze hour", "mute", "opt out"])
    def test_tells_whoever_chooses(self, office: Workspace, card: Message, choice: str) -> None:
        gone(office)
        office.asked(office.chosen(choice, card))
        assert office.works() == 0
        assert office.whisper() == GONE
        assert not office.bot.mutes.muted(case().tweet.author)


class TestTheHomeTab:
    @pytest.fixture
    def home(self, office: Workspace, card: Message) -> Message:
        assert card in office.slack.messages
        office.does(office.looked_at_home())
        return office.slack.homes[AGENT]

    def test_is_drawn_anew_when_something_is_pressed_on_it(
        self, office: Workspace, home: Message
    ) -> None:
        assert buttons(home) == ["claim"]
        office.does(office.pressed("claim", home))
        assert office.case(case().id).assignee == AGENT
        assert buttons(office.slack.homes[AGENT]) == ["reply", "resolve", "release"]
        office.does(office.pressed("resolve", office.slack.homes[AGENT]))
        assert office.case(case().id).resolved
        assert buttons(office.slack.homes[AGENT]) == []
        assert office.slack.ephemerals == []

    def test_of_a_slow_agent_is_drawn_anew_and_tells_who_was_first(
        self, office: Workspace, card: Message, home: Message
    ) -> None:
        office.does(office.pressed("claim", card, OTHER))
        office.does(office.pressed("claim", home))
        drawn = office.slack.homes[AGENT]
        assert shown(drawn).startswith(f"<@{OTHER}>  claimed it first, at 12:00 UTC: ask them")
        assert buttons(drawn) == []
        assert office.slack.ephemerals == office.whispers() == []

    def test_tells_it_once(self, office: Workspace, card: Message, home: Message) -> None:
        office.does(office.pressed("claim", card, OTHER))
        office.does(office.pressed("claim", home))
        office.does(office.looked_at_home())
        assert "claimed it first" not in shown(office.slack.homes[AGENT])

    @pytest.mark.usefixtures("card")
    def test_tells_too_why_its_form_did_not_open(self, office: Workspace, home: Message) -> None:
        office.does(office.pressed("claim", home))
        office.slack.faults.append(refused("expired_trigger_id", "views.open"))
        office.does(office.pressed("reply", office.slack.homes[AGENT]))
        assert shown(office.slack.homes[AGENT]).startswith("Slack was too slow to open it")
        assert office.slack.ephemerals == []

    def test_that_cannot_be_drawn_is_given_up(
        self, office: Workspace, card: Message, home: Message
    ) -> None:
        office.does(office.pressed("claim", card, OTHER))
        office.slack.faults.append(refused("not_enabled", "views.publish"))
        office.does(office.pressed("claim", home))
        assert office.bot.actions.depth() == (0, 0)

    def test_stays_as_it_is_when_something_is_pressed_on_a_card(
        self, office: Workspace, card: Message, home: Message
    ) -> None:
        office.does(office.pressed("claim", card))
        assert office.slack.homes[AGENT] == home


class TestWhoIsTold:
    def test_is_told_once_more_when_slack_asks_to_slow_down(
        self, office: Workspace, card: Message
    ) -> None:
        office.slack.faults.append(Fault("status", 429, where="/response/"))
        office.asked(office.chosen("mute", card))
        assert office.works() == 1
        assert office.bot.actions.depth() == (1, 0), "it comes again later"
        assert office.whispers() == []
        assert office.bot.mutes.muted(case().tweet.author)

    @pytest.mark.parametrize(
        "fault", [Fault("lost", where="/response/"), Fault("status", 404, where="/response/")]
    )
    def test_misses_it_rather_than_have_it_done_twice(
        self, office: Workspace, card: Message, fault: Fault
    ) -> None:
        office.slack.faults.append(fault)
        office.does(office.chosen("mute", card))
        assert office.bot.mutes.muted(case().tweet.author)


class TestTheQueueOfActions:
    def test_waits_where_the_store_does_not_answer(self, office: Workspace, card: Message) -> None:
        office.asked(office.pressed("claim", card))
        office.bot.store = Unreachable()
        assert office.works() == 1
        assert office.bot.actions.depth() == (1, 0)
        assert office.whispers() == []

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "[]",
            "5",
            '{"do": "classify"}',
            '{"do": "act", "deed": "claim", "case": 5, "who": "U"}',
            '{"do": "dance", "case": "1", "who": "U"}',
        ],
    )
    def test_leaves_what_makes_no_sense_to_the_dead_letters_alone(
        self, office: Workspace, card: Message, body: str
    ) -> None:
        office.bot.actions.send([Outgoing(body)])
        office.asked(office.pressed("claim", card))
        office.works()
        assert office.bot.actions.depth() == (0, 1)
        assert office.case(case().id).assignee == AGENT

    @pytest.mark.usefixtures("card")
    @pytest.mark.parametrize(
        ("deed", "told"), [("dance", "is nothing an agent can do"), ("reply", "is empty")]
    )
    def test_tells_whoever_asked_for_what_nobody_can_do(
        self, office: Workspace, deed: str, told: str
    ) -> None:
        asked = {"do": "act", "deed": deed, "case": case().id, "who": AGENT}
        office.bot.actions.send([Outgoing(json.dumps(asked))])
        assert office.works() == 0
        [whispered] = office.slack.ephemerals
        assert (whispered["user"], told in whispered["text"]) == (AGENT, True)
        assert [entry.who for entry in office.case(case().id).history] == ["bot"]


def test_a_card_pressed_before_it_is_known_to_be_posted_changes_its_case_all_the_same(
    office: Workspace,
) -> None:
    office.bot.store.add([case(effects=(Effect("card", "sending", token="t"),))])
    message = {"ts": "1.2", "channel": office.slack.channel}
    office.asked(office.slack.button("claim", case().id, message, now=time.time()))
    assert office.works() == 0
    assert office.case(case().id).assignee == AGENT


def test_what_is_typed_in_the_thread_of_a_card_never_becomes_public(
    office: Workspace, card: Message
) -> None:
    typed = {
        "type": "message",
        "channel": office.slack.channel,
        "user": AGENT,
        "text": "We will refund you!",
        "thread_ts": card["ts"],
        "ts": "1793620801.000001",
    }
    office.does(office.slack.event(typed, now=time.time()))
    assert office.case(case().id).effect("reply") is None
    assert office.bot.replies.depth() == (0, 0)
