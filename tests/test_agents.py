from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot import cases, deeds, tryouts
from bot.agents import ACTS, MOST_DEEDS, Agents, Deed
from bot.cases import Case, Channels, Effect, Label, State, put
from bot.deeds import Taken
from bot.errors import Conflict, Refused
from bot.notices import Incident
from bot.tryouts import came_in
from bot.tweets import Author, Tweet
from tests.examples import NOON, case
from tests.fakes import Clock, MemoryCases, MemoryQueue

OUT = Effect("card", "sent", outside_id="ts-1")
QUEUED = Channels(cards_queued=True, replies="on")
HELLO = "Sorry! We call you today."
LATER = NOON + timedelta(hours=1)


def may_say(tweet: Tweet, text: str) -> str | None:
    return None if text and tweet.id else "The answer is empty."


class Office:
    """Agents before a store with one case, whose card is out."""

    def __init__(self, *effects: Effect, channels: Channels = QUEUED, **fields: Any) -> None:
        self.store = MemoryCases()
        self.cards, self.replies = MemoryQueue(Clock()), MemoryQueue(Clock())
        self.answered: list[tuple[str, datetime]] = []
        self.muted: list[tuple[Author, str, datetime]] = []
        self.opted_out: list[tuple[Author, str, datetime]] = []
        self.trouble: Exception | None = None
        made = case(effects=effects, **fields)
        self.store.add([replace(made, tweet=replace(made.tweet, answer=True))])
        self.agents = Agents(
            store=self.store,
            workers={"cards": self.cards, "replies": self.replies},
            channels=channels,
            may_say=may_say,
            answers=lambda tweet, now: self.answered.append((tweet.id, now)),
            mute=self._mute,
            opt_out=lambda *noted: self.opted_out.append(noted),
            clock=Clock(),
        )

    def _mute(self, author: Author, who: str, now: datetime) -> None:
        if self.trouble:
            raise self.trouble
        self.muted.append((author, who, now))

    def act(self, do: str, who: str = "U1", case_id: str = "", **more: Any) -> Case:
        wanted = case_id or self.store.only().id
        said = {"text": HELLO, "escalate": True, "until": LATER, **more}
        return self.agents.act(Deed(do, wanted, who, **said))

    def attempts(self, kind: str = "update") -> list[int]:
        return [body["attempt"] for body in self.cards.bodies() if body["effect"] == kind]


def ready_for(do: str) -> Office:
    """An office in which that can be done."""
    return Office(OUT, assignee="U1" if do == "release" else None, resolved=do == "reopen")


def reply_of(made: Case) -> Effect:
    effect = made.effect("reply")
    assert effect is not None
    return effect


class TestADeed:
    @pytest.mark.parametrize("do", ACTS)
    def test_is_recorded_its_card_drawn_anew_and_its_thread_told(self, do: str) -> None:
        office = ready_for(do)
        changed = office.act(do)
        assert changed == office.store.only()
        assert {entry.who for entry in changed.history} == {"U1"}
        assert [line.who for line in changed.lines] == ["U1"]
        assert office.attempts() == office.attempts("line") == [1]

    @pytest.mark.parametrize("do", ACTS)
    def test_done_twice_is_done_once(self, do: str) -> None:
        office = ready_for(do)
        assert office.act(do) == office.act(do)
        assert office.attempts() == office.attempts("line") == [1]
        assert len(office.replies.sent) == (do == "reply")

    @pytest.mark.parametrize("do", ACTS)
    def test_done_while_another_agent_acts_keeps_what_both_did(self, do: str) -> None:
        office = ready_for(do)
        office.store.before_change = lambda: office.act("mute", "U2")
        changed = office.act(do, "U1")
        assert {entry.who for entry in changed.history} == {"U1", "U2"}

    @pytest.mark.parametrize("do", sorted(set(ACTS) - {"release", "reopen"}))
    def test_before_the_card_is_out_needs_no_update_and_no_line(self, do: str) -> None:
        office = Office(Effect("card", "pending", due_at=NOON))
        office.act(do)
        assert office.attempts() == office.attempts("line") == []

    def test_that_nobody_knows_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(Refused, match="«dance» is nothing an agent can do: use claim, rel"):
            Office(OUT).act("dance")

    @pytest.mark.parametrize("do", ACTS)
    def test_on_a_case_that_is_gone_is_refused_with_why(self, do: str) -> None:
        with pytest.raises(Refused, match="no longer here"):
            Office(OUT).act(do, case_id="999")

    @pytest.mark.parametrize("do", ACTS)
    def test_on_what_is_about_no_tweet_is_refused_and_leaves_it_as_it_was(self, do: str) -> None:
        office = Office(OUT, notice=Incident("burst", NOON))
        before = office.store.only()
        with pytest.raises(Refused, match="no longer here"):
            office.act(do)
        assert office.store.only() == before

    @pytest.mark.parametrize("do", sorted(set(ACTS) - {"release", "resolve", "dismiss", "relabel"}))
    def test_on_a_post_that_was_deleted_is_refused(self, do: str) -> None:
        office = ready_for(do)
        office.store.change(office.store.only().id, lambda c: cases.erased(c, NOON))
        with pytest.raises(Refused, match=r"deleted or erased|Nobody knows who wrote it"):
            office.act(do)

    def test_may_be_looked_at_before_it_is_done(self) -> None:
        office = Office(OUT)
        before = office.store.only()
        deed = Deed("claim", before.id, "U1")
        assert office.agents.check(deed).assignee == "U1"
        assert office.store.only() == before
        office.act("claim", "U2")
        with pytest.raises(Taken):
            office.agents.check(deed)


class TestADeedThatComesAgain:
    """Its message is delivered a second time, after others have acted."""

    def test_undoes_nothing_that_was_done_since(self) -> None:
        office = Office(OUT)
        office.act("claim", "U1", key="press-1")
        office.act("release", "U2", key="press-2")
        assert office.act("claim", "U1", key="press-1").assignee is None
        office.act("resolve", "U1", key="press-3")
        office.act("reopen", "U2", key="press-4")
        assert not office.act("resolve", "U1", key="press-3").resolved
        assert office.act("resolve", "U1", key="press-5").resolved

    def test_is_no_second_answer_where_the_first_may_be_public(self) -> None:
        office = Office(OUT)
        office.act("reply", key="send-1")
        uncertain = replace(reply_of(office.store.only()), state="failed", problem="Not certain.")
        office.store.change(office.store.only().id, lambda case: put(case, uncertain))
        assert reply_of(office.act("reply", key="send-1")).state == "failed"
        assert reply_of(office.act("reply", key="send-2")).state == "pending"

    def test_is_remembered_among_many(self) -> None:
        office = Office(OUT)
        for number in range(3 * MOST_DEEDS):
            office.act("claim", "U1", key=f"press-{number}")
        assert len(office.store.only().deeds) == MOST_DEEDS


class TestClaims:
    def test_the_first_one_has_the_case_and_the_second_is_told_who_and_when(self) -> None:
        office = Office(OUT)
        office.act("claim", "U1")
        with pytest.raises(Taken, match="U1 claimed it first, at 12:00 UTC") as refused:
            office.act("claim", "U2")
        assert (refused.value.who, refused.value.at) == ("U1", NOON)
        assert office.store.only().assignee == "U1"
        assert office.attempts() == [1]

    def test_in_the_same_moment_one_has_it(self) -> None:
        office = Office(OUT)
        office.store.before_change = lambda: office.act("claim", "U2")
        with pytest.raises(Taken, match="U2 claimed it first"):
            office.act("claim", "U1")
        assert office.store.only().assignee == "U2"


class TestASnooze:
    @pytest.mark.parametrize("until", [None, NOON, NOON - timedelta(hours=1)])
    def test_needs_a_time_to_come(self, until: datetime | None) -> None:
        office = Office(OUT)
        with pytest.raises(Refused, match="still to come"):
            office.act("snooze", until=until)
        assert office.store.only().snoozed_until is None


class TestAnAuthor:
    def test_is_muted_by_whoever_asked(self) -> None:
        office = Office(OUT)
        author = office.act("mute").tweet.author
        assert (office.muted, office.opted_out) == ([(author, "U1", NOON)], [])

    def test_is_opted_out_by_whoever_asked(self) -> None:
        office = Office(OUT)
        author = office.act("opt out").tweet.author
        assert (office.muted, office.opted_out) == ([], [(author, "U1", NOON)])

    def test_is_muted_when_the_deed_comes_again_after_a_crash_half_way(self) -> None:
        office = Office(OUT)
        office.trouble = Conflict("Lost races.")
        with pytest.raises(Conflict):
            office.act("mute")
        office.trouble = None
        office.act("mute")
        assert len(office.muted) == 1
        assert [entry.what for entry in office.store.only().history] == [deeds.MUTED]

    @pytest.mark.parametrize("do", ["mute", "opt out"])
    def test_whom_nobody_knows_is_refused(self, do: str) -> None:
        office = Office(OUT, tweet=Tweet("9", "Hello", "9"))
        with pytest.raises(Refused, match="Nobody knows who wrote it"):
            office.act(do)
        assert office.muted == office.opted_out == []


class TestResolving:
    def test_is_done_by_the_first(self) -> None:
        office = Office(OUT)
        office.act("resolve", "U1")
        assert office.act("resolve", "U2").resolved
        assert office.act("dismiss", "U2").label is None
        assert [entry.who for entry in office.store.only().history] == ["U1"]


class TestAnAnswer:
    def test_is_handed_to_the_worker_in_the_agents_name(self) -> None:
        office = Office(OUT)
        reply = reply_of(office.act("reply", text=f"  {HELLO}\n"))
        assert (reply.state, reply.text, reply.by) == ("pending", HELLO, "U1")
        assert office.replies.bodies() == [
            {"case": office.store.only().id, "effect": "reply", "attempt": 1}
        ]

    def test_makes_a_case_that_was_nobodys_the_agents(self) -> None:
        assert Office(OUT).act("reply").assignee == "U1"
        assert Office(OUT, assignee="U7").act("reply").assignee == "U7"

    @pytest.mark.parametrize("text", ["", "  \n"])
    def test_that_may_not_be_said_is_refused_with_why_and_leaves_nothing(self, text: str) -> None:
        office = Office(OUT)
        before = office.store.only()
        with pytest.raises(Refused, match=r"The answer is empty\."):
            office.act("reply", text=text)
        assert office.store.only() == before
        assert office.replies.sent == []

    @pytest.mark.parametrize("state", ["sending", "sent", "unknown"])
    def test_beside_one_that_is_or_may_be_public_is_refused(self, state: State) -> None:
        office = Office(OUT, Effect("reply", state, text="Hi!", token="t"))
        with pytest.raises(Refused, match="public or on its way"):
            office.act("reply")
        assert reply_of(office.store.only()).text == "Hi!"

    @pytest.mark.parametrize("state", ["pending", "dry-run", "failed"])
    def test_takes_the_place_of_the_bots_that_nobody_has_seen(self, state: State) -> None:
        office = Office(
            OUT, Effect("reply", state, attempt=3, text="Hi!", token="t", problem="No.")
        )
        reply = reply_of(office.act("reply"))
        assert (reply.state, reply.text, reply.by, reply.problem) == ("pending", HELLO, "U1", None)
        assert office.replies.bodies()[-1]["attempt"] == 4, "what was said of the other is stale"

    def test_may_be_put_better_until_it_is_on_its_way(self) -> None:
        office = Office(OUT)
        office.act("reply", "U1")
        assert reply_of(office.act("reply", "U1", text="Sorry!")).text == "Sorry!"
        assert [body["attempt"] for body in office.replies.bodies()] == [1, 2]

    def test_is_not_replaced_by_another_agents(self) -> None:
        office = Office(OUT)
        office.act("reply", "U1")
        with pytest.raises(Refused, match="Another agent's answer is on its way"):
            office.act("reply", "U2", text="Sorry!")
        assert reply_of(office.store.only()).by == "U1"

    def test_that_was_sent_is_not_repeated(self) -> None:
        office = Office(OUT)
        made = office.act("reply")
        office.store.change(made.id, sending_and(sent))
        assert reply_of(office.act("reply")).state == "sent"
        assert len(office.replies.sent) == 1

    def test_that_failed_may_be_tried_again(self) -> None:
        office = Office(OUT)
        made = office.act("reply")
        office.store.change(made.id, sending_and(refused))
        assert reply_of(office.act("reply")).state == "pending"
        assert [body["attempt"] for body in office.replies.bodies()] == [1, 2]

    def test_makes_the_case_what_its_conversation_goes_on_with(self) -> None:
        office = Office(OUT)
        made = office.store.only()
        tweet = replace(made.tweet, conversation_id="9")
        office.store.change(made.id, lambda case: replace(case, tweet=tweet))
        office.act("claim")
        assert office.store.note("conversation-9-77")["head"] == made.id

    def test_keeps_the_bot_out_of_its_conversation(self) -> None:
        office = Office(OUT)
        office.act("claim")
        assert office.answered == []
        office.act("reply")
        assert office.answered == [(office.store.only().id, NOON)]

    def test_to_a_post_from_a_file_or_a_keyboard_is_a_dry_run(self) -> None:
        office = Office(OUT)
        office.store.change(
            office.store.only().id, lambda c: replace(c, tweet=replace(c.tweet, answer=False))
        )
        reply = reply_of(office.act("reply"))
        assert (reply.state, reply.text, reply.by, reply.due_at) == ("dry-run", HELLO, "U1", None)
        assert office.replies.sent == []

    def test_to_a_post_that_was_deleted_is_refused(self) -> None:
        office = Office(OUT)
        office.store.change(office.store.only().id, lambda c: cases.erased(c, NOON))
        with pytest.raises(Refused, match="deleted or erased"):
            office.act("reply")


Change = Callable[[Case], Case]


def sent(made: Case) -> Case:
    return cases.sent(made, "reply", "token", "20", NOON)


def refused(made: Case) -> Case:
    return cases.failed(made, "reply", "token", "X refuses.", QUEUED, NOON)


def sending_and(then: Change) -> Change:
    return lambda made: then(cases.begun(made, "reply", "token", NOON))


class TestALabel:
    def test_says_that_a_person_was_needed_and_has_a_card_made(self) -> None:
        office = Office(route="skip")
        changed = office.act("relabel")
        assert changed.label == Label(True, "U1", NOON, "starter")
        assert changed.route == "escalate"
        assert changed.reasons[-1] == "An agent says that it needs a person."
        assert office.cards.bodies() == [{"case": changed.id, "effect": "card", "attempt": 1}]

    def test_has_the_card_on_the_console_at_once_where_that_is_the_channel(self) -> None:
        office = Office(route="skip", channels=Channels(cards_queued=False, replies="dry-run"))
        assert office.act("relabel").effects == (Effect("card", "sent"),)
        assert office.cards.sent == []

    def test_says_that_nobody_was_needed_and_leaves_the_case_where_it_is(self) -> None:
        changed = Office(OUT).act("relabel", escalate=False)
        assert changed.label == Label(False, "U1", NOON, "starter")
        assert (changed.route, changed.resolved) == ("escalate", False)
        assert changed.history[-1].what == "label: answer"

    @pytest.mark.parametrize("escalate", [True, False])
    def test_on_what_is_no_post_is_a_label_and_nothing_else(self, escalate: bool) -> None:
        office = Office(route="skip", reasons=(tryouts.REASON,), resolved=True)
        before = office.store.only()
        changed = office.act("relabel", escalate=escalate)
        assert changed.label == Label(escalate, "U1", NOON, "starter")
        assert changed == replace(before, label=changed.label, history=changed.history)
        assert not came_in(changed), "it is still known as one that somebody tried"
        assert office.cards.sent == []

    def test_may_be_taken_back(self) -> None:
        office = Office(OUT)
        office.act("relabel", escalate=False)
        assert office.act("relabel", "U2").label == Label(True, "U2", NOON, "starter")
        assert [entry.what for entry in office.store.only().history] == [
            "label: answer",
            "label: escalate",
        ]
