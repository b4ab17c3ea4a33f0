"""One effect's way into the world; accidents by the hundred: test_accidents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import pytest

from bot import cases, deeds
from bot.cases import Case, Effect, EffectKind
from bot.delivery import BACK_OFF, NewerTask, Task, enqueue, sweep, task_of
from bot.envelopes import VERSION
from bot.errors import Failure, Newer, Permanent, Refused, Retryable, Unknown
from bot.ports import Admission, Go, Outgoing, Outlet, Stay, Wait
from tests.examples import NOON
from tests.examples import case as a_case
from tests.fakes import MemoryCases, Turn
from tests.simulation import ANGRY, CALM, QUEUED, Crash, Simulation

MINUTE = timedelta(minutes=1)


def angry(**outlet: list[Turn]) -> Simulation:
    """A bot whose one tweet waits for its card; `outlet` is what Slack will do."""
    bot = Simulation()
    bot.arrive(ANGRY)
    bot.triage()
    for name, turns in outlet.items():
        setattr(bot.slack, name, turns)
    return bot


def calm(**outlet: list[Turn]) -> Simulation:
    """A bot whose one tweet waits for its reply; `outlet` is what X will do."""
    bot = Simulation()
    bot.arrive(CALM)
    bot.triage()
    for name, turns in outlet.items():
        setattr(bot.x, name, turns)
    return bot


def card(bot: Simulation) -> Effect:
    return the_card(bot.store.only())


def the_card(case: Case) -> Effect:
    effect = case.effect("card")
    assert effect is not None
    return effect


def reply(bot: Simulation) -> Effect:
    effect = bot.store.only().effect("reply")
    assert effect is not None
    return effect


class TestALostAnswer:
    def test_of_a_card_is_found_at_the_first_look_and_the_card_not_repeated(self) -> None:
        bot = angry(after=[Unknown("Lost.")])
        bot.run_on(5)
        assert (card(bot).state, bot.slack.happened["101"], bot.slack.looked_up) == ("sent", 1, 1)

    def test_is_looked_up_twice_a_minute_apart_before_a_card_is_posted_again(self) -> None:
        bot = angry(before=[Unknown("Lost.")])
        looks: list[timedelta] = []
        bot.slack.looking = [lambda: looks.append(bot.clock() - NOON)] * 2
        bot.run_on(6)
        assert looks == [MINUTE, 2 * MINUTE]
        assert (card(bot).state, bot.slack.happened["101"]) == ("sent", 1)

    def test_of_a_reply_that_is_not_found_goes_to_an_agent(self) -> None:
        bot = calm(before=[Unknown("Lost.")])
        bot.run_on(6)
        assert (reply(bot).state, bot.x.looked_up) == ("failed", 2)
        assert (card(bot).state, bot.x.happened["102"]) == ("sent", 0)

    def test_is_looked_up_later_where_the_neighbour_asks_for_that(self) -> None:
        bot = calm(after=[Unknown("Lost.")], looking=[Retryable("Slow down.", 900)])
        bot.run_on(10)
        assert (reply(bot).state, bot.x.looked_up) == ("unknown", 1)
        bot.run_on(10)
        assert (reply(bot).state, bot.x.looked_up) == ("sent", 2)

    def test_that_cannot_be_looked_up_for_hours_leaves_the_story_readable(self) -> None:
        blind: list[Turn] = [Retryable("No.")] * 250
        bot = angry(after=[Unknown("Lost.")], looking=blind)
        bot.run_on(300)
        assert card(bot).state == "sent"
        assert bot.store.only().history[0].what.startswith("escalate")

    def test_of_a_reply_that_nobody_may_look_up_goes_to_an_agent(self) -> None:
        bot = calm(after=[Unknown("Lost.")], looking=[Permanent("Forbidden.")] * 2)
        bot.run_on(6)
        assert (reply(bot).state, card(bot).state) == ("failed", "sent")
        assert bot.x.happened["102"] == 1


class TestAWorkerThatHangs:
    """It comes back when others have long dealt with its effect."""

    @pytest.mark.parametrize(
        "late", [Retryable("Slow down."), Permanent("Refused."), Unknown("Lost.")]
    )
    def test_cannot_have_a_card_posted_again(self, late: Exception) -> None:
        bot = angry()

        def hang() -> None:
            bot.clock.wait(150)
            bot.run_on(10)
            raise late

        bot.slack.before = [hang]
        bot.notify()
        bot.run_on(10)
        assert (card(bot).state, bot.slack.happened["101"]) == ("sent", 1)

    def test_may_bring_its_answer_after_the_card_was_found(self) -> None:
        bot = angry()

        def hang() -> None:
            bot.clock.wait(150)
            bot.run_on(10)

        bot.slack.after = [hang]
        bot.notify()
        assert (card(bot).state, bot.slack.happened["101"], bot.slack.looked_up) == ("sent", 1, 1)

    def test_cannot_have_a_reply_sent_that_an_agent_was_given(self) -> None:
        bot = calm()

        def hang() -> None:
            bot.clock.wait(150)
            bot.run_on(10)
            raise Retryable("Slow down.")

        bot.x.before = [hang]
        bot.reply()
        bot.run_on(10)
        assert (reply(bot).state, bot.x.happened["102"]) == ("failed", 0)
        assert bot.slack.happened["102"] == 1

    def test_in_a_look_up_cannot_undo_what_was_found_meanwhile(self) -> None:
        bot = angry(before=[Unknown("Lost.")])
        bot.notify()
        token = card(bot).token

        def meanwhile() -> None:
            for _ in range(2):
                bot.store.change("101", lambda c: cases.sent(c, "card", token or "", "ts", NOON))

        bot.slack.looking = [meanwhile]
        bot.run_on(10)
        assert (card(bot).state, card(bot).outside_id) == ("sent", "ts")
        assert bot.slack.happened["101"] == 0

    def test_beside_another_look_up_counts_once(self) -> None:
        bot = angry(before=[Unknown("Lost.")])
        bot.notify()
        case = bot.store.only()
        bot.clock.wait(60)
        bot.slack.looking = [lambda: bot.again(case, "card", card(bot).attempt)]
        bot.again(case, "card", card(bot).attempt)
        assert (card(bot).state, card(bot).look_ups) == ("unknown", 1)


class TestARefusal:
    @pytest.mark.parametrize(("attempt", "seconds"), list(enumerate([*BACK_OFF, BACK_OFF[-1]], 1)))
    def test_for_now_is_tried_again_later_each_time(self, attempt: int, seconds: float) -> None:
        bot = angry(before=[Retryable("Busy.")] * attempt)
        for _ in range(attempt):
            bot.again(bot.store.only(), "card", card(bot).attempt)
        assert (card(bot).state, card(bot).problem) == ("pending", "Busy.")
        assert card(bot).due_at == NOON + timedelta(seconds=seconds)

    def test_for_some_seconds_is_waited_for_in_place(self) -> None:
        bot = angry(before=[Retryable("Slow down.", 5)])
        bot.notify()
        assert (card(bot).state, bot.clock() - NOON) == ("sent", timedelta(seconds=5))

    def test_for_longer_is_left_to_housekeeping(self) -> None:
        bot = angry(before=[Retryable("Slow down.", 5.1)])
        bot.notify()
        assert (card(bot).state, bot.clock()) == ("pending", NOON)
        assert card(bot).due_at == NOON + timedelta(seconds=5.1)

    def test_for_good_of_a_reply_goes_to_an_agent(self) -> None:
        bot = calm(before=[Permanent("X refuses: not mentioned.")])
        bot.run_on(1)
        assert (reply(bot).state, card(bot).state) == ("failed", "sent")
        assert bot.store.only().reasons[-1].endswith("X refuses: not mentioned.")


class TestACardThatSlackRefuses:
    """Until somebody mends why: its message goes to the dead letters and is taken back."""

    @pytest.mark.parametrize("mendable", [True, False])
    def test_comes_back_five_times_and_then_lies_among_the_dead_letters(
        self, *, mendable: bool
    ) -> None:
        refused: list[Turn] = [Permanent("Not in the channel.", mendable=mendable)] * 50
        bot = angry(before=refused)
        bot.run_on(60)
        assert 50 - len(refused) == 5
        assert (bot.cards.depth(), card(bot).state, card(bot).due_at) == ((0, 1), "pending", None)
        assert card(bot).problem == "Not in the channel."

    def test_is_sent_once_it_is_redriven(self) -> None:
        bot = angry(before=[Permanent("Not in the channel.")] * 5)
        bot.run_on(60)
        assert bot.cards.redrive() == 1
        bot.run_on(2)
        assert (card(bot).state, card(bot).problem, bot.slack.happened["101"]) == ("sent", None, 1)
        assert bot.cards.depth() == (0, 0)

    def test_is_sent_once_however_often_it_is_redriven(self) -> None:
        bot = angry(before=[Permanent("Not in the channel.")] * 5)
        bot.run_on(60)
        bot.cards.dead *= 2
        bot.cards.redrive()
        bot.run_on(2)
        assert bot.slack.happened["101"] == 1

    def test_is_not_sent_once_its_post_was_deleted(self) -> None:
        bot = angry(before=[Permanent("Not in the channel.")] * 5)
        bot.run_on(60)
        bot.store.change("101", partial(cases.erased, now=bot.clock()))
        bot.cards.redrive()
        bot.run_on(2)
        assert (card(bot).state, bot.slack.happened["101"]) == ("failed", 0)

    def test_is_not_repeated_by_housekeeping(self) -> None:
        bot = angry(before=[Permanent("Not in the channel.")] * 5)
        bot.run_on(60)
        bot.clock.wait(24 * 60 * 60)
        assert bot.housekeeping.work()["handed over"] == 0

    def test_survives_a_worker_that_dies_while_it_is_refused(self) -> None:
        bot = angry(before=[Crash(), *[Permanent("Not in the channel.")] * 50])
        bot.slack.looking = [Permanent("Not in the channel.")] * 3
        bot.run_on(60)
        assert bot.cards.depth() == (0, 1)
        bot.slack.before.clear()
        bot.cards.redrive()
        bot.run_on(2)
        assert bot.slack.happened["101"] == 1

    @pytest.mark.parametrize("kind", ["update", "line"])
    def test_has_its_updates_and_lines_refused_likewise(self, kind: EffectKind) -> None:
        bot = angry()
        bot.run_on(1)
        outlet = {"update": bot.updates, "line": bot.lines}[kind]
        outlet.before = [Permanent("Not in the channel.", mendable=True)] * 5
        bot.store.change("101", partial(deeds.claimed, who="U1", now=bot.clock()))
        bot.run_on(60)
        effect = bot.store.only().effect(kind)
        assert effect
        assert (effect.state, bot.cards.depth()) == ("pending", (0, 1))
        bot.cards.redrive()
        bot.run_on(2)
        assert (outlet.happened["101"], bot.cards.depth()) == (1, (0, 0))

    @pytest.mark.parametrize("kind", ["update", "line"])
    def test_that_nobody_can_mend_fails_for_an_update_or_a_line(self, kind: EffectKind) -> None:
        bot = angry()
        bot.run_on(1)
        outlet = {"update": bot.updates, "line": bot.lines}[kind]
        outlet.before = [Permanent("The message is gone.")]
        bot.store.change("101", partial(deeds.claimed, who="U1", now=bot.clock()))
        bot.run_on(60)
        effect = bot.store.only().effect(kind)
        assert effect
        assert (effect.state, effect.problem) == ("failed", "The message is gone.")
        assert (bot.cards.depth(), bot.store.only().lines) == ((0, 0), ())

    def test_does_not_hold_up_the_others(self) -> None:
        bot = angry()
        outlets: Mapping[EffectKind, Outlet | None] = {
            **bot.courier.outlets,
            "card": Choosy("101", Permanent("It is too long.")),
        }
        bot.courier = replace(bot.courier, outlets=outlets)
        bot.arrive(replace(ANGRY, id="103", root_id="103"))
        bot.run_on(60)
        states = {case.id: the_card(case).state for case in bot.store.newest()}
        assert states == {"101": "pending", "103": "sent"}
        assert bot.cards.depth() == (0, 1)


@dataclass
class Choosy:
    """Takes every card but one."""

    refused: str
    failure: Failure

    def send(self, case: Case, effect: Effect) -> str:
        if case.id == self.refused:
            raise self.failure
        return f"outside-{effect.token}"

    def find(self, case: Case, effect: Effect) -> str | None:  # noqa: ARG002
        return None


def answered(by: str | None, mode: Literal["on", "dry-run", "off"]) -> Simulation:
    """A bot in that mode whose escalated tweet has its card out and an answer of `by` waiting."""
    bot = angry()
    bot.run_on(1)
    bot.courier = replace(bot.courier, channels=replace(QUEUED, replies=mode))
    waits = Effect("reply", "pending", due_at=bot.clock(), text="Sorry!", by=by)
    bot.store.change("101", lambda case: replace(case, effects=(*case.effects, waits)))
    return bot


class TestAnAgentsAnswer:
    @pytest.mark.parametrize("mode", ["on", "dry-run", "off"])
    def test_is_sent_whether_the_bot_may_answer_by_itself_or_not(
        self, mode: Literal["on", "dry-run", "off"]
    ) -> None:
        bot = answered("U1", mode)
        bot.run_on(2)
        assert (reply(bot).state, reply(bot).outside_id) == ("sent", "outside-101")
        assert [effect.text for _, effect in bot.x.seen] == ["Sorry!"]

    @pytest.mark.parametrize(("mode", "state"), [("dry-run", "dry-run"), ("off", "failed")])
    def test_is_not_the_bots_which_is_stopped(
        self, mode: Literal["dry-run", "off"], state: str
    ) -> None:
        bot = answered(None, mode)
        bot.run_on(2)
        assert (reply(bot).state, bot.x.happened["101"]) == (state, 0)

    def test_that_went_out_is_told_on_the_card(self) -> None:
        bot = answered("U1", "off")
        bot.run_on(3)
        assert bot.updates.happened["101"] == 1
        [(drawn, _)] = bot.updates.seen
        assert drawn.effect("reply") == reply(bot)

    def test_that_failed_is_told_on_the_card(self) -> None:
        bot = answered("U1", "off")
        bot.x.before = [Permanent("X refuses: too late.")]
        bot.run_on(3)
        assert reply(bot).state == "failed"
        [(drawn, _)] = bot.updates.seen
        assert drawn.reasons[-1] == "The answer failed: X refuses: too late."

    def test_that_cannot_be_sent_for_hours_is_told_to_the_agent(self) -> None:
        bot = answered("U1", "on")
        bot.x.before = [Retryable("X has locked the account.", 3600)] * 50
        bot.run_on(30 * 60)
        assert reply(bot).state == "failed"
        assert bot.store.only().reasons[-1] == "The answer failed: X has locked the account."

    def test_whose_outcome_is_lost_is_never_sent_again(self) -> None:
        bot = answered("U1", "on")
        bot.x.after = [Unknown("Lost.")]
        bot.run_on(10)
        assert (reply(bot).state, bot.x.happened["101"]) == ("sent", 1)

    def test_is_put_in_the_place_of_one_whose_message_is_still_on_its_way(self) -> None:
        bot = calm()
        bot.store.change("102", lambda case: deeds.answered(case, "Sorry!", "U1", NOON))
        bot.run_on(10)
        assert [(effect.text, effect.by) for _, effect in bot.x.seen] == [("Sorry!", "U1")]


@dataclass
class Door:
    """A gate that says what it is told to, and remembers what was taken back."""

    says: list[Admission]
    settled: list[Failure] = field(default_factory=list)
    undone: list[bool] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None
    trouble: Failure | None = None

    def admit(self, case: Case, effect: Effect, now: datetime) -> Admission:  # noqa: ARG002
        if self.meanwhile:
            self.meanwhile()
        return self.says.pop(0)

    def settle(self, case: Case, effect: Effect, failure: Failure, at: datetime) -> None:  # noqa: ARG002
        if self.trouble:
            raise self.trouble
        self.settled.append(failure)

    def undo(self, case: Case, go: Go, at: datetime, *, answered: bool) -> None:  # noqa: ARG002
        self.undone.append(answered)


def gated(*says: Admission, mode: Literal["on", "dry-run"] = "on") -> tuple[Simulation, Door]:
    """A bot whose one tweet waits for its reply, before a gate."""
    bot, door = calm(), Door(list(says))
    channels = replace(QUEUED, replies=mode)
    bot.courier = replace(bot.courier, gate=door, channels=channels)
    return bot, door


class TestTheGate:
    def test_says_what_text_goes_out_and_what_it_costs(self) -> None:
        bot, _ = gated(Go("Hello!", 10_000))
        bot.run_on(2)
        assert [effect.text for _, effect in bot.x.seen] == ["Hello!"]
        assert (reply(bot).state, bot.store.only().cost) == ("sent", 10_000)

    def test_that_stays_shut_makes_the_tweet_a_skipped_one(self) -> None:
        bot, _ = gated(Stay("Its author asked the bot to stop."))
        bot.run_on(2)
        made = bot.store.only()
        assert (made.route, made.reasons[-1]) == ("skip", "Its author asked the bot to stop.")
        assert (reply(bot).state, made.effect("card"), not bot.x.happened) == ("failed", None, True)

    def test_that_opens_later_is_asked_again_then(self) -> None:
        bot, door = gated(Wait("Replies are paused.", NOON + 5 * MINUTE), Go("Hello!"))
        bot.run_on(4)
        assert (reply(bot).state, reply(bot).problem) == ("pending", "Replies are paused.")
        bot.run_on(4)
        assert (reply(bot).state, door.says) == ("sent", [])

    def test_decides_about_a_dry_run_too(self) -> None:
        bot, _ = gated(Go("Hello!"), mode="dry-run")
        bot.run_on(2)
        assert (reply(bot).state, reply(bot).text) == ("dry-run", "Hello!")
        refused, _ = gated(Stay("No."), mode="dry-run")
        refused.run_on(2)
        assert refused.store.only().route == "skip"

    @pytest.mark.parametrize("failure", [Retryable("No.", 900), Permanent("No."), Unknown("Lost.")])
    def test_learns_what_became_of_a_call_that_failed(self, failure: Failure) -> None:
        bot, door = gated(Go("Hello!"))
        bot.x.before = [failure]
        bot.reply()
        assert door.settled == ([] if isinstance(failure, Unknown) else [failure])

    def test_that_leaves_the_tweet_to_a_person_makes_its_card(self) -> None:
        bot, _ = gated(Stay("A person has it.", person=True))
        bot.run_on(2)
        made = bot.store.only()
        assert (made.route, made.reasons[-1], made.thread) == ("escalate", "A person has it.", None)
        assert (reply(bot).state, card(bot).state, bot.x.happened.total()) == ("failed", "sent", 0)

    def test_that_leaves_the_tweet_to_whoever_has_its_conversation_joins_that_card(self) -> None:
        head = replace(a_case(), assignee="U1")
        bot, _ = gated(Stay("A person has it.", person=True, head=head))
        bot.run_on(2)
        made = bot.store.only()
        assert (made.thread, made.assignee) == (head.id, "U1")

    def test_is_told_where_nobody_wants_the_answer_any_more(self) -> None:
        bot, door = gated(Go("Hello!"))
        erase = partial(cases.erased, now=NOON)
        door.meanwhile = partial(bot.store.change, "102", erase)
        bot.reply()
        assert (door.undone, bot.x.happened.total()) == ([False], 0)

    def test_is_told_where_another_worker_sends_the_answer(self) -> None:
        bot, door = gated(Go("Hello!"))
        begin = partial(cases.begun, kind="reply", token="other", now=NOON)
        door.meanwhile = partial(bot.store.change, "102", begin)
        bot.reply()
        assert (door.undone, bot.x.happened.total()) == ([True], 0)

    def test_that_waits_does_not_delay_an_agents_answer_given_meanwhile(self) -> None:
        bot, door = gated(Wait("The budget is used up.", NOON + 60 * MINUTE))
        answer = partial(deeds.answered, text="Sorry!", who="U1", now=NOON)
        door.meanwhile = partial(bot.store.change, "102", answer)
        bot.reply()
        assert (reply(bot).by, reply(bot).problem) == ("U1", None)

    def test_that_cannot_take_back_what_it_counted_does_not_change_the_outcome(self) -> None:
        bot, door = gated(Go("Hello!"))
        door.trouble = Retryable("The table is throttled.")
        bot.x.before = [Permanent("Refused.")]
        bot.reply()
        assert reply(bot).state == "failed"

    def test_is_not_asked_about_cards(self) -> None:
        bot = angry()
        bot.courier = replace(bot.courier, gate=Door([]))
        bot.run_on(2)
        assert card(bot).state == "sent"

    def test_is_not_asked_while_there_are_no_keys(self) -> None:
        bot, door = gated()
        outlets: Mapping[EffectKind, Outlet | None] = {**bot.courier.outlets, "reply": None}
        bot.courier = replace(bot.courier, outlets=outlets)
        bot.run_on(2)
        assert (reply(bot).state, reply(bot).problem) == ("pending", "Its keys are not set.")
        assert door.says == []


class TestAMessage:
    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{",
            "[]",
            "5",
            "{}",
            '{"case": "1", "effect": "card"}',
            '{"case": "1", "effect": "cake", "attempt": 1}',
            '{"case": "1", "effect": {}, "attempt": 1}',
            '{"case": 1, "effect": "card", "attempt": 1}',
            "[" * 100_000,
        ],
    )
    def test_that_names_no_effect_is_refused(self, body: str) -> None:
        with pytest.raises(Refused, match="This message"):
            task_of(body)

    def test_names_case_effect_and_attempt(self) -> None:
        bot = angry()
        [sent] = bot.cards.sent
        assert task_of(sent.body) == Task("101", "card", 1)
        assert (sent.group, sent.deduplication) == ("cards", "101-card-1")

    @pytest.mark.parametrize("attempt", [0, 2])
    def test_about_another_attempt_is_stale(self, attempt: int) -> None:
        bot = angry()
        bot.again(bot.store.only(), "card", attempt)
        assert (card(bot).state, bot.slack.happened["101"]) == ("pending", 0)

    def test_about_an_earlier_attempt_starts_no_look_up(self) -> None:
        bot = angry(after=[Unknown("Lost.")])
        bot.notify()
        bot.again(bot.store.only(), "card", 1)
        assert (card(bot).state, bot.slack.looked_up) == ("unknown", 0)

    def test_that_two_workers_read_at_once_is_worked_on_by_one(self) -> None:
        bot = angry()
        case = bot.store.only()
        bot.store.before_change = lambda: bot.again(case, "card", 1)
        bot.again(case, "card", 1)
        assert (card(bot).state, bot.slack.happened["101"]) == ("sent", 1)

    def test_is_not_sent_early_for_an_effect_that_waits(self) -> None:
        bot = angry(before=[Retryable("Slow down.", 900)])
        bot.notify()
        enqueue([bot.store.only()], {"cards": bot.cards})
        assert not bot.notify()

    def test_about_a_case_that_is_gone_is_done(self) -> None:
        bot = angry()
        assert bot.courier.deliver(Task("999", "card", 1)) is None

    def test_about_an_effect_the_case_does_not_have_is_done(self) -> None:
        bot = angry()
        assert bot.courier.deliver(Task("101", "reply", 1)) == bot.store.only()


class TestWhatANewerReleaseWrote:
    """It was rolled back, and this one must neither lose it nor hold up the others by it."""

    BODY = f'{{"version": {VERSION + 1}, "case": "101", "deed": "sing"}}'

    def test_names_no_more_than_its_case(self) -> None:
        assert task_of(self.BODY) == NewerTask("101")
        with pytest.raises(Refused, match="it names no case"):
            task_of(f'{{"version": {VERSION + 1}}}')

    def test_is_let_go_with_one_line_as_housekeeping_hands_its_effect_over_again(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        bot = angry()
        bot.cards.delete([one.receipt for one in bot.cards.receive(10)])
        bot.cards.send([Outgoing(self.BODY, "cards", "newer")])
        bot.notify()
        assert (bot.cards.depth(), card(bot).state) == ((0, 0), "pending")
        [line] = [one.message for one in caplog.records if "newer" in one.message]
        assert line.startswith("A message about case 101 is let go, ")
        bot.run_on(10)
        assert (card(bot).state, bot.slack.happened["101"]) == ("sent", 1)

    def test_blocks_no_card_behind_it_even_where_it_must_not_be_let_go(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        bot = angry(before=[Permanent("The channel is archived.", mendable=True)] * 9)
        bot.notify()
        bot.run_on(10)
        assert (card(bot).stuck, bot.cards.depth()) == (True, (0, 1))
        bot.cards.dead.clear()
        bot.cards.send([Outgoing(self.BODY, "cards", "newer")])
        now = bot.clock()
        while bot.notify():
            pass
        assert (bot.cards.depth(), bot.clock()) == ((0, 1), now), "redrive takes it back"
        lines = [one.message for one in caplog.records if "taken back" in one.message]
        assert len(lines) == 1

    def test_as_a_record_is_not_touched_and_its_effect_waits_for_that_release(self) -> None:
        bot = angry()
        bot.store.upgrade("101")
        assert bot.notify()
        assert (bot.cards.depth(), card(bot).state) == ((0, 0), "pending")
        with pytest.raises(Newer):
            bot.store.change("101", lambda case: replace(case, assignee="U1"))

    def test_does_not_keep_housekeeping_from_the_others(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        bot = Simulation()
        bot.arrive(ANGRY, replace(ANGRY, id="103", root_id="103"))
        bot.triage()
        bot.cards.delete([one.receipt for one in bot.cards.receive(10)])
        bot.store.upgrade("101")
        bot.run_on(10)
        assert bot.slack.happened == {"103": 1}
        lines = [one.message for one in caplog.records if "newer release" in one.message]
        assert set(lines) == {"1 cases that are due wait for the newer release that wrote them."}


def test_what_was_swept_before_the_table_failed_is_handed_over() -> None:
    bot = Simulation()
    bot.arrive(ANGRY, replace(ANGRY, id="103", root_id="103"))
    bot.triage()
    bot.cards.delete([one.receipt for one in bot.cards.receive(10)])
    bot.clock.wait(10 * 60)
    changes: list[str] = []

    class Throttled(MemoryCases):
        def change(self, case_id: str, change: Callable[[Case], Case]) -> Case | None:
            if changes:
                raise Retryable("The table is throttled.")
            changes.append(case_id)
            return bot.store.change(case_id, change)

        due = bot.store.due

    with pytest.raises(Retryable):
        sweep(Throttled(), {"cards": bot.cards}, bot.clock())
    assert [one["case"] for one in bot.cards.bodies()[2:]] == changes
