"""Lines in a card's thread: each once, in order, one message at a time."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from bot import cases, deeds, records
from bot.cases import MOST_LINES, Case, Effect, Entry, State
from bot.errors import Permanent, Retryable, Unknown
from bot.policy import Decision
from bot.tweets import LONGEST_TEXT, Tweet
from bot.twitter.failures import LONGEST_REASON
from bot.verdicts import Verdict
from tests.examples import NOON, case
from tests.fakes import Turn
from tests.simulation import ANGRY, CALM, Simulation
from tests.test_cases import CONSOLE, ESCALATE, OUT, QUEUED, REPLY, opened, the, with_effects

MINE = "mine"
Change = Callable[[Case], Case]


def line(made: Case, what: str = "Something happened.", who: str = "bot") -> Case:
    return cases.with_line(made, who, what, NOON)


def lines(made: Case) -> list[str]:
    return [entry.what for entry in made.lines]


def sending(made: Case, token: str = MINE) -> Case:
    return cases.begun(made, "line", token, NOON)


def sent(made: Case, token: str = MINE) -> Case:
    return cases.sent(made, "line", token, "ts-2", NOON)


class TestALine:
    @pytest.mark.parametrize(
        ("card", "told"),
        [
            (None, False),
            (Effect("card", "pending"), False),
            (Effect("card", "failed"), False),
            (Effect("card", "sent"), False),
            (OUT, True),
            (Effect("card", "sending", token="t"), True),
            (Effect("card", "unknown", token="t"), True),
        ],
    )
    def test_is_for_the_thread_of_a_card_that_is_or_may_be_out_in_slack(
        self, card: Effect | None, *, told: bool
    ) -> None:
        before = case(effects=(card,) if card else ())
        after = line(before)
        assert (len(after.lines), after.effect("line") is not None) == (told, told)
        assert told or after is before

    def test_waits_with_others_for_one_message(self) -> None:
        after = line(line(with_effects(OUT), "One."), "Two.")
        assert lines(after) == ["One.", "Two."]
        assert the("line", after) == Effect("line", "pending", due_at=NOON + cases.UNQUEUED_AFTER)

    def test_keeps_to_its_turn(self) -> None:
        begun = sending(line(line(with_effects(OUT), "One."), "Two."))
        assert the("line", begun).carries == 2
        later = line(begun, "Three.")
        assert the("line", later) == the("line", begun), "one message is on its way already"
        done = sent(later)
        assert lines(done) == ["Three."]
        assert (the("line", done).state, the("line", done).attempt) == ("pending", 2)
        assert the("line", sending(done, "next")).carries == 1

    def test_is_forgotten_when_it_is_told(self) -> None:
        done = sent(sending(line(with_effects(OUT))))
        assert (done.lines, the("line", done).state, done.due_at) == ((), "sent", None)
        assert sent(done).lines == ()
        assert the("line", line(done)).attempt == 2

    def test_is_not_forgotten_for_a_stale_answer(self) -> None:
        begun = sending(line(with_effects(OUT), "One."))
        assert sent(begun, "stale") is begun
        again = sending(cases.postponed(begun, "line", "mine", "Slow down.", NOON), "second")
        assert sent(again, "mine") is again

    def test_goes_with_all_that_came_since_when_it_is_tried_again(self) -> None:
        begun = sending(line(with_effects(OUT), "One."))
        waits = cases.postponed(line(begun, "Two."), "line", "mine", "Slow down.", NOON)
        assert lines(waits) == ["One.", "Two."]
        assert the("line", sending(waits)).carries == 2

    def test_that_fails_is_given_up_and_those_after_it_follow(self) -> None:
        begun = line(sending(line(with_effects(OUT), "One.")), "Two.")
        gone = cases.failed(begun, "line", "mine", "No thread.", QUEUED, NOON)
        assert (lines(gone), the("line", gone).state) == (["Two."], "pending")
        alone = sending(line(with_effects(OUT)))
        failed = cases.failed(alone, "line", "mine", "No thread.", QUEUED, NOON)
        assert (failed.lines, the("line", failed).state) == ((), "failed")

    def test_that_is_stuck_goes_with_the_next(self) -> None:
        begun = sending(line(with_effects(OUT), "One."))
        stuck = cases.stuck(begun, "line", "mine", "Not in the channel.")
        assert the("line", stuck).attempt == the("line", begun).attempt, "for its message's sake"
        assert the("line", stuck).stuck
        armed = line(stuck, "Two.")
        assert lines(armed) == ["One.", "Two."]
        assert (the("line", armed).attempt, the("line", armed).stuck) == (2, False)

    def test_whose_outcome_is_unknown_has_those_after_it_wait(self) -> None:
        lost = cases.lost(sending(line(with_effects(OUT), "One.")), "line", "mine", "Lost.", NOON)
        later = line(lost, "Two.")
        assert the("line", later).state == "unknown"
        assert lines(sent(later)) == ["Two."]

    @pytest.mark.parametrize("state", ["sent", "failed"])
    def test_after_the_last_one_is_done_with_goes_at_an_attempt_of_its_own(
        self, state: State
    ) -> None:
        after = line(with_effects(OUT, Effect("line", state, attempt=4)))
        assert (the("line", after).state, the("line", after).attempt) == ("pending", 5)

    def test_of_many_that_wait_is_one_of_the_last(self) -> None:
        made = with_effects(OUT)
        for number in range(MOST_LINES + 3):
            made = line(made, str(number))
        assert lines(made) == [str(number) for number in range(3, MOST_LINES + 3)]

    def test_of_many_is_not_lost_while_others_are_on_their_way(self) -> None:
        made = with_effects(OUT)
        for number in range(MOST_LINES):
            made = line(made, f"before {number}")
        begun = sending(made)
        for number in range(MOST_LINES + 1):
            begun = line(begun, f"after {number}")
        assert lines(begun)[:MOST_LINES] == lines(made)
        assert lines(sent(begun)) == [f"after {number}" for number in range(1, MOST_LINES + 1)]


def resolve(made: Case) -> Case:
    return deeds.resolved(made, "U1", NOON)


def erase(made: Case) -> Case:
    return cases.erased(made, NOON)


EDIT = Tweet("2", "I am furious", "1", ANGRY.author, answer=True)


def edit(made: Case) -> Case:
    return cases.edited(made, EDIT, None, Decision("escalate", ("It is bad.",)), QUEUED, NOON)


def answer_sent(made: Case) -> Case:
    return cases.sent(made, "reply", "r", "77", NOON)


def answer_failed(made: Case) -> Case:
    return cases.failed(made, "reply", "r", "X refuses.", QUEUED, NOON)


class TestWhatIsTold:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (resolve, "resolved it."),
            (erase, "The post was deleted, and our copy of it is erased."),
            (edit, "Its author edited the post."),
            (answer_sent, "The answer is public."),
            (answer_failed, "The answer failed: X refuses."),
        ],
    )
    def test_is_what_becomes_of_the_case(self, change: Change, told: str) -> None:
        reply = Effect("reply", "sending", token="r", text="Sorry!", by="U1")
        before = replace(opened(ESCALATE, QUEUED), effects=(OUT, reply))
        assert lines(change(before)) == [told]
        on_the_console = replace(opened(ESCALATE, CONSOLE), effects=(Effect("card", "sent"), reply))
        assert change(on_the_console).lines == ()

    def test_is_nothing_of_what_the_card_itself_brings(self) -> None:
        before = replace(opened(REPLY, QUEUED), effects=(Effect("reply", "sending", token="r"),))
        after = answer_failed(before)
        assert (after.lines, the("card", after).state) == ((), "pending")

    def test_holds_nothing_of_what_the_post_said(self) -> None:
        reply = Effect("reply", "sent", text="Sorry, Mira!", by="U1")
        made = replace(opened(ESCALATE, QUEUED), effects=(OUT, reply))
        for change in (resolve, edit, erase):
            made = change(made)
        told = " ".join(lines(made))
        assert not {"hello", "furious", "Mira", "mira"} & set(told.split())


def thread(**turns: list[Turn]) -> Simulation:
    """A bot whose card is out; `turns` are what Slack does with lines."""
    bot = Simulation()
    bot.arrive(ANGRY)
    bot.run_on(2)
    for name, planned in turns.items():
        setattr(bot.lines, name, planned)
    return bot


def only_line(bot: Simulation) -> Effect:
    effect = bot.store.only().effect("line")
    assert effect
    return effect


def act(bot: Simulation, do: str, who: str = "U1") -> None:
    bot.ask(do, "101", who)
    bot.act()


class TestAThread:
    def test_is_told_each_deed_in_order(self) -> None:
        bot = thread()
        for do, who in (("claim", "U1"), ("release", "U2"), ("claim", "U2"), ("resolve", "U2")):
            act(bot, do, who)
            bot.run_on(1)
        assert bot.lines.said("101") == [
            "U1 claimed it.",
            "U2 released it.",
            "U2 claimed it.",
            "U2 resolved it.",
        ]
        assert bot.lines.happened["101"] == 4

    def test_is_told_together_what_happened_together(self) -> None:
        bot = thread()
        act(bot, "claim")
        act(bot, "resolve")
        bot.run_on(2)
        assert bot.lines.said("101") == ["U1 claimed it.", "U1 resolved it."]
        assert bot.lines.happened["101"] == 1

    def test_is_told_afterwards_what_happened_while_it_was_told_something(self) -> None:
        bot = thread()
        bot.lines.before = [lambda: act(bot, "resolve")]
        act(bot, "claim")
        bot.run_on(2)
        assert bot.lines.said("101") == ["U1 claimed it.", "U1 resolved it."]
        assert (bot.lines.happened["101"], bot.quiet()) == (2, True)

    def test_is_told_nothing_twice_where_an_answer_was_lost(self) -> None:
        bot = thread(after=[Unknown("Lost.")])
        act(bot, "claim")
        bot.notify()
        act(bot, "resolve")
        bot.run_on(10)
        assert bot.lines.said("101") == ["U1 claimed it.", "U1 resolved it."]
        assert bot.lines.looked_up == 1

    def test_is_told_again_what_was_lost_on_its_way(self) -> None:
        bot = thread(before=[Unknown("Lost.")])
        act(bot, "claim")
        bot.run_on(10)
        assert (bot.lines.said("101"), bot.lines.looked_up) == (["U1 claimed it."], 2)

    def test_does_not_take_an_earlier_message_for_the_one_that_is_looked_for(self) -> None:
        bot = thread()
        act(bot, "claim")
        bot.run_on(2)
        bot.lines.before = [Unknown("Lost.")]
        act(bot, "resolve")
        bot.run_on(10)
        assert bot.lines.said("101") == ["U1 claimed it.", "U1 resolved it."]

    def test_is_told_later_where_slack_asks_for_that(self) -> None:
        bot = thread(before=[Retryable("Slow down.", 600)])
        act(bot, "claim")
        bot.run_on(5)
        assert (only_line(bot).state, bot.lines.said("101")) == ("pending", [])
        act(bot, "resolve")
        bot.run_on(10)
        assert bot.lines.said("101") == ["U1 claimed it.", "U1 resolved it."]

    def test_that_takes_no_answer_any_more_is_left_alone(self) -> None:
        bot = thread(before=[Permanent("The thread is locked.")])
        act(bot, "claim")
        bot.run_on(2)
        assert (only_line(bot).state, bot.store.only().lines) == ("failed", ())
        act(bot, "resolve")
        bot.run_on(2)
        assert bot.lines.said("101") == ["U1 resolved it."]

    def test_is_told_when_a_post_that_goes_on_was_erased(self) -> None:
        bot = thread()
        bot.store.change("101", partial(cases.erased, now=bot.clock()))
        bot.run_on(5)
        assert bot.lines.said("101") == ["bot The post was deleted, and our copy of it is erased."]

    def test_is_told_nothing_while_its_card_waits(self) -> None:
        bot = Simulation()
        bot.arrive(ANGRY)
        bot.triage()
        act(bot, "claim")
        bot.run_on(5)
        assert (bot.slack.happened["101"], bot.lines.happened.total()) == (1, 0)
        [(drawn, _)] = bot.slack.seen
        assert drawn.assignee == "U1"

    def test_of_a_worker_that_hangs_is_told_once(self) -> None:
        bot = thread()

        def hang() -> None:
            bot.clock.wait(150)
            bot.run_on(10)

        bot.lines.after = [hang]
        act(bot, "claim")
        bot.notify()
        while bot.notify():
            pass
        act(bot, "resolve")
        bot.run_on(5)
        assert bot.lines.said("101") == ["U1 claimed it.", "U1 resolved it."]


def test_a_case_that_was_answered_and_then_escalates_has_no_lines_of_before() -> None:
    bot = Simulation()
    bot.arrive(CALM)
    bot.run_on(2)
    bot.ask("claim", "102")
    bot.act()
    assert bot.store.only().lines == ()


def test_a_case_on_the_longest_post_with_the_longest_story_fits_into_a_dynamodb_item() -> None:
    verdict = Verdict(0.9, 0.5, "x" * cases.LONGEST_TOKENS, "m")
    made = case("😡" * LONGEST_TEXT, effects=(OUT,), verdict=verdict)
    for _ in range(cases.LONGEST_HISTORY + 1):
        made = cases.told(made, NOON, "U012AB3CD", f"answered: {'😡' * 140}")
    for _ in range(MOST_LINES + 1):
        made = line(made, "The answer failed: " + "x" * LONGEST_REASON)
    made = sending(made)
    for _ in range(MOST_LINES + 1):
        made = line(made, "The answer failed: " + "x" * LONGEST_REASON)
    body = json.dumps(records.to_json(made), ensure_ascii=False)
    assert len(body.encode()) < 400_000


def test_an_entry_tells_who_and_what() -> None:
    assert line(with_effects(OUT), "claimed it.", "U1").lines == (Entry(NOON, "U1", "claimed it."),)
