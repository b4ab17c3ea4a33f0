"""What agents do to a case, and what its thread is told of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot import cases, deeds
from bot.cases import Case, Channels, Effect, Entry, Label, State
from bot.deeds import LABELS, Taken
from bot.errors import Refused
from bot.policy import Decision
from bot.tweets import Author, Tweet
from tests.examples import NOON, case
from tests.test_cases import (
    CONSOLE,
    ESCALATE,
    FILE,
    LATER,
    MENTION,
    OUT,
    QUEUED,
    REPLY,
    SKIP,
    fail,
    opened,
    postpone,
    the,
    with_effect,
    with_effects,
)

MINUTE = timedelta(minutes=1)
REMINDING = replace(QUEUED, remind=lambda now: now + 15 * MINUTE)

Deed = Callable[[Case], Case]
DEEDS: dict[str, tuple[dict[str, Any], Deed]] = {
    deeds.CLAIMED: ({}, lambda c: deeds.claimed(c, "U1", NOON)),
    deeds.RELEASED: ({"assignee": "U7"}, lambda c: deeds.released(c, "U1", QUEUED, NOON)),
    deeds.RESOLVED: ({}, lambda c: deeds.resolved(c, "U1", NOON)),
    deeds.DISMISSED: ({}, lambda c: deeds.dismissed(c, "U1", NOON)),
    deeds.REOPENED: ({"resolved": True}, lambda c: deeds.reopened(c, "U1", QUEUED, NOON)),
    deeds.SNOOZED: ({}, lambda c: deeds.snoozed(c, LATER, "U1", NOON)),
    deeds.MUTED: ({}, lambda c: deeds.noted(c, "U1", deeds.MUTED, NOON)),
    deeds.OPTED_OUT: ({}, lambda c: deeds.noted(c, "U1", deeds.OPTED_OUT, NOON)),
}


def lines(made: Case) -> list[str]:
    return [f"{line.who} {line.what}" for line in made.lines]


@pytest.mark.parametrize("what", DEEDS)
class TestEachDeed:
    def test_is_told_in_the_story_in_the_thread_and_on_the_card(self, what: str) -> None:
        before, deed = DEEDS[what]
        after = deed(case(effects=(OUT,), **before))
        assert after.last(what) == Entry(NOON, "U1", what)
        assert len(lines(after)) == 1
        assert lines(after)[0].startswith("U1 ")
        assert the("update", after).state == the("line", after).state == "pending"

    def test_done_again_changes_nothing(self, what: str) -> None:
        before, deed = DEEDS[what]
        once = deed(case(effects=(OUT,), **before))
        assert deed(once) is once


class TestAClaim:
    def test_of_what_another_has_tells_who_was_first_and_since_when(self) -> None:
        mine = deeds.claimed(case(), "U1", NOON)
        with pytest.raises(Taken, match="U1 claimed it first, at 12:00 UTC") as refused:
            deeds.claimed(mine, "U2", LATER)
        assert (refused.value.who, refused.value.at) == ("U1", NOON)

    def test_of_what_came_with_its_conversation_tells_since_when_too(self) -> None:
        with pytest.raises(Taken) as refused:
            deeds.claimed(case(assignee="U1"), "U2", LATER)
        assert refused.value.at == NOON

    def test_is_the_next_ones_after_a_release(self) -> None:
        free = deeds.released(deeds.claimed(case(), "U1", NOON), "U9", QUEUED, NOON)
        assert free.assignee is None
        theirs = deeds.claimed(free, "U2", LATER)
        assert (theirs.assignee, deeds.since(theirs)) == ("U2", LATER)

    def test_of_what_is_done_tells_who_did_it(self) -> None:
        with pytest.raises(Refused, match="It was resolved by U1: reopen it first"):
            deeds.claimed(deeds.resolved(case(), "U1", NOON), "U2", NOON)
        with pytest.raises(Refused, match="It was resolved: reopen it first"):
            deeds.claimed(case(resolved=True), "U2", NOON)

    def test_of_a_post_that_is_gone_is_refused(self) -> None:
        with pytest.raises(Refused, match="deleted or erased"):
            deeds.claimed(cases.erased(case(), NOON), "U1", NOON)

    def test_asked_for_again_when_it_is_done_changes_nothing(self) -> None:
        done = deeds.resolved(deeds.claimed(case(), "U1", NOON), "U1", NOON)
        assert deeds.claimed(done, "U1", LATER) is done


class TestARelease:
    @pytest.mark.parametrize("fields", [{}, {"assignee": "U1", "resolved": True}])
    def test_of_what_nobody_has_or_is_done_changes_nothing(self, fields: dict[str, Any]) -> None:
        before = case(**fields)
        assert deeds.released(before, "U1", REMINDING, NOON) is before

    def test_has_it_brought_to_mind_again(self) -> None:
        after = deeds.released(case(assignee="U1"), "U1", REMINDING, LATER)
        assert after.remind_at == LATER + 15 * MINUTE

    def test_of_what_is_snoozed_leaves_it_so(self) -> None:
        after = deeds.released(case(assignee="U1", snoozed_until=LATER), "U1", REMINDING, NOON)
        assert (after.remind_at, after.snoozed_until) == (None, LATER)


class TestDoneWith:
    @pytest.mark.parametrize("what", [deeds.RESOLVED, deeds.DISMISSED])
    def test_is_nobodys_to_be_reminded_of(self, what: str) -> None:
        after = DEEDS[what][1](case(remind_at=LATER, snoozed_until=LATER))
        assert (after.resolved, after.remind_at, after.snoozed_until) == (True, None, None)

    def test_as_not_needed_is_labelled_with_who_when_and_which_model(self) -> None:
        after = deeds.dismissed(case(), "U1", LATER)
        assert after.label == Label(False, "U1", LATER, "starter")
        assert deeds.resolved(case(), "U1", NOON).label is None

    def test_is_done_once_by_the_first(self) -> None:
        done = deeds.resolved(case(), "U1", NOON)
        assert deeds.resolved(done, "U2", LATER) is done
        assert deeds.dismissed(done, "U2", LATER) is done

    def test_may_be_reopened_with_whoever_had_it(self) -> None:
        done = deeds.resolved(case(assignee="U1"), "U1", NOON)
        again = deeds.reopened(done, "U2", REMINDING, NOON)
        assert (again.open, again.assignee, again.remind_at) == (True, "U1", None)
        nobodys = deeds.reopened(deeds.resolved(case(), "U1", NOON), "U2", REMINDING, NOON)
        assert nobodys.remind_at == NOON + 15 * MINUTE

    def test_for_a_post_that_is_gone_stays_so(self) -> None:
        with pytest.raises(Refused, match="deleted or erased"):
            deeds.reopened(cases.erased(case(), NOON), "U1", QUEUED, NOON)

    def test_cannot_be_snoozed(self) -> None:
        with pytest.raises(Refused, match="reopen it first"):
            deeds.snoozed(case(resolved=True), LATER, "U1", NOON)


class TestAReminder:
    def test_is_told_once_when_it_is_due(self) -> None:
        waiting = case(effects=(OUT,), remind_at=NOON)
        assert deeds.due(waiting, NOON - MINUTE) is waiting
        told = deeds.due(waiting, NOON)
        assert (lines(told), told.remind_at) == (["bot Nobody has claimed it yet."], None)
        assert told.last("reminded") == Entry(NOON, "bot", "reminded")
        assert deeds.due(told, LATER) is told

    @pytest.mark.parametrize(
        "fields", [{"assignee": "U1"}, {"resolved": True}, {"erased": True}, {"route": "skip"}]
    )
    def test_of_what_somebody_has_or_is_done_is_not_told(self, fields: dict[str, Any]) -> None:
        after = deeds.due(case(effects=(OUT,), remind_at=NOON, **fields), NOON)
        assert (after.lines, after.remind_at, after.last("reminded")) == ((), None, None)

    @pytest.mark.parametrize(
        "deed", [deeds.CLAIMED, deeds.RESOLVED, deeds.DISMISSED, deeds.SNOOZED]
    )
    def test_is_over_when_somebody_does_something(self, deed: str) -> None:
        assert DEEDS[deed][1](case(effects=(OUT,), remind_at=LATER)).remind_at is None

    def test_is_over_when_somebody_answers_or_it_is_erased(self) -> None:
        waiting = replace(opened(ESCALATE, REMINDING), effects=(OUT,))
        assert waiting.remind_at
        assert deeds.answered(waiting, "Sorry!", "U1", NOON).remind_at is None
        assert cases.erased(waiting, NOON).remind_at is None

    def test_waits_for_a_card_that_is_not_out_yet(self) -> None:
        stuck = case(effects=(Effect("card", "pending", problem="No."),), remind_at=NOON)
        later = deeds.due(stuck, NOON)
        assert (later.lines, later.remind_at) == ((), NOON + deeds.NOT_OUT_YET)
        out = deeds.due(replace(later, effects=(OUT,)), NOON + deeds.NOT_OUT_YET)
        assert lines(out) == ["bot Nobody has claimed it yet."]

    @pytest.mark.parametrize("card", [Effect("card", "failed"), Effect("card", "sent")])
    def test_of_a_card_that_is_not_in_slack_is_not_told(self, card: Effect) -> None:
        after = deeds.due(case(effects=(card,), remind_at=NOON), NOON)
        assert (after.lines, after.remind_at, after.history) == ((), None, ())


class TestTheEndOfASnooze:
    def test_is_told_to_whoever_asked_once(self) -> None:
        before = deeds.snoozed(case(effects=(OUT,), remind_at=LATER), LATER, "U1", NOON)
        assert deeds.due(before, NOON) is before
        after = deeds.due(before, LATER)
        assert lines(after)[-1] == "U1 wanted to be told of it now."
        assert (after.snoozed_until, after.last("the snooze is over")) == (
            None,
            Entry(LATER, "bot", "the snooze is over"),
        )
        assert the("update", after).state == "pending"
        assert deeds.due(after, LATER + MINUTE) is after

    def test_is_told_when_nobody_knows_who_asked(self) -> None:
        after = deeds.due(case(effects=(OUT,), snoozed_until=NOON), NOON)
        assert lines(after) == ["bot The snooze is over."]

    def test_may_be_put_off(self) -> None:
        before = deeds.snoozed(case(effects=(OUT,)), LATER, "U1", NOON)
        again = deeds.snoozed(before, LATER + MINUTE, "U2", NOON)
        assert deeds.due(again, LATER) is again
        assert lines(deeds.due(again, LATER + MINUTE))[-1].startswith("U2 ")


class TestANoteOfItsAuthor:
    def test_by_another_agent_is_told_too(self) -> None:
        once = deeds.noted(case(effects=(OUT,)), "U1", deeds.MUTED, NOON)
        assert lines(deeds.noted(once, "U2", deeds.MUTED, NOON)) == [
            "U1 muted its author.",
            "U2 muted its author.",
        ]

    def test_of_whom_nothing_is_known_is_refused(self) -> None:
        with pytest.raises(Refused, match="Nobody knows who wrote it"):
            deeds.noted(case(tweet=replace(MENTION, author=Author())), "U1", deeds.MUTED, NOON)
        known = Tweet("1", "Hello", "1", Author(None, "mira"))
        assert deeds.noted(case(tweet=known), "U1", deeds.MUTED, NOON).last(deeds.MUTED)


class TestAnAnswerOfAnAgent:
    def test_waits_for_its_worker_and_makes_the_case_the_agents(self) -> None:
        after = deeds.answered(opened(ESCALATE, QUEUED), "Sorry!", "U1", NOON)
        assert the("reply", after) == Effect(
            "reply", "pending", due_at=NOON + cases.UNQUEUED_AFTER, text="Sorry!", by="U1"
        )
        assert (after.assignee, after.history[-1]) == ("U1", Entry(NOON, "U1", "answered: Sorry!"))

    def test_is_told_in_the_thread_for_what_it_is(self) -> None:
        public = replace(opened(ESCALATE, QUEUED), effects=(OUT,))
        assert lines(deeds.answered(public, "Sorry!", "U1", NOON)) == ["U1 answers it in public."]
        dry = replace(public, tweet=FILE)
        [line] = lines(deeds.answered(dry, "Sorry!", "U1", NOON))
        assert line == "U1 noted an answer, which is not sent."

    def test_asked_for_again_changes_nothing(self) -> None:
        once = deeds.answered(opened(ESCALATE, QUEUED), "Sorry!", "U1", NOON)
        assert deeds.answered(once, "Sorry!", "U1", LATER) is once
        dry = deeds.answered(opened(ESCALATE, QUEUED, FILE), "Sorry!", "U1", NOON)
        assert the("reply", dry).state == "dry-run"
        assert deeds.answered(dry, "Sorry!", "U1", LATER) is dry

    @pytest.mark.parametrize("state", ["sending", "sent", "unknown"])
    def test_asked_for_again_when_it_is_or_may_be_public_changes_nothing(
        self, state: State
    ) -> None:
        before = with_effect(state, "reply", by="U1")
        assert deeds.answered(before, "Hi @mira!", "U1", NOON) is before
        for text, who in (("Hi!", "U1"), ("Hi @mira!", "U2")):
            with pytest.raises(Refused, match="look at the post on X"):
                deeds.answered(before, text, who, NOON)

    def test_takes_the_place_of_the_bots_at_an_attempt_of_its_own(self) -> None:
        for channels in (QUEUED, CONSOLE):
            before = opened(REPLY, channels)
            reply = the("reply", deeds.answered(before, "Sorry!", "U1", NOON))
            assert (reply.state, reply.attempt, reply.text, reply.by) == (
                "pending",
                2,
                "Sorry!",
                "U1",
            )

    def test_that_failed_is_told_and_may_be_tried_again(self) -> None:
        before = with_effects(OUT, Effect("reply", "sending", token="mine", text="Sorry!", by="U1"))
        gone = fail(before, "reply", "mine")
        assert gone.reasons[-1] == "The answer failed: Refused."
        assert the("update", gone).state == "pending"
        again = the("reply", deeds.answered(gone, "Sorry!", "U1", NOON))
        assert (again.state, again.token, again.problem) == ("pending", None, None)

    def test_to_a_post_that_is_gone_is_refused(self) -> None:
        with pytest.raises(Refused, match="nothing to answer"):
            deeds.answered(cases.erased(opened(REPLY, QUEUED), NOON), "Sorry!", "U1", NOON)


class TestALabel:
    @pytest.mark.parametrize("escalate", [True, False])
    def test_is_given_once(self, escalate: bool) -> None:
        once = deeds.relabelled(opened(SKIP, QUEUED), escalate, "U1", QUEUED, NOON)
        assert once.label == Label(escalate, "U1", NOON, None)
        assert deeds.relabelled(once, escalate, "U1", QUEUED, LATER) is once

    @pytest.mark.parametrize("escalate", [True, False])
    def test_is_heard_from_a_second_person_too(self, escalate: bool) -> None:
        once = deeds.relabelled(opened(SKIP, QUEUED), escalate, "U1", QUEUED, NOON)
        twice = deeds.relabelled(once, escalate, "U2", QUEUED, LATER)
        assert twice.label == Label(escalate, "U2", LATER, None)
        assert [entry.who for entry in twice.history if entry.what == LABELS[escalate]] == [
            "U1",
            "U2",
        ]
        assert (twice.route, twice.reasons) == (once.route, once.reasons), "and nothing else comes"
        assert twice.effects == once.effects
        for who in ("U1", "U2"):
            assert deeds.relabelled(twice, escalate, who, QUEUED, LATER) is twice

    def test_is_heard_from_whoever_comes_back_to_it(self) -> None:
        after = opened(SKIP, QUEUED)
        for who, escalate in (("U1", True), ("U2", False), ("U1", True)):
            after = deeds.relabelled(after, escalate, who, QUEUED, NOON)
        assert after.label == Label(True, "U1", NOON, None)
        again = deeds.relabelled(after, True, "U2", QUEUED, NOON)
        assert again.label == Label(True, "U2", NOON, None), "who had said otherwise"

    def test_is_heard_again_after_the_post_was_edited(self) -> None:
        once = deeds.relabelled(opened(SKIP, QUEUED), True, "U1", QUEUED, NOON)
        edited = cases.told(once, LATER, "author", cases.EDITED)
        after = deeds.relabelled(edited, True, "U1", QUEUED, LATER)
        assert after.label == Label(True, "U1", LATER, None)
        assert deeds.relabelled(after, True, "U1", QUEUED, LATER) is after

    @pytest.mark.parametrize("channels", [QUEUED, CONSOLE])
    @pytest.mark.parametrize("decision", [REPLY, SKIP])
    def test_that_a_person_was_needed_brings_the_card(
        self, decision: Decision, channels: Channels
    ) -> None:
        after = deeds.relabelled(opened(decision, channels), True, "U1", channels, NOON)
        assert after.route == "escalate"
        assert the("card", after).state == ("pending" if channels.cards_queued else "sent")
        assert after.reasons == (*decision.reasons, "An agent says that it needs a person.")

    @pytest.mark.parametrize("channels", [QUEUED, CONSOLE])
    def test_that_a_person_was_needed_withdraws_the_bots_answer(self, channels: Channels) -> None:
        reply = the("reply", deeds.relabelled(opened(REPLY, channels), True, "U1", channels, NOON))
        assert (reply.state, reply.text, reply.due_at) == ("failed", None, None)
        assert reply.problem == "An agent says that it needs a person."

    def test_that_a_person_was_needed_stops_an_answer_from_being_tried_again(self) -> None:
        before = replace(with_effect("sending", "reply"), route="reply")
        after = deeds.relabelled(before, True, "U1", QUEUED, NOON)
        assert the("reply", after).state == "sending"
        assert the("reply", postpone(after, "reply", "mine")).state == "failed"

    def test_that_a_person_was_needed_keeps_what_a_person_wrote(self) -> None:
        written = deeds.answered(opened(SKIP, QUEUED), "Sorry!", "U1", NOON)
        reply = the("reply", deeds.relabelled(written, True, "U1", QUEUED, NOON))
        assert (reply.state, reply.text) == ("pending", "Sorry!")

    def test_that_nobody_was_needed_keeps_route_card_and_answer(self) -> None:
        for before in (opened(ESCALATE, QUEUED), opened(REPLY, QUEUED)):
            after = deeds.relabelled(before, False, "U1", QUEUED, NOON)
            assert (after.route, after.effects) == (before.route, before.effects)

    def test_of_a_case_that_is_escalated_already_is_no_second_card(self) -> None:
        before = opened(ESCALATE, QUEUED)
        after = deeds.relabelled(before, True, "U1", QUEUED, NOON)
        assert (after.effects, after.reasons) == (before.effects, before.reasons)

    def test_of_a_post_that_is_gone_brings_no_card(self) -> None:
        gone = cases.erased(opened(SKIP, QUEUED), NOON)
        assert deeds.relabelled(gone, True, "U1", QUEUED, NOON).effect("card") is None
