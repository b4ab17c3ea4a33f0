import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from bot import cases
from bot.cases import Case, Channels, Effect, EffectKind, Entry, State
from bot.policy import Decision
from bot.tweets import Author, Tweet
from bot.verdicts import Verdict
from tests.examples import NOON, case

QUEUED = Channels(cards_queued=True, replies="on")
CONSOLE = Channels(cards_queued=False, replies="dry-run")
LATER = NOON + timedelta(hours=1)
STATES: tuple[State, ...] = get_args(State)
ESCALATE = Decision("escalate", ("It is bad.",))
REPLY = Decision("reply", ("It is fine.",))
SKIP = Decision("skip", ("It is fine.", "It is a retweet."))
MENTION = Tweet("1", "hello", "1", Author("55", "mira"), answer=True)
EDIT = replace(MENTION, id="2", text="I am angry")

Step = Callable[[Case, EffectKind, str], Case]


def begin(given: Case, kind: EffectKind, token: str) -> Case:
    return cases.begun(given, kind, token, NOON)


def send(given: Case, kind: EffectKind, token: str) -> Case:
    return cases.sent(given, kind, token, "ts-1", NOON)


def postpone(given: Case, kind: EffectKind, token: str) -> Case:
    return cases.postponed(given, kind, token, "Slow down.", LATER)


def fail(given: Case, kind: EffectKind, token: str) -> Case:
    return cases.failed(given, kind, token, "Refused.", QUEUED, NOON)


def lose(given: Case, kind: EffectKind, token: str) -> Case:
    return cases.lost(given, kind, token, "Lost.", NOON)


def miss(given: Case, kind: EffectKind, token: str) -> Case:
    attempt = 1 if token == "mine" else 0
    return cases.absent(given, kind, attempt, QUEUED, NOON)


def stay_blind(given: Case, kind: EffectKind, token: str) -> Case:
    return cases.not_looked_up(given, kind, 1 if token == "mine" else 0, "No access.", LATER)


def hand_over(given: Case, kind: EffectKind, token: str) -> Case:  # noqa: ARG001
    return cases.enqueued(given, kind, NOON)


def opened(decision: Decision, channels: Channels, tweet: Tweet = MENTION) -> Case:
    return cases.opened(
        tweet, None, decision, channels, reply_text="Hi @mira!", received_at=NOON, now=NOON
    )


def with_effect(state: State, kind: EffectKind = "card", **changes: Any) -> Case:
    effect = Effect(kind, state, token=None if state == "pending" else "mine", text="Hi @mira!")
    return case(tweet=MENTION, effects=(replace(effect, **changes),))


def the(kind: EffectKind, given: Case) -> Effect:
    effect = given.effect(kind)
    assert effect is not None
    return effect


class TestAnEffect:
    """The module's picture: what leads from where to where; elsewhere nothing changes."""

    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize(
        ("step", "ways"),
        [
            (send, dict.fromkeys(["sending", "unknown", "sent", "failed", "dry-run"], "sent")),
            (postpone, {"sending": "pending", "unknown": "pending"}),
            (fail, {"sending": "failed", "unknown": "failed"}),
            (lose, {"sending": "unknown"}),
            (miss, {"unknown": "unknown"}),
            (stay_blind, {"unknown": "unknown"}),
        ],
    )
    def test_goes_only_the_ways_of_the_picture(
        self, step: Step, ways: dict[State, State], state: State
    ) -> None:
        before = with_effect(state)
        after = step(before, "card", "mine")
        if state in ways:
            assert the("card", after).state == ways[state]
        else:
            assert after is before

    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize("step", [send, postpone, fail, lose, miss, stay_blind])
    def test_is_not_moved_by_a_stale_token_or_attempt(self, step: Step, state: State) -> None:
        before = with_effect(state)
        assert step(before, "card", "stale") is before

    def test_that_was_never_begun_may_wait_too(self) -> None:
        waiting = cases.postponed(with_effect("pending"), "card", None, "No keys.", LATER)
        assert the("card", waiting) == Effect(
            "card", "pending", due_at=LATER, attempt=2, text="Hi @mira!", problem="No keys."
        )

    def test_in_hand_becomes_unknown_when_its_worker_hangs(self) -> None:
        begun = begin(with_effect("pending"), "card", "mine")
        assert the("card", begun).due_at == NOON + cases.HANGS_AFTER
        hanging = the("card", hand_over(begun, "card", "mine"))
        assert (hanging.state, hanging.attempt, hanging.token) == ("unknown", 2, "mine")

    @pytest.mark.parametrize("step", [postpone, lose, miss, stay_blind])
    def test_makes_messages_about_its_earlier_attempts_stale(self, step: Step) -> None:
        before = with_effect("unknown" if step in {miss, stay_blind} else "sending")
        assert the("card", step(before, "card", "mine")).attempt == 2

    def test_is_looked_up_twice_a_minute_apart_before_a_card_is_posted_again(self) -> None:
        once = the("card", miss(with_effect("unknown"), "card", "mine"))
        assert (once.state, once.due_at) == ("unknown", NOON + timedelta(minutes=1))
        twice = cases.absent(case(effects=(once,)), "card", 2, QUEUED, NOON)
        again = the("card", twice)
        assert (again.state, again.token, again.due_at) == ("pending", None, NOON)

    def test_that_was_looked_up_before_is_looked_up_twice_again_after_a_new_try(self) -> None:
        begun = begin(with_effect("pending", look_ups=1), "card", "new")
        assert the("card", begun).look_ups == 0

    def test_of_a_reply_that_stays_absent_goes_to_an_agent_and_is_never_repeated(self) -> None:
        given = with_effect("unknown", "reply", look_ups=1)
        after = miss(given, "reply", "mine")
        assert (the("reply", after).state, the("card", after).state) == ("failed", "pending")
        assert "not certain that it was sent" in after.reasons[-1]

    def test_of_a_reply_that_fails_gives_the_case_to_an_agent(self) -> None:
        after = fail(with_effect("sending", "reply"), "reply", "mine")
        assert the("card", after).state == "pending"
        assert after.reasons[-1] == "The automatic answer failed: Refused."

    def test_the_case_does_not_have_is_an_error(self) -> None:
        with pytest.raises(LookupError, match="has no reply"):
            send(case(), "reply", "mine")


class TestACase:
    @pytest.mark.parametrize(
        ("decision", "channels", "kind", "state"),
        [
            (ESCALATE, QUEUED, "card", "pending"),
            (ESCALATE, CONSOLE, "card", "sent"),
            (REPLY, QUEUED, "reply", "pending"),
            (REPLY, CONSOLE, "reply", "dry-run"),
        ],
    )
    def test_opens_with_the_effect_its_route_asks_for(
        self, decision: Decision, channels: Channels, kind: EffectKind, state: State
    ) -> None:
        made = opened(decision, channels)
        [effect] = made.effects
        assert (effect.kind, effect.state) == (kind, state)
        assert (made.due_at is not None) == (state == "pending")

    def test_that_is_skipped_has_no_effect_but_its_reasons(self) -> None:
        made = opened(SKIP, QUEUED)
        assert made.effects == ()
        assert made.history == (Entry(NOON, "bot", "skip: It is fine. It is a retweet."),)

    def test_of_a_file_only_records_what_it_would_answer(self) -> None:
        effect = the("reply", opened(REPLY, QUEUED, replace(MENTION, answer=False)))
        assert (effect.state, effect.text) == ("dry-run", "Hi @mira!")

    def test_never_gets_a_second_card(self) -> None:
        before = with_effect("sent")
        assert cases.with_card(before, QUEUED, NOON) is before

    @pytest.mark.parametrize(
        ("state", "outside_id", "updated"),
        [
            ("pending", None, False),
            ("failed", None, False),
            ("sent", None, False),
            ("sent", "ts-1", True),
            ("sending", None, True),
            ("unknown", None, True),
        ],
    )
    def test_has_its_card_drawn_anew_if_one_is_or_may_be_out(
        self, state: State, outside_id: str | None, *, updated: bool
    ) -> None:
        after = cases.with_update(with_effect(state, outside_id=outside_id), NOON)
        assert (after.effect("update") is not None) == updated

    def test_has_each_update_at_an_attempt_of_its_own(self) -> None:
        out = with_effect("sent", outside_id="ts-1")
        for attempt in (1, 2, 3):
            out = cases.with_update(out, NOON)
            assert the("update", out).attempt == attempt

    def test_is_due_when_the_first_of_its_effects_is(self) -> None:
        soon, late = Effect("card", "pending", NOON), Effect("reply", "pending", LATER)
        made = case(effects=(late, soon, Effect("update", "sent")))
        assert (made.due_at, made.due(NOON), made.due(LATER)) == (NOON, [soon], [late, soon])
        assert case().due_at is None

    def test_is_claimed_by_the_last_and_resolved_once(self) -> None:
        mine = cases.claimed(case(), "U1", NOON)
        assert cases.claimed(mine, "U1", NOON) is mine
        theirs = cases.claimed(mine, "U2", NOON)
        assert theirs.assignee == "U2"
        done = cases.resolved(theirs, "U2", NOON)
        assert cases.resolved(done, "U1", NOON) is done
        assert [entry.who for entry in done.history] == ["U1", "U2", "U2"]

    def test_keeps_the_end_of_a_long_story(self) -> None:
        told = case()
        for number in range(cases.LONGEST_HISTORY + 5):
            told = cases.claimed(told, f"U{number}", NOON)
        assert len(told.history) == cases.LONGEST_HISTORY
        assert told.history[-1].who == "U204"

    def test_comes_back_from_json_as_it_was(self) -> None:
        effects = tuple(Effect(k, "unknown", NOON, 3, "t", "o", "x", "p", 1, "w") for k in KINDS)
        whole = replace(
            opened(ESCALATE, QUEUED, replace(MENTION, created_at=NOON)),
            effects=effects,
            verdict=Verdict(0.7, 0.5, "a", "m"),
            assignee="U1",
            label=True,
        )
        for made in (whole, opened(SKIP, CONSOLE), cases.tombstone("9", NOON)):
            assert cases.from_json(json.loads(json.dumps(cases.to_json(made)))) == made

    def test_is_summed_up_for_a_person(self) -> None:
        row = cases.summary(replace(opened(ESCALATE, QUEUED), verdict=Verdict(0.7, 0.5, "a", "m")))
        assert json.loads(json.dumps(row)) == row
        assert (row["tweet_id"], row["author"], row["confidence"]) == ("1", "mira", 0.7)
        [effect] = row["effects"]
        assert effect == {
            "kind": "card",
            "state": "pending",
            "due_at": (NOON + cases.UNQUEUED_AFTER).isoformat(),
            "outside_id": None,
        }


KINDS: tuple[EffectKind, ...] = get_args(EffectKind)
