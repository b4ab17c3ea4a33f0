"""The threshold that is set while the bot runs."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from bot.cases import Case
from bot.errors import Refused
from bot.policy import Rules, rules_from
from bot.settings import HOUSE
from bot.thresholds import LOOKED_AT, Chosen, Thresholds, changed, checked
from bot.verdicts import Verdict
from tests.examples import NOON, case
from tests.fakes import MemoryCases
from tests.simulation import ANGRY, Simulation
from tests.test_cases import LATER

RULES = rules_from(tomllib.loads((HOUSE / "rules.toml").read_text("utf-8")))


class TestAThreshold:
    def test_is_the_setting_until_somebody_chooses_another(self) -> None:
        thresholds = Thresholds(MemoryCases(), 0.7)
        assert (thresholds(), thresholds.chosen()) == (0.7, None)
        thresholds.choose(0.6, "U1", NOON)
        assert (thresholds(), thresholds.chosen()) == (0.6, Chosen(0.6, "U1", NOON))
        thresholds.choose(0.0, "U2", LATER)
        assert thresholds() == 0.0

    def test_is_the_models_own_where_nothing_is_set(self) -> None:
        assert Thresholds(MemoryCases(), None)() is None

    def test_holds_again_when_the_choice_is_taken_back(self) -> None:
        thresholds = Thresholds(MemoryCases(), 0.7)
        thresholds.choose(0.6, "U1", NOON)
        thresholds.forget()
        assert (thresholds(), thresholds.chosen()) == (0.7, None)

    def test_is_chosen_for_all_functions_at_once(self) -> None:
        store = MemoryCases()
        Thresholds(store, None).choose(0.6, "U1", NOON)
        assert Thresholds(store, 0.7)() == 0.6

    @pytest.mark.parametrize(
        ("typed", "value"), [("0.6", 0.6), ("0,6", 0.6), ("0", 0), ("1", 1), (0.25, 0.25)]
    )
    def test_may_be_written_as_people_write_it(self, typed: object, value: float) -> None:
        assert checked(typed) == value

    @pytest.mark.parametrize(
        "typed", ["", "-0.1", "1.1", "60%", "nan", "inf", "a lot", None, "x" * 99]
    )
    def test_that_is_no_probability_is_refused(self, typed: object) -> None:
        thresholds = Thresholds(MemoryCases(), None)
        with pytest.raises(Refused, match=r"a number from 0 to 1, such as 0\.6, not «.{0,40}»"):
            thresholds.choose(typed, "U1", NOON)  # type: ignore[arg-type]
        assert thresholds.chosen() is None

    def test_decides_the_next_tweet(self) -> None:
        bot = Simulation()
        thresholds = Thresholds(bot.store, None)
        bot.desk = replace(bot.desk, threshold=thresholds)
        bot.arrive(ANGRY)
        bot.triage()
        thresholds.choose(0.99, "U1", NOON)
        bot.arrive(replace(ANGRY, id="103", root_id="103"))
        bot.triage()
        found = bot.store.get(["101", "103"])
        assert [found[one].route for one in ("101", "103")] == ["escalate", "reply"]


def judged(number: int, probability: float, **changes: Any) -> Case:
    made = case(verdict=Verdict(probability, 0.5, "a parcel", "m"), **changes)
    tweet = replace(made.tweet, id=str(number), root_id=str(number), lang="en")
    return replace(made, tweet=tweet)


class TestWhatAnotherWouldHaveChanged:
    PROBABILITIES = (0.1, 0.45, 0.5, 0.55, 0.9)

    @pytest.mark.parametrize(
        ("value", "more", "fewer"),
        [
            (0.5, [], []),
            (0.45, [0.45], []),
            (0.0, [0.1, 0.45], []),
            (0.51, [], [0.5]),
            (1.0, [], [0.5, 0.55, 0.9]),
        ],
    )
    def test_is_those_that_lie_between(
        self, value: float, more: list[float], fewer: list[float]
    ) -> None:
        found = [judged(n, p) for n, p in enumerate(self.PROBABILITIES)]
        change = changed(found, value, Rules(), 0.15)
        assert change.looked_at == 5
        assert [one.verdict and one.verdict.probability for one in change.more] == more
        assert [one.verdict and one.verdict.probability for one in change.fewer] == fewer

    def test_is_asked_of_the_newest_two_hundred(self) -> None:
        found = (judged(number, 0.4) for number in range(LOOKED_AT + 50))
        change = changed(found, 0.3, Rules(), 0.15)
        assert (change.looked_at, len(change.more), change.more[0].id) == (200, 200, "0")

    def test_leaves_out_what_nobody_judged_or_was_erased(self) -> None:
        found = [judged(1, 0.4, erased=True), case(verdict=None), judged(2, 0.4)]
        assert [one.id for one in changed(found, 0.3, Rules(), 0.15).more] == ["2"]

    def test_is_nothing_where_a_rule_or_a_doubt_decides(self) -> None:
        threat = replace(judged(1, 0.9), verdict=Verdict(0.9, 0.5, "i will sue you", "m"))
        unknown = replace(judged(2, 0.5), verdict=Verdict(0.5, 0.5, "xyzzy", "m", known=False))
        for value in (0.0, 1.0):
            change = changed([threat, unknown], value, RULES, 0.15)
            assert (change.more, change.fewer) == ((), ())
