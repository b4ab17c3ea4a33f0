"""Edits and deletions among tweets on their way, in every order and at every moment."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.tweets import Tweet
from bot.wire import Deleted
from tests.simulation import ANGRY, CALM, Simulation
from tests.test_triage import asked, bot_with, case_of


def edit(number: int, text: str) -> Tweet:
    return replace(CALM, id=str(number), text=text)


class TestAnEdit:
    @pytest.mark.parametrize("batches", [[[0], [1]], [[0, 1]], [[1, 0]], [[1], [0]]])
    def test_is_the_same_case_in_whatever_order_it_comes(self, batches: list[list[int]]) -> None:
        both = [CALM, edit(105, "I am angry")]
        bot = bot_with()
        for batch in batches:
            bot.arrive(*[both[place] for place in batch])
            bot.triage()
        bot.run_on()
        case = bot.store.only()
        assert (case.id, case.tweet.id, case.route) == ("102", "105", "escalate")
        assert (bot.slack.happened["102"], bot.x.happened["102"]) == (1, 0)

    def test_that_comes_while_another_writer_opens_the_case_is_not_lost(self) -> None:
        bot = bot_with()
        bot.arrive(CALM)
        bot.triage()
        first = bot.store.only()
        late = bot_with()
        race(late, "add", lambda: late.store.add([first]))
        late.arrive(edit(105, "I am angry"))
        late.triage()
        assert late.store.only().tweet.id == "105"
        assert late.store.only().route == "escalate"

    def test_that_is_older_than_what_is_known_changes_nothing(self) -> None:
        bot = bot_with()
        bot.arrive(CALM, edit(1000, "thanks again"))
        bot.triage()
        bot.arrive(edit(999, "I am angry"))
        bot.triage()
        assert (bot.store.only().tweet.id, bot.store.only().route) == ("1000", "reply")
        assert len(asked(bot)) == 1


def race(bot: Simulation, method: str, meanwhile: Callable[[], object]) -> None:
    """`meanwhile` happens once, right before that method of the store is called."""
    inner: Any = bot._store
    once = [meanwhile]

    class Racing:
        def __getattr__(self, name: str) -> Any:
            if name == method and once:
                once.pop()()
            return getattr(inner, name)

    bot._store = Racing()


class TestADeletion:
    def test_before_the_tweet_keeps_it_from_ever_being_read(self) -> None:
        bot = bot_with()
        bot.arrive(Deleted("101"))
        bot.triage()
        bot.arrive(ANGRY)
        bot.run_on()
        case = bot.store.only()
        assert (case.tweet.text, case.route, case.erased) == ("", "skip", True)
        assert asked(bot) == []
        assert not bot.slack.happened

    @pytest.mark.parametrize("turn", [1, -1])
    def test_in_the_batch_of_its_tweet_wins(self, turn: int) -> None:
        bot = bot_with()
        both: list[Tweet | Deleted] = [ANGRY, Deleted("101")]
        bot.arrive(*both[::turn])
        bot.run_on()
        assert (bot.store.only().tweet.text, bot.store.only().erased) == ("", True)
        assert not bot.slack.happened

    def test_after_the_tweet_takes_its_words_and_draws_the_card_anew(self) -> None:
        bot = bot_with()
        bot.arrive(ANGRY)
        bot.run_on()
        bot.arrive(Deleted("101"), Deleted("101"))
        bot.run_on()
        assert (bot.store.only().tweet.text, bot.store.only().erased) == ("", True)
        [(case, _)] = bot.updates.seen
        assert case.tweet.text == ""

    def test_reaches_the_card_without_waiting_for_housekeeping(self) -> None:
        bot = bot_with()
        bot.arrive(ANGRY)
        bot.run_on()
        bot.arrive(Deleted("101"), ANGRY)
        bot.triage()
        assert bot.cards.bodies()[1:] == [
            {"case": "101", "effect": kind, "attempt": 1} for kind in ("update", "line")
        ]

    @pytest.mark.parametrize("deleted", ["102", "105"])
    @pytest.mark.parametrize("order", [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 2, 1]])
    @pytest.mark.parametrize("together", [True, False])
    def test_of_an_edited_post_is_known_by_either_id_in_any_order(
        self, deleted: str, order: list[int], *, together: bool
    ) -> None:
        arrivals: list[Tweet | Deleted] = [CALM, edit(105, "I am angry"), Deleted(deleted)]
        bot = bot_with()
        for place in order:
            bot.arrive(arrivals[place])
            if not together:
                bot.triage()
        bot.run_on()
        assert case_of(bot, "102").erased
        assert {case.tweet.text for case in bot.store.newest()} == {""}

    @pytest.mark.parametrize("method", ["set_note", "get", "add"])
    def test_at_the_very_moment_its_edit_is_decided_wins(self, method: str) -> None:
        bot = bot_with()

        def delete() -> None:
            bot.arrive(Deleted("105"))
            bot.triage()

        race(bot, method, delete)
        bot.arrive(edit(105, "I am angry"))
        bot.triage()
        bot.run_on()
        assert {case.tweet.text for case in bot.store.newest()} == {""}

    def test_wins_where_its_edit_is_decided_in_its_middle(self) -> None:
        bot = bot_with()

        def edit_it() -> None:
            bot.arrive(edit(105, "I am angry"))
            bot.triage()

        race(bot, "add", edit_it)
        bot.arrive(Deleted("105"))
        bot.triage()
        bot.run_on()
        assert {case.tweet.text for case in bot.store.newest()} == {""}

    def test_while_an_edit_is_decided_is_not_undone_by_it(self) -> None:
        bot = bot_with()
        bot.arrive(CALM)
        bot.triage()

        def delete() -> None:
            bot.arrive(Deleted("102"))
            bot.triage()

        bot.store.before_change = delete
        bot.arrive(edit(105, "I am angry"))
        bot.triage()
        assert (bot.store.only().tweet.text, bot.store.only().erased) == ("", True)
