import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from bot import cases, records
from bot.cases import Case, Channels, Effect, EffectKind, Entry, Label, State
from bot.notices import Digest, Drift, Incident
from bot.policy import Decision
from bot.tweets import Author, Tweet
from bot.verdicts import Verdict, Weight
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
FILE = replace(MENTION, answer=False)
OUT = Effect("card", "sent", outside_id="ts-1", token="done")

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


def stick(given: Case, kind: EffectKind, token: str) -> Case:
    return cases.stuck(given, kind, token, "Not in the channel.")


def hand_over(given: Case, kind: EffectKind, token: str) -> Case:  # noqa: ARG001
    return cases.enqueued(given, kind, NOON)


def opened(decision: Decision, channels: Channels, tweet: Tweet = MENTION) -> Case:
    return cases.opened(
        tweet, None, decision, channels, reply_text="Hi @mira!", received_at=NOON, now=NOON
    )


def with_effect(state: State, kind: EffectKind = "card", **changes: Any) -> Case:
    effect = Effect(kind, state, token=None if state == "pending" else "mine", text="Hi @mira!")
    return case(tweet=MENTION, effects=(replace(effect, **changes),))


def answering(state: State, **changes: Any) -> Case:
    return replace(with_effect(state, "reply", **changes), route="reply")


def with_effects(*effects: Effect) -> Case:
    return case(tweet=MENTION, effects=effects)


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
            (stick, {"sending": "pending", "unknown": "unknown"}),
        ],
    )
    def test_goes_only_the_ways_of_the_picture(
        self, step: Step, ways: dict[State, State], state: State
    ) -> None:
        before = with_effect(state)
        after = step(before, "card", "mine")
        if state in ways:
            assert after is not before
            assert the("card", after).state == ways[state]
        else:
            assert after is before

    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize("step", [send, postpone, fail, lose, miss, stay_blind, stick])
    def test_is_not_moved_by_a_stale_token_or_attempt(self, step: Step, state: State) -> None:
        before = with_effect(state)
        assert step(before, "card", "stale") is before

    def test_that_was_never_begun_may_wait_too(self) -> None:
        waiting = cases.postponed(with_effect("pending"), "card", None, "No keys.", LATER)
        assert the("card", waiting) == Effect(
            "card", "pending", due_at=LATER, attempt=2, text="Hi @mira!", problem="No keys."
        )

    def test_that_is_stuck_waits_for_its_own_message_alone(self) -> None:
        before = with_effect("sending", cost=10_000)
        assert the("card", stick(before, "card", "mine")) == Effect(
            "card", "pending", text="Hi @mira!", problem="Not in the channel."
        )

    def test_that_cannot_be_looked_up_waits_for_its_own_message_alone(self) -> None:
        before = with_effect("unknown", due_at=NOON, attempt=2)
        stuck = the("card", stick(before, "card", "mine"))
        assert (stuck.state, stuck.due_at, stuck.attempt) == ("unknown", None, 2)
        assert stuck.stuck

    def test_that_is_stuck_and_no_longer_wanted_is_given_up(self) -> None:
        before = with_effect("sending", withdrawn="It was deleted.")
        gone = the("card", stick(before, "card", "mine"))
        assert (gone.state, gone.problem) == ("failed", "It was deleted.")

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
            (REPLY, CONSOLE, "reply", "pending"),
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
            out = send(begin(out, "update", "mine"), "update", "mine")

    @pytest.mark.parametrize(
        ("made", "waits"),
        [
            (case(), True),
            (case(resolved=True), False),
            (case(erased=True), False),
            (case(route="skip"), False),
            (case(route="reply", effects=(Effect("card", "sent"),)), True),
            (case(route="reply", effects=(Effect("card", "sent"),), resolved=True), False),
            (case(route="reply", effects=(Effect("card", "failed"),)), False),
        ],
    )
    def test_waits_for_a_person_where_one_sees_it(self, made: Case, waits: bool) -> None:
        assert made.open is waits

    def test_has_one_update_for_all_that_happens_before_it_is_drawn(self) -> None:
        out = cases.with_update(with_effect("sent", outside_id="ts-1"), NOON)
        assert cases.with_update(out, LATER) is out
        drawing = cases.with_update(begin(out, "update", "mine"), NOON)
        assert the("update", drawing).attempt == 2, "what is being drawn does not show it"
        tried = cases.postponed(begin(out, "update", "mine"), "update", "mine", "Busy.", LATER)
        assert the("update", cases.with_update(tried, NOON)).attempt == 3

    def test_is_due_when_the_first_of_its_effects_is(self) -> None:
        soon, late = Effect("card", "pending", NOON), Effect("reply", "pending", LATER)
        made = case(effects=(late, soon, Effect("update", "sent")))
        assert (made.due_at, made.due(NOON), made.due(LATER)) == (NOON, [soon], [late, soon])
        assert case().due_at is None

    def test_is_due_when_its_thread_is_to_be_told_something(self) -> None:
        late = Effect("reply", "pending", LATER)
        assert case(effects=(late,), remind_at=NOON).due_at == NOON
        assert case(effects=(late,), snoozed_until=NOON).due_at == NOON
        assert case(remind_at=LATER, snoozed_until=NOON).due_at == NOON

    @pytest.mark.parametrize(
        ("changes", "reminded"),
        [
            ({}, True),
            ({"assignee": "U1"}, False),
            ({"thread": "8"}, False),
            ({"incident": "incident-burst-20261102T120000"}, False),
            ({"notice": Incident("burst", NOON)}, False),
        ],
    )
    def test_whose_card_is_nobodys_and_stands_by_itself_is_brought_to_mind(
        self, changes: dict[str, Any], *, reminded: bool
    ) -> None:
        channels = replace(QUEUED, remind=lambda now: now + timedelta(minutes=15))
        made = cases.with_card(case(**changes), channels, NOON)
        assert made.remind_at == (NOON + timedelta(minutes=15) if reminded else None)
        assert cases.with_card(case(**changes), QUEUED, NOON).remind_at is None

    def test_on_the_console_is_not_brought_to_mind(self) -> None:
        channels = replace(CONSOLE, remind=lambda now: now)
        assert opened(ESCALATE, channels).remind_at is None

    def test_waits_for_a_person_until_it_is_done_with(self) -> None:
        assert case().open
        assert not case(route="reply").open
        assert not case(resolved=True).open
        assert not cases.erased(case(), NOON).open

    def test_keeps_the_end_of_a_long_story(self) -> None:
        told = case()
        for number in range(cases.LONGEST_HISTORY + 5):
            told = cases.told(told, NOON, f"U{number}", "looked")
        assert len(told.history) == cases.LONGEST_HISTORY
        assert told.history[-1].who == "U204"
        assert told.last("looked") == told.history[-1]
        assert told.last("danced") is None

    def test_has_its_card_drawn_anew_when_its_answer_is_out(self) -> None:
        before = with_effects(OUT, Effect("reply", "sending", token="mine"))
        assert the("update", send(before, "reply", "mine")).state == "pending"

    def test_has_it_told_on_its_card_where_its_answer_failed(self) -> None:
        before = with_effects(OUT, Effect("reply", "sending", token="mine"))
        after = fail(before, "reply", "mine")
        assert the("update", after).state == "pending"
        assert after.reasons[-1] == "The automatic answer failed: Refused."

    def test_whose_answer_is_forgone_is_skipped_with_the_reason(self) -> None:
        after = cases.forgone(answering("pending"), 1, "Too late.", NOON)
        assert (after.route, after.reasons[-1]) == ("skip", "Too late.")
        assert after.history[-1] == Entry(NOON, "bot", "skip: Too late.")
        answer = the("reply", after)
        assert (answer.state, answer.problem, answer.due_at) == ("failed", "Too late.", None)

    def test_that_a_person_has_stays_with_that_person_when_an_answer_is_forgone(self) -> None:
        after = cases.forgone(with_effect("pending", "reply"), 1, "Too late.", NOON)
        assert (after.route, the("reply", after).state) == ("escalate", "failed")

    def test_of_a_dry_run_keeps_the_text_it_would_have_sent(self) -> None:
        answer = the("reply", cases.recorded(with_effect("pending", "reply"), 1, "Hi!"))
        assert (answer.state, answer.text, answer.due_at) == ("dry-run", "Hi!", None)

    @pytest.mark.parametrize(
        "before",
        [
            *(
                with_effect(state, "reply")
                for state in ("sending", "sent", "dry-run", "failed", "unknown")
            ),
            with_effect("pending", "reply", by="U1"),
            with_effect("pending", "reply", attempt=2),
        ],
    )
    def test_keeps_an_answer_that_does_not_wait_is_an_agents_or_was_tried_since(
        self, before: Case
    ) -> None:
        assert cases.forgone(before, 1, "Too late.", NOON) is before
        assert cases.recorded(before, 1, "Hi!") is before

    def test_has_its_answer_sent_with_the_text_and_the_price_of_that_moment(self) -> None:
        answer = the(
            "reply",
            cases.begun(with_effect("pending", "reply"), "reply", "t", NOON, "Hello!", 10_000),
        )
        assert (answer.text, answer.cost, answer.state) == ("Hello!", 10_000, "sending")

    @pytest.mark.parametrize(
        ("end", "cost"),
        [(send, 10_000), (lose, 10_000), (fail, 0), (postpone, 0)],
    )
    def test_costs_what_was_or_may_have_been_sent(self, end: Step, cost: int) -> None:
        before = replace(with_effect("sending", "reply", cost=10_000), read_cost=1_000)
        assert end(before, "reply", "mine").cost == 1_000 + cost

    def test_costs_what_it_may_have_cost_where_that_is_never_found_out(self) -> None:
        lost = with_effect("unknown", "reply", cost=10_000, look_ups=1)
        assert cases.absent(lost, "reply", 1, QUEUED, NOON).cost == 10_000

    def test_is_skipped_without_a_card_where_nobody_could_do_anything(self) -> None:
        before = answering("sending")
        after = cases.failed(before, "reply", "mine", "Gone.", QUEUED, NOON, person=False)
        assert (after.route, after.effect("card"), after.reasons[-1]) == ("skip", None, "Gone.")
        of_agent = answering("sending", by="U1")
        told = cases.failed(of_agent, "reply", "mine", "Gone.", QUEUED, NOON, person=False)
        assert the("card", told).state == "pending"

    def test_that_goes_on_with_another_joins_its_thread_and_its_agent(self) -> None:
        head = case(assignee="U1")
        made = cases.opened(
            MENTION, None, ESCALATE, QUEUED, reply_text="", received_at=NOON, now=NOON, head=head
        )
        assert (made.thread, made.assignee) == (head.id, "U1")

    def test_comes_back_from_json_as_it_was(self) -> None:
        effects = tuple(
            Effect(k, "unknown", NOON, 3, "t", "o", "x", "p", 1, "w", "U1", 7, 2) for k in KINDS
        )
        whole = replace(
            opened(ESCALATE, QUEUED, replace(MENTION, created_at=NOON)),
            effects=effects,
            verdict=Verdict(0.7, 0.5, "a b", "m", words=WORDS),
            assignee="U1",
            label=Label(True, "U1", NOON, "m"),
            incident="incident-burst-20261102T120000",
            lines=(Entry(NOON, "U1", "claimed it."),),
            remind_at=NOON,
            snoozed_until=LATER,
            thread="8",
            read_cost=5,
        )
        numbers = Digest(NOON, LATER, 5, 2, 1, 2, 61.5, None, 1, 3, 7_000)
        notices = (
            Incident("burst", NOON, 2, ("1", "2"), until=LATER),
            Incident("classifier", NOON, waiting=3),
            numbers,
            Drift(NOON, LATER, "m", 200, "retrain", ("Agents corrected it.", "Retrain it.")),
        )
        told = [case(route="notice", notice=notice) for notice in notices]
        for made in (whole, opened(SKIP, CONSOLE), cases.tombstone("9", NOON), *told):
            assert records.from_json(json.loads(json.dumps(records.to_json(made)))) == made

    def test_comes_back_from_what_an_older_release_wrote(self) -> None:
        made = replace(
            opened(REPLY, QUEUED),
            verdict=Verdict(0.7, 0.5, "a", "m"),
            effects=(Effect("reply", "sent"),),
        )
        record = records.to_json(made)
        del record["verdict"]["words"], record["effects"][0]["by"], record["effects"][0]["carries"]
        for name in ("incident", "lines", "remind_at", "snoozed_until", "notice"):
            del record[name]
        assert records.from_json(json.loads(json.dumps(record))) == made

    @pytest.mark.parametrize("escalate", [True, False])
    def test_has_the_label_that_an_older_release_wrote_without_who_and_when(
        self, escalate: bool
    ) -> None:
        record = {**records.to_json(opened(REPLY, QUEUED)), "label": escalate}
        read = records.from_json(json.loads(json.dumps(record)))
        assert read.label == Label(escalate, "", NOON, None)
        assert records.summary(read)["label"] is escalate

    def test_comes_back_from_what_a_newer_release_wrote(self) -> None:
        made = replace(opened(REPLY, QUEUED), verdict=Verdict(0.7, 0.5, "a b", "m", words=WORDS))
        made = replace(made, label=Label(True, "U1", NOON, None), notice=Incident("burst", NOON))
        record = records.to_json(made)
        record["verdict"]["mood"] = record["effects"][0]["mood"] = record["mood"] = "glad"
        record["label"]["mood"] = record["notice"]["mood"] = "glad"
        assert records.from_json(json.loads(json.dumps(record))) == made

    def test_keeps_no_words_of_a_post_that_was_deleted(self) -> None:
        verdict = Verdict(0.7, 0.5, "i am angry", "m", words=(Weight("angry", 0.4),))
        told = json.dumps(records.to_json(cases.erased(case(verdict=verdict), NOON)))
        assert "angry" not in told

    def test_is_summed_up_for_a_person(self) -> None:
        row = records.summary(
            replace(opened(ESCALATE, QUEUED), verdict=Verdict(0.7, 0.5, "a", "m"))
        )
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
WORDS = (Weight("b", 0.2), Weight("a b", -0.125))
