"""What is let out in the account's name, and what is counted for it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bot import conversations
from bot.cases import Case, Effect
from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.ports import Admission, Go, Stay, Wait
from bot.tweets import Author, Tweet
from bot.twitter.gate import AGENTS_SHARE, BUDGET_LOOK_AGAIN, GOES_ON, LOOK_AGAIN, PACE, Gate
from bot.twitter.ledger import Ledger
from bot.twitter.optouts import OptOuts
from bot.twitter.pace import CALLS, REMEMBERED, UNLIKE, WINDOW, Pace
from bot.twitter.pause import PAUSE
from bot.twitter.rules import AGENTS, STOPPED, Limits
from tests.examples import NOON, case
from tests.fakes import MemoryCases

MINUTE = timedelta(minutes=1)
BOTS = CALLS - AGENTS_SHARE
VARIANTS = 40


@dataclass(frozen=True)
class Variant:
    text: str
    marks: tuple[str, str]


def choose(tweet: Tweet, now: datetime, used: Collection[str]) -> Variant | None:  # noqa: ARG001
    for n in range(VARIANTS):
        text = f"Hello {tweet.author.id}, number {n}!"
        if not {text, f"variant {n}"} & set(used):
            return Variant(text, (text, f"variant {n}"))
    return None


def to(number: int, *, author: str | None = None, **changes: Any) -> Case:
    """The case of a mention by an author of that number, written a minute before noon."""
    who = author or str(number)
    tweet = Tweet(
        id=f"1{number:05}",
        text=f"hello number {number}",
        root_id=f"1{number:05}",
        author=Author(who, f"author_{who}"),
        created_at=NOON - MINUTE,
        conversation_id=f"1{number:05}",
        kind="mention",
        mentions=frozenset({"4400"}),
        source="webhook",
        answer=True,
    )
    effect = Effect("reply", "pending", text="Hello!")
    return case(tweet=replace(tweet, **changes), route="reply", effects=(effect,))


class Door:
    """A gate over a store, at noon unless told otherwise."""

    def __init__(self, budget: float | None = None, **changes: Any) -> None:
        self.store = MemoryCases()
        self.ledger = Ledger(self.store, None, budget)
        gate = Gate(
            store=self.store,
            ledger=self.ledger,
            limits=Limits(),
            account=lambda: frozenset({"4400"}),
            choose=choose,
            has_link=lambda text: "https" in text,
            sends=True,
        )
        self.gate = replace(gate, **changes)

    def ask(self, made: Case, now: datetime = NOON, **effect: Any) -> Admission:
        before = made.effect("reply") or Effect("reply", "pending")
        return self.gate.admit(made, replace(before, **effect), now)

    def goes(self, made: Case, now: datetime = NOON, **effect: Any) -> bool:
        return isinstance(self.ask(made, now, **effect), Go)

    def counts(self, now: datetime = NOON) -> Any:
        return self.ledger.month(now).get(now.date().isoformat(), {})


class TestAnAnswer:
    def test_goes_out_with_a_text_and_its_price_and_is_counted(self) -> None:
        door = Door()
        assert door.ask(to(1)) == Go("Hello 1, number 0!", 10_000)
        assert door.counts() == {"reply": 1}

    def test_with_a_link_costs_twenty_times_as_much(self) -> None:
        door = Door(choose=lambda *_: Variant("See https://harbor.example", ("a", "b")))
        assert door.ask(to(1)) == Go("See https://harbor.example", 200_000)
        assert door.counts() == {"reply with link": 1}

    def test_to_a_post_that_x_forbids_to_answer_stays(self) -> None:
        admission = Door().ask(to(1, mentions=frozenset()))
        assert isinstance(admission, Stay)
        assert "does not mention the account" in admission.reason

    def test_that_waited_too_long_stays(self) -> None:
        door = Door()
        assert door.goes(to(1), NOON + timedelta(hours=5, minutes=58))
        admission = door.ask(to(2), NOON + timedelta(hours=6))
        assert isinstance(admission, Stay)
        assert "older than 6 hours" in admission.reason

    @pytest.mark.parametrize(
        "known", [Author("1"), Author(None, "AUTHOR_1"), Author(None, "@author_1")]
    )
    def test_to_who_opted_out_stays(self, known: Author) -> None:
        door = Door()
        OptOuts(door.store, lambda _: True).add(known, NOON)
        assert door.ask(to(1)) == Stay(STOPPED)
        assert door.goes(to(2))

    def test_to_who_opted_out_while_it_waited_stays_too(self) -> None:
        door = Door()
        door.store.set_note(PAUSE, {"who": "lead"})
        assert not door.goes(to(1))
        OptOuts(door.store, lambda text: "stop" in text).heed([to(1, text="stop").tweet], NOON)
        door.store.set_note(PAUSE, None)
        assert door.ask(to(1)) == Stay(STOPPED)


class TestAPause:
    def test_holds_what_is_queued_already_and_lets_it_go_afterwards(self) -> None:
        door = Door()
        door.store.set_note(PAUSE, {"who": "lead"})
        assert door.ask(to(1)) == Wait("Automatic replies are paused.", NOON + LOOK_AGAIN)
        assert door.counts() == {}
        door.store.set_note(PAUSE, None)
        assert door.goes(to(1), NOON + LOOK_AGAIN)

    def test_does_not_hold_what_is_too_old_anyway(self) -> None:
        door = Door()
        door.store.set_note(PAUSE, {"who": "lead"})
        assert isinstance(door.ask(to(1), NOON + timedelta(hours=7)), Stay)

    def test_does_not_hold_what_an_agent_wrote(self) -> None:
        door = Door()
        door.store.set_note(PAUSE, {"who": "lead"})
        assert door.ask(to(1), by="U1", text="We call you.") == Go("We call you.", 10_000)


class TestAnAuthor:
    def test_gets_two_answers_a_day(self) -> None:
        door = Door()
        assert [door.goes(to(n, author="7")) for n in range(4)] == [True, True, False, False]
        assert door.goes(to(5, author="8"))

    def test_gets_answers_again_on_the_next_day(self) -> None:
        door = Door()
        for n in range(2):
            door.ask(to(n, author="7"))
        midnight = NOON + timedelta(hours=12)
        assert door.goes(to(3, author="7", created_at=midnight), midnight)

    def test_is_not_charged_for_an_answer_that_is_tried_again(self) -> None:
        door = Door()
        for _ in range(3):
            assert door.goes(to(1, author="7"))
        assert door.goes(to(2, author="7"))
        assert not door.goes(to(3, author="7"))

    @pytest.mark.parametrize("failure", [Permanent("Duplicate."), Retryable("503")])
    def test_is_not_charged_for_an_answer_that_x_did_not_take(self, failure: Failure) -> None:
        door = Door()
        for n in range(4):
            made = to(n, author="7", conversation_id="9")
            assert door.goes(made)
            door.gate.settle(made, Effect("reply", "sending"), failure, NOON)
        assert door.counts() == {"reply": 0}

    def test_is_charged_once_where_two_wanted_to_send_the_same(self) -> None:
        door = Door()
        made = to(1, author="7")
        won, lost = door.ask(made), door.ask(made)
        assert isinstance(won, Go)
        assert isinstance(lost, Go)
        door.gate.undo(made, lost, NOON, answered=True)
        assert door.counts() == {"reply": 1}
        assert [door.goes(to(n, author="7")) for n in (2, 3)] == [True, False]

    def test_is_not_charged_for_an_answer_that_nobody_wanted_any_more(self) -> None:
        door = Door()
        for n in range(4):
            made = to(n, author="7")
            go = door.ask(made)
            assert isinstance(go, Go)
            door.gate.undo(made, go, NOON, answered=False)
        assert door.counts() == {"reply": 0}


def written(number: int, at: datetime, **changes: Any) -> Case:
    """One more post of author 7 in the conversation that began with post 1."""
    return to(number, author="7", conversation_id="100001", created_at=at, **changes)


class TestAConversation:
    def test_gets_one_answer_to_what_was_written_before_it(self) -> None:
        door = Door()
        assert door.goes(to(1, author="7"))
        admission = door.ask(written(2, NOON - MINUTE))
        assert isinstance(admission, Stay)
        assert "nobody has written again" in admission.reason

    def test_gets_another_when_a_person_writes_again(self) -> None:
        door = Door()
        assert door.goes(to(1, author="7"))
        assert door.goes(written(2, NOON + MINUTE), NOON + 2 * MINUTE)

    @pytest.mark.parametrize(
        "changes",
        [
            {"author": Author("7", "weather_bot")},
            {"author": Author("7", "BotOfTheBay")},
            {"author": Author("7", "harbor_bot2")},
            {"author": Author("7", "river", "River (automated)")},
            {"author": Author("7", "river", "River 🤖")},
            {"text": "Hello  number 1"},
            {"created_at": NOON + timedelta(seconds=5)},
        ],
    )
    def test_with_a_bot_ends_after_one(self, changes: dict[str, Any]) -> None:
        door = Door()
        first = to(1, author="7")
        tweet = replace(first.tweet, author=changes.get("author", first.tweet.author))
        assert door.goes(replace(first, tweet=tweet))
        second = written(2, NOON + MINUTE)
        again = replace(second, tweet=replace(second.tweet, **changes))
        admission = door.ask(again, NOON + 2 * MINUTE)
        assert isinstance(admission, Stay)
        assert "A bot seems to answer the bot" in admission.reason

    @pytest.mark.parametrize(
        "handle",
        ["abbott", "robothelper", "botany_bay", "sabotage", "abbot", "jtalbot"],
    )
    def test_with_a_person_whose_name_only_sounds_so_goes_on(self, handle: str) -> None:
        door = Door()
        author = Author("7", handle, "Abbott")
        first, second = to(1, author="7"), written(2, NOON + MINUTE)
        assert door.goes(replace(first, tweet=replace(first.tweet, author=author)))
        assert door.goes(
            replace(second, tweet=replace(second.tweet, author=author)), NOON + 2 * MINUTE
        )

    def test_under_one_post_of_many_authors_is_one_of_each(self) -> None:
        door = Door()
        assert all(door.goes(to(n, conversation_id="9")) for n in range(5))

    def test_in_which_an_agent_has_answered_goes_to_a_person(self) -> None:
        door = Door()
        door.gate.agent_answers(to(1, author="7").tweet, NOON)
        admission = door.ask(written(2, NOON + MINUTE), NOON + 2 * MINUTE)
        assert admission == Stay(AGENTS, person=True)

    def test_that_a_person_has_by_now_goes_to_that_person(self) -> None:
        door = Door()
        head = to(1, author="7")
        door.store.add([head])
        conversations.lead(door.store, [replace(head, effects=(Effect("card", "sent"),))])
        admission = door.ask(written(2, NOON + MINUTE), NOON + 2 * MINUTE)
        assert admission == Stay(GOES_ON, person=True, head=head)
        assert door.goes(head), "its own card is no other's"
        door.store.change(head.id, lambda case: replace(case, resolved=True))
        assert door.goes(written(3, NOON + MINUTE), NOON + 2 * MINUTE)

    def test_keeps_who_heads_it_when_it_is_answered(self) -> None:
        door = Door()
        name = conversations.name(to(1, author="7").tweet)
        assert name is not None
        head = conversations.Conversation(head="5")
        door.store.set_note(name, conversations.to_json(head))
        door.ask(to(1, author="7"))
        assert door.store.note(name)["head"] == "5"


class TestTheText:
    def test_differs_from_the_last_twenty_sent(self) -> None:
        door = Door()
        said = [door.ask(to(n), NOON + n * timedelta(seconds=1)) for n in range(60)]
        variants = [go.text.partition(",")[2] for go in said if isinstance(go, Go)]
        assert len(variants) == 60
        for place in range(60):
            assert variants[place] not in variants[max(0, place - UNLIKE) : place]

    def test_is_not_one_that_x_may_remember(self) -> None:
        door = Door(choose=lambda _t, _n, used: None if "a" in used else Variant("Hi!", ("a", "b")))
        assert door.goes(to(0))
        for n in range(1, REMEMBERED + 1):
            door.gate._change_pace(
                NOON, partial(Pace.with_answer, case_id=f"c{n}", marks=("c", "d"))
            )
            assert door.goes(to(900)) is (n == REMEMBERED)

    def test_is_never_told_to_the_same_author_again(self) -> None:
        door = Door()
        assert door.ask(to(1, author="7")) == Go("Hello 7, number 0!", 10_000)
        door.store.set_note(PACE, None)  # many others have been answered since
        assert door.ask(to(2, author="7")) == Go("Hello 7, number 1!", 10_000)
        assert door.ask(to(1, author="7")) == Go("Hello 7, number 0!", 10_000), "a second try"

    def test_that_is_not_left_means_no_answer(self) -> None:
        door = Door(choose=lambda _tweet, _now, used: None if used else Variant("Hi!", ("a", "b")))
        assert door.goes(to(1))
        assert isinstance(door.ask(to(2)), Stay)

    def test_may_be_the_same_at_a_second_try(self) -> None:
        door = Door(choose=lambda _tweet, _now, used: None if used else Variant("Hi!", ("a", "b")))
        assert door.goes(to(1))
        assert door.goes(to(1))


class TestTheAccount:
    def test_posts_less_often_than_x_takes_and_keeps_some_for_agents(self) -> None:
        door = Door()
        assert all(door.goes(to(n), NOON) for n in range(BOTS))
        admission = door.ask(to(200), NOON + MINUTE)
        assert admission == Wait("X takes 100 posts of an account in 15 minutes.", NOON + WINDOW)
        agents = [door.goes(to(300 + n), NOON + MINUTE, by="U1") for n in range(AGENTS_SHARE + 1)]
        assert agents == [True] * AGENTS_SHARE + [False]

    def test_posts_again_when_the_window_has_passed(self) -> None:
        door = Door()
        for n in range(BOTS):
            door.ask(to(n), NOON)
        assert not door.goes(to(200), NOON + WINDOW - timedelta(seconds=1))
        assert door.goes(to(200), NOON + WINDOW)

    def test_spreads_a_long_line_over_windows(self) -> None:
        door = Door()
        for n in range(BOTS):
            door.ask(to(n), NOON)
        waits = [door.ask(to(200 + n), NOON) for n in range(2 * BOTS)]
        untils = [wait.until for wait in waits if isinstance(wait, Wait)]
        assert untils == [NOON + WINDOW] * BOTS + [NOON + 2 * WINDOW] * BOTS

    def test_does_not_count_calls_that_x_did_not_take(self) -> None:
        door = Door()
        for n in range(3 * CALLS):
            made = to(n)
            assert door.goes(made)
            door.gate.settle(made, Effect("reply", "sending"), Retryable("503"), NOON)

    def test_does_not_wait_for_what_concerns_one_answer(self) -> None:
        door = Door()
        made = to(1)
        door.ask(made)
        door.gate.settle(made, Effect("reply", "sending"), Retryable("Locked?", 3600), NOON)
        assert door.goes(to(2))

    def test_lets_agents_pass_those_who_wait(self) -> None:
        door = Door()
        for n in range(3 * CALLS):
            door.ask(to(n))
        for n in range(AGENTS_SHARE):
            assert door.goes(to(500 + n), by="U1")
        for n in range(2 * CALLS):
            admission = door.ask(to(600 + n), by="U1")
            assert isinstance(admission, Wait)
            assert admission.until == NOON + WINDOW

    def test_takes_a_damaged_note_for_none(self) -> None:
        door = Door()
        notes: list[Any] = [{}, [], "x", {"posted": ["soon"], "said": [], "waiting": 0}]
        for damaged in notes:
            door.store.set_note(PACE, damaged)
            assert door.goes(to(1))

    def test_waits_as_long_as_x_asks(self) -> None:
        door = Door()
        made = to(1)
        door.ask(made)
        door.gate.settle(made, Effect("reply", "sending"), Retryable("429", 600, shared=True), NOON)
        assert door.ask(to(2)) == Wait(
            "X takes nothing from the account for now.", NOON + timedelta(seconds=600)
        )
        assert door.goes(to(2), NOON + timedelta(seconds=600))

    def test_goes_on_after_a_hiccup(self) -> None:
        door = Door()
        made = to(1)
        door.ask(made)
        door.gate.settle(made, Effect("reply", "sending"), Retryable("503"), NOON)
        assert door.goes(to(2))


class TestTheBudget:
    def test_is_held_to_the_cent_and_then_replies_wait(self) -> None:
        door = Door(budget=0.03)
        assert [door.goes(to(n)) for n in range(5)] == [True] * 3 + [False] * 2
        assert door.ask(to(9)) == Wait(
            "The month's budget for X is used up.", NOON + BUDGET_LOOK_AGAIN
        )

    def test_does_not_count_what_x_did_not_take(self) -> None:
        door = Door(budget=0.01)
        for n, failure in enumerate([Retryable("503"), Permanent("No.")]):
            made = to(n)
            assert door.goes(made)
            door.gate.settle(made, Effect("reply", "sending", text="Hi"), failure, NOON)
        assert door.goes(to(9))

    def test_counts_what_x_may_have_taken(self) -> None:
        door = Door(budget=0.01)
        made = to(1)
        door.ask(made)
        door.gate.settle(made, Effect("reply", "sending", text="Hi"), Unknown("Lost."), NOON)
        assert not door.goes(to(2))

    def test_begins_anew_with_the_month(self) -> None:
        door = Door(budget=0.01)
        assert door.goes(to(1))
        december = NOON + timedelta(days=30)
        assert door.goes(to(2, created_at=december), december)

    def test_does_not_keep_an_agent_from_answering(self) -> None:
        door = Door(budget=0.0)
        assert not door.goes(to(1))
        assert door.goes(to(1), by="U1")


def test_a_dry_run_obeys_the_rules_but_costs_nothing_and_never_waits_its_turn() -> None:
    door = Door(sends=False, budget=0.0)
    assert [door.goes(to(n, author="7")) for n in range(3)] == [True, True, False]
    assert all(door.goes(to(n)) for n in range(10, 10 + CALLS + 1))
    assert door.counts() == {}
