from dataclasses import replace

import pytest

from bot.cases import Effect, Entry, Label
from bot.errors import Permanent, Retryable
from bot.local.files import chunks
from bot.local.story import looked_at, story
from bot.verdicts import Verdict, Weight
from tests.examples import NOON, case
from tests.fakes import WordClassifier

TOLD = Verdict(0.95, 0.5, "i am angry", "words")
WORDS = (Weight("angry", 0.45), Weight("i am", -0.0625))


class TestACaseLookedAt:
    def test_tells_the_words_that_moved_it_though_nobody_asked_before(self) -> None:
        looked = looked_at(case(verdict=TOLD), WordClassifier())
        assert looked.verdict == replace(TOLD, words=(Weight("angry", 0.45),))

    def test_tells_what_was_found_when_it_was_decided(self) -> None:
        other = WordClassifier({"i": 0.9})
        before = case(verdict=replace(TOLD, words=WORDS))
        assert looked_at(before, other) is before
        assert other.calls == []

    @pytest.mark.parametrize(
        "verdict", [None, replace(TOLD, known=False), replace(TOLD, tokens="")]
    )
    def test_has_no_words_where_there_was_nothing_to_judge(self, verdict: Verdict | None) -> None:
        classifier = WordClassifier()
        before = case(verdict=verdict)
        assert looked_at(before, classifier) is before
        assert classifier.calls == []

    @pytest.mark.parametrize("failure", [Retryable("Busy."), Permanent("No such endpoint.")])
    def test_is_as_it_was_where_the_classifier_does_not_answer(self, failure: Exception) -> None:
        before = case(verdict=TOLD)
        assert looked_at(before, WordClassifier(failures=[failure])) is before


class TestAStory:
    def test_tells_everything_in_order(self) -> None:
        told = list(
            story(
                case(
                    "I am angry",
                    verdict=replace(TOLD, words=WORDS),
                    reasons=("It is bad.", "It is late."),
                    effects=(
                        Effect("card", "sent", outside_id="1700000000.000001"),
                        Effect("reply", "sent", text="Sorry!", outside_id="77", cost=10_000),
                    ),
                    thread="1984",
                    read_cost=1_000,
                    label=Label(True, "U1", NOON, "words"),
                    history=(Entry(NOON, "U1", "claimed"),),
                    trace="1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
                )
            )
        )
        assert told == [
            ("tweet", "1985000000000000001 by river_example"),
            ("text", "I am angry"),
            ("tokens", "i am angry"),
            ("verdict", "0.950 against 0.50, by words"),
            ("words", "angry +0.450, i am -0.062"),
            ("route", "escalate"),
            ("reason", "It is bad."),
            ("reason", "It is late."),
            ("goes on with", "1984, an earlier post of its author"),
            ("label", "a person was needed"),
            ("effect", "card: sent · 1700000000.000001"),
            ("effect", "reply: sent · 77 · Sorry!"),
            ("cost", "$0.011 (reading $0.001, reply $0.01)"),
            (
                "trace",
                "1-5bef4de7-ad49b0e87f6ef6c87fc2e700, by which the log's lines about it are found",
            ),
            ("2026-11-02 12:00:00", "U1: claimed"),
        ]

    def test_says_what_was_not_needed_and_leaves_out_what_is_not_there(self) -> None:
        told = dict(story(case(verdict=None, label=Label(False, "U1", NOON, None))))
        assert told["label"] == "no person was needed"
        assert told.keys().isdisjoint({"verdict", "words", "effect", "goes on with", "cost"})

    def test_says_why_an_effect_failed(self) -> None:
        effect = Effect("reply", "failed", text="Sorry!", problem="X refuses.")
        told = dict(story(case(effects=(effect,))))
        assert told["effect"] == "reply: failed · Sorry! · X refuses."


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (2, [2]), (3, [3]), (7, [3, 3, 1])])
def test_chunks_hold_each_item_once_in_order(count: int, sizes: list[int]) -> None:
    found = list(chunks(iter(range(count)), 3))
    assert [len(chunk) for chunk in found] == sizes
    assert [item for chunk in found for item in chunk] == list(range(count))
