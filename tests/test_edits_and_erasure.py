"""What an author does to a post afterwards, wherever its effects are at that moment."""

from dataclasses import replace
from typing import get_args

import pytest

from bot import cases, records
from bot.cases import Case, Effect, State
from bot.policy import Decision
from bot.verdicts import Verdict
from tests.examples import NOON
from tests.test_cases import (
    EDIT,
    ESCALATE,
    LATER,
    MENTION,
    QUEUED,
    REPLY,
    lose,
    miss,
    opened,
    postpone,
    send,
    the,
    with_effect,
)

STATES: tuple[State, ...] = get_args(State)
BAD = Verdict(0.9, 0.5, "i am angry", "words")


def edited(case: Case, decision: Decision = ESCALATE) -> Case:
    return cases.edited(case, EDIT, BAD, decision, QUEUED, NOON)


class TestAnEdit:
    def test_that_needs_a_person_takes_back_the_reply_and_asks_for_a_card(self) -> None:
        after = edited(opened(REPLY, QUEUED))
        assert (after.tweet, after.route, after.reasons) == (EDIT, "escalate", ESCALATE.reasons)
        assert (the("reply", after).state, the("card", after).state) == ("failed", "pending")

    def test_finds_a_reply_that_is_being_sent_and_keeps_it_from_a_second_try(self) -> None:
        under_way = replace(with_effect("sending", "reply"), route="reply")
        reply = the("reply", postpone(edited(under_way), "reply", "mine"))
        assert (reply.state, reply.due_at) == ("failed", None)
        assert reply.problem == "The post was edited and now needs a person."

    def test_from_a_file_leaves_the_post_as_one_of_x(self) -> None:
        own = opened(ESCALATE, QUEUED)
        polled = replace(own, tweet=replace(own.tweet, source="poll", answer=True))
        copy = replace(EDIT, source="file", answer=False)
        after = cases.edited(polled, copy, BAD, ESCALATE, QUEUED, NOON)
        assert (after.tweet.source, after.tweet.answer) == ("poll", True)
        assert after.tweet.text == EDIT.text

    def test_leaves_the_record_of_a_reply_that_was_sent(self) -> None:
        answered = send(replace(with_effect("sending", "reply"), route="reply"), "reply", "mine")
        after = edited(answered)
        assert (the("reply", after).state, the("card", after).state) == ("sent", "pending")

    def test_of_an_escalated_post_draws_its_card_anew_with_the_new_reasons(self) -> None:
        after = edited(with_effect("sent", outside_id="ts-1"))
        assert the("update", after).state == "pending"
        assert after.reasons == ESCALATE.reasons

    def test_draws_a_card_anew_that_a_failed_reply_had_asked_for(self) -> None:
        out = Effect("card", "sent", outside_id="ts-1")
        after = edited(replace(opened(REPLY, QUEUED), effects=(Effect("reply", "failed"), out)))
        assert the("update", after).state == "pending"

    def test_that_calms_down_does_not_take_the_card_back(self) -> None:
        before = with_effect("sent", outside_id="ts-1")
        after = edited(before, REPLY)
        assert (after.route, after.reasons) == ("escalate", before.reasons)
        assert the("update", after).state == "pending"

    def test_that_stays_calm_leaves_the_reply_as_it_is(self) -> None:
        before = opened(REPLY, QUEUED)
        assert edited(before, REPLY).effects == before.effects

    def test_that_comes_after_a_later_one_changes_nothing(self) -> None:
        after = edited(opened(REPLY, QUEUED))
        assert edited(after) is after
        assert cases.edited(after, MENTION, BAD, ESCALATE, QUEUED, NOON) is after

    def test_never_brings_back_what_was_erased(self) -> None:
        gone = cases.erased(opened(REPLY, QUEUED), NOON)
        assert edited(gone) is gone


class TestAnErasure:
    def test_leaves_nothing_of_the_post_or_its_author(self) -> None:
        full = replace(
            opened(ESCALATE, QUEUED),
            verdict=BAD,
            reasons=("It speaks of danger. («angry»)",),
            effects=tuple(Effect("reply", state, text="Hi @mira!") for state in STATES),
        )
        stored = str(records.to_json(cases.erased(full, NOON)))
        for trace in ("hello", "mira", "55", "angry", "danger", "It is bad"):
            assert trace not in stored

    @pytest.mark.parametrize("kind", ["card", "reply"])
    def test_takes_back_what_is_not_yet_sent(self, kind: str) -> None:
        before = with_effect("pending", "card" if kind == "card" else "reply")
        after = cases.erased(before, NOON)
        assert [effect.state for effect in after.effects] == ["failed"]
        assert after.due_at is None

    def test_blanks_the_card_that_is_out(self) -> None:
        after = cases.erased(with_effect("sent", outside_id="ts-1"), NOON)
        assert the("update", after).state == "pending"

    def test_keeps_a_card_under_way_from_being_posted_again(self) -> None:
        sending = cases.erased(with_effect("sending"), NOON)
        absent = cases.erased(with_effect("unknown", look_ups=1), NOON)
        for after in (postpone(sending, "card", "mine"), miss(absent, "card", "mine")):
            assert the("card", after).state == "failed"

    def test_still_looks_for_a_card_that_may_be_out(self) -> None:
        after = lose(cases.erased(with_effect("sending"), NOON), "card", "mine")
        assert the("card", after).state == "unknown"
        assert the("card", send(after, "card", "mine")).state == "sent"

    def test_of_a_post_whose_reply_fails_bothers_no_agent(self) -> None:
        gone = cases.erased(with_effect("sending", "reply"), NOON)
        failed = cases.failed(gone, "reply", "mine", "The post is gone.", QUEUED, NOON)
        assert failed.effect("card") is None
        assert failed.reasons == gone.reasons

    def test_is_done_once(self) -> None:
        gone = cases.erased(opened(REPLY, QUEUED), NOON)
        assert cases.erased(gone, LATER) is gone
        stone = cases.tombstone("9", NOON)
        assert cases.erased(stone, LATER) is stone

    def test_of_a_post_that_never_came_is_remembered(self) -> None:
        stone = cases.tombstone("9", NOON)
        assert (stone.id, stone.route, stone.erased, stone.effects) == ("9", "skip", True, ())
