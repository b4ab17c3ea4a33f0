from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot import cases, deeds, tryouts
from bot.cases import Case, Channels, Effect, Label
from bot.labels import (
    Band,
    Lesson,
    Tally,
    Word,
    conflicts,
    lesson_of,
    meant,
    statistics,
)
from bot.notices import Incident
from bot.policy import Decision, Rules, rules_from
from bot.probes import AUTHOR
from bot.tweets import Author, Tweet
from bot.unlabelled import MOST_ALIKE, NEW, POOL, Question, gist, to_ask
from bot.verdicts import Verdict
from tests.examples import NOON, case

CHANNELS = Channels(cards_queued=False, replies="on")
HOUR = timedelta(hours=1)
SURE = Verdict(0.06, 0.5, "thanks for the parcel", "starter")


def decided(
    text: str = "thanks for the parcel",
    probability: float = 0.06,
    *,
    case_id: str = "7",
    known: bool = True,
) -> Case:
    """A case as triage makes it, answered or escalated by the model alone."""
    tweet = Tweet(case_id, text, case_id, Author("77", "river"), answer=True)
    return cases.opened(
        tweet,
        Verdict(probability, 0.5, text.lower(), "starter", known=known),
        Decision("escalate" if probability >= 0.5 else "reply", ("The model thinks so.",)),
        CHANNELS,
        reply_text="You are welcome.",
        received_at=NOON,
        now=NOON,
    )


def relabelled(labelled: Case, *words: tuple[str, bool]) -> Case:
    for number, (who, escalate) in enumerate(words, 1):
        labelled = deeds.relabelled(labelled, escalate, who, CHANNELS, NOON + number * HOUR)
    return labelled


def lesson(labelled: Case) -> Lesson:
    found = lesson_of(labelled)
    assert found
    return found


class TestALabelInAFile:
    @pytest.mark.parametrize("word", ["yes", "True", "True ", "1", "1.0", "Y", "__label__1"])
    def test_says_that_a_person_is_needed(self, word: str) -> None:
        assert meant(word) is True

    @pytest.mark.parametrize("word", ["no", "FALSE", " 0", "0.0", "n", "__label__0"])
    def test_says_that_nobody_is(self, word: str) -> None:
        assert meant(word) is False

    @pytest.mark.parametrize("word", ["", "maybe", "2", "ja?", "10"])
    def test_is_not_guessed_at(self, word: str) -> None:
        assert meant(word) is None


class TestALesson:
    def test_tells_who_said_what_of_which_verdict(self) -> None:
        found = lesson(relabelled(decided(), ("U1", True)))
        assert found == Lesson(
            id="7",
            text="thanks for the parcel",
            escalate=True,
            who="U1",
            at=NOON + HOUR,
            model="starter",
            said=False,
            confidence=0.94,
            did="reply",
            words=(Word(True, "U1", NOON + HOUR),),
        )
        assert (found.overruled, found.missed, found.unseen) == (True, True, True)
        assert not found.false_alarm

    def test_knows_what_the_bot_did_although_the_label_made_a_card(self) -> None:
        labelled = relabelled(decided(), ("U1", True))
        assert labelled.route == "escalate"
        assert lesson(labelled).did == "reply"
        skipped = replace(decided(), route="skip")
        skipped = cases.told(skipped, NOON, "bot", "skip: It is a retweet.")
        assert lesson(relabelled(skipped, ("U1", True))).did == "skip"
        assert lesson(relabelled(decided(probability=0.9), ("U1", True))).did == "escalate"

    def test_that_calls_off_a_card_is_a_false_alarm(self) -> None:
        found = lesson(deeds.dismissed(decided(probability=0.9), "U1", NOON))
        assert (found.said, found.false_alarm, found.missed, found.unseen) == (
            True,
            True,
            False,
            False,
        )

    def test_agrees_with_the_model_where_a_rule_escalated(self) -> None:
        by_rule = replace(decided(), route="escalate", reasons=("It names a lawyer.",))
        found = lesson(relabelled(by_rule, ("U1", False)))
        assert (found.did, found.overruled) == ("escalate", False)

    def test_is_compared_with_the_bot_where_the_model_knew_no_word(self) -> None:
        unknown = decided("xyzzy plugh", 0.5, known=False)
        found = lesson(relabelled(unknown, ("U1", False)))
        assert (found.said, found.confidence, found.overruled) == (None, None, True)
        held = replace(decided(probability=0.9), verdict=None)
        assert lesson(relabelled(held, ("U1", True))).overruled is False

    def test_comes_from_what_somebody_tried_too(self) -> None:
        tried = replace(decided(), route="skip", reasons=(tryouts.REASON,))
        found = lesson(deeds.labelled(tried, "U1", NOON, escalate=True))
        assert (found.did, found.overruled, found.unseen) == ("tried", True, False)
        unjudged = tryouts.unjudged(tried.tweet, NOON)
        found = lesson(deeds.labelled(unjudged, "U1", NOON, escalate=True))
        assert found.overruled is None

    def test_of_an_earlier_release_says_what_it_knows(self) -> None:
        old = replace(decided(), label=Label(True, "", NOON, None))
        assert lesson(old).words == (Word(True, "", NOON),)

    def test_is_outdated_once_the_post_is_edited_and_until_somebody_looks_again(self) -> None:
        labelled = relabelled(decided(), ("U1", True))
        later = replace(labelled.tweet, id="8", root_id="7", text="never mind")
        edited = cases.edited(
            labelled, later, SURE, Decision("reply", ()), CHANNELS, NOON + 2 * HOUR
        )
        assert not lesson(labelled).edited
        assert lesson(edited).edited
        again = deeds.relabelled(edited, False, "U2", CHANNELS, NOON + 3 * HOUR)
        assert not lesson(again).edited

    @pytest.mark.parametrize(
        "nothing",
        [
            decided(),
            cases.erased(relabelled(decided(), ("U1", True)), NOON),
            replace(
                relabelled(decided(), ("U1", True)),
                tweet=Tweet("9", "a test", "9", AUTHOR, source="webhook"),
            ),
            replace(
                relabelled(decided(), ("U1", True)),
                route="notice",
                notice=Incident("burst", NOON, cases=()),
            ),
        ],
        ids=["no label", "erased", "smoke test", "notice"],
    )
    def test_is_not_drawn_from_what_is_no_post_or_has_no_label(self, nothing: Case) -> None:
        assert lesson_of(nothing) is None


class TestADispute:
    @pytest.mark.parametrize(
        ("words", "disputed"),
        [
            ([("U1", True)], False),
            ([("U1", True), ("U2", False)], False),
            ([("U1", True), ("U1", False), ("U1", True)], False),
            ([("U1", True), ("U2", False), ("U1", True)], True),
            ([("U1", True), ("U2", False), ("U3", True)], False),
            ([("U1", True), ("U2", False), ("U1", True), ("U3", False)], False),
            ([("U1", True), ("U2", False), ("U1", True), ("U3", True)], False),
            ([("U1", False), ("U2", True), ("U3", False), ("U2", True)], True),
        ],
    )
    def test_is_a_back_and_forth_without_a_majority(
        self, words: list[tuple[str, bool]], disputed: bool
    ) -> None:
        assert lesson(relabelled(decided(), *words)).disputed is disputed


class TestConflicts:
    def test_are_texts_that_the_model_reads_the_same_and_that_got_both_labels(self) -> None:
        one = lesson(relabelled(decided("Where IS it?", case_id="1"), ("U1", True)))
        other = lesson(relabelled(decided("where is it", case_id="2"), ("U2", False)))
        third = lesson(relabelled(decided("where is she", case_id="3"), ("U2", False)))
        found = conflicts([one, other, third])
        assert found.texts == ((one, other),)
        assert found.ids == {"1", "2"}

    def test_of_texts_without_a_word_are_told_apart_by_the_texts(self) -> None:
        one = lesson(relabelled(decided("?!", case_id="1"), ("U1", True)))
        other = lesson(relabelled(decided("...", case_id="2"), ("U2", False)))
        assert conflicts([one, other]).ids == frozenset()

    def test_are_cases_in_dispute_but_nothing_that_was_edited_since(self) -> None:
        disputed = lesson(relabelled(decided(), ("U1", True), ("U2", False), ("U1", True)))
        assert conflicts([disputed]).cases == (disputed,)
        assert conflicts([replace(disputed, edited=True)]).ids == frozenset()


class TestStatistics:
    def test_count_corrections_each_way_by_person_week_and_confidence(self) -> None:
        missed = lesson(relabelled(decided(case_id="1"), ("U1", True)))
        agreed = replace(missed, id="2", escalate=False)
        alarm = lesson(relabelled(decided(probability=0.72, case_id="3"), ("U2", False)))
        last_week = replace(alarm, id="4", at=NOON - timedelta(days=1))
        found = statistics([missed, agreed, alarm, last_week])
        assert found.whole == Tally(4, missed=1, false_alarms=2)
        assert (found.needing, found.judged, found.answer, found.escalate) == (1, 4, 2, 2)
        assert (found.unseen, found.edited) == (1, 0)
        assert found.by == (("U1", Tally(2, 1, 0)), ("U2", Tally(2, 0, 2)))
        assert found.weeks == (
            (date(2026, 11, 2), Tally(3, 1, 1)),
            (date(2026, 10, 26), Tally(1, 0, 1)),
        )
        assert found.bands == (Band(0.7, 2, 0), Band(0.9, 2, 1))

    def test_of_no_labels_are_empty(self) -> None:
        assert statistics([]).whole == Tally(0, 0, 0)


NO_RULES = rules_from({})


def ask(*unlabelled: Case, count: int = 10, rules: Rules = NO_RULES) -> list[Question]:
    return to_ask(unlabelled, count, rules, 0.15, lambda verdict, _: float(not verdict.known))


class TestWhatToAskNext:
    def test_is_what_the_model_was_unsure_of_the_closest_first(self) -> None:
        found = ask(
            decided("is the shop open", 0.6, case_id="1"),
            decided("my parcel never came", 0.51, case_id="2"),
            decided("what a lovely day", 0.99, case_id="3"),
        )
        assert [(one.id, one.why) for one in found] == [("2", "unsure"), ("1", "unsure")]
        assert found[0].reason == "The model was unsure: 0.51 against 0.50."

    def test_is_what_has_words_that_are_new_to_it(self) -> None:
        [found] = ask(decided("xyzzy plugh", 0.5, known=False))
        assert (found.why, found.reason) == ("new words", "The model knows none of its words.")

    def test_asks_of_a_text_s_own_words_whether_they_are_new(self) -> None:
        asked: list[str] = []
        text = "@river the quixotic quixotic 17 https://t.co/abc parcel"
        tokens = "river the quixotic quixotic 17 https t co abc parcel"
        case = decided(text, 0.1)
        case = replace(case, verdict=Verdict(0.1, 0.5, tokens, "starter"))

        def unknown(_: Verdict, words: Any) -> float:
            asked.extend(words)
            return NEW

        [found] = to_ask([case], 1, NO_RULES, 0.15, unknown)
        assert asked == ["the", "quixotic", "parcel"]
        assert found.reason == "The model knows only 70% of its words."

    def test_has_a_few_of_which_the_model_was_sure_that_they_need_nobody(self) -> None:
        unsure = [decided(f"{word} parcel {word}s", 0.5, case_id=word) for word in WORDS[:20]]
        sure = [decided(f"{word} thanks {word}s", 0.01, case_id=f"s{word}") for word in WORDS[:20]]
        found = ask(*unsure, *sure, count=10)
        assert [one.why for one in found].count("check") == 2
        assert found[0].why == "unsure"
        check = next(one for one in found if one.why == "check")
        assert check.reason == "The model was 99% sure that it needs nobody: is that so?"

    def test_is_the_same_in_whatever_order_the_cases_come(self) -> None:
        many = [
            decided(f"{word} parcel", 0.4 + n / 200, case_id=word) for n, word in enumerate(WORDS)
        ]
        assert ask(*many) == ask(*reversed(many))

    def test_does_not_ask_ten_times_about_one_text(self) -> None:
        alike = [
            decided(f"is the shop in leeds open on sunday @{word}", 0.5, case_id=word)
            for word in WORDS[:9]
        ]
        alike.append(decided("is the shop in leeds open on sunday today", 0.5, case_id="today"))
        other = decided("my parcel never came", 0.6, case_id="other")
        found = ask(*alike, other)
        assert len(found) == 2
        assert found[1].id == "other"

    def test_prefers_what_has_least_in_common_with_the_others(self) -> None:
        found = ask(
            decided("refund for the broken red lamp", 0.5, case_id="1"),
            decided("refund for my broken blue chair", 0.51, case_id="2"),
            decided("nobody picks up", 0.52, case_id="3"),
        )
        assert [one.id for one in found] == ["1", "3", "2"]

    def test_asks_nothing_that_a_label_answered_already(self) -> None:
        labelled = relabelled(decided("my parcel never came @one", case_id="1"), ("U1", True))
        assert ask(decided("my parcel never came @two", 0.5, case_id="2"), labelled) == []

    @pytest.mark.parametrize(
        "nothing",
        [
            cases.erased(decided("xyzzy", 0.5), NOON),
            replace(decided("xyzzy", 0.5), verdict=None),
            decided("@river 17 https://t.co/abc", 0.5),
            replace(decided("xyzzy", 0.5), reasons=(tryouts.REASON,)),
            replace(decided("xyzzy", 0.5), route="notice"),
        ],
        ids=["erased", "unjudged", "no words", "tried", "notice"],
    )
    def test_leaves_out_what_teaches_nothing(self, nothing: Case) -> None:
        assert ask(nothing) == []

    def test_leaves_out_what_a_rule_gives_to_a_person_anyway(self) -> None:
        rules = rules_from({"always": [{"reason": "It names a lawyer.", "words": ["lawyer"]}]})
        found = ask(
            decided("my lawyer will call", 0.5, case_id="1"),
            decided("hello", 0.5, case_id="2"),
            rules=rules,
        )
        assert [one.id for one in found] == ["2"]
        japanese = decided("konnichiwa", 0.5)
        japanese = replace(japanese, tweet=replace(japanese.tweet, lang="ja"))
        assert ask(japanese) == []

    def test_keeps_the_best_of_more_than_it_holds(self) -> None:
        many = (
            decided(f"{one} {other}", 0.6, case_id=f"{one}{other}")
            for one in WORDS
            for other in WORDS[:45]
        )
        best = decided("my parcel never came", 0.5, case_id="best")
        assert len(WORDS) * 45 > POOL
        assert ask(*many, best)[0].id == "best"

    def test_has_room_for_others_beside_a_flood_of_one_text(self) -> None:
        flood = (
            decided(f"win a phone now @{number}", 0.5, case_id=f"f{number}")
            for number in range(POOL + 1)
        )
        other = decided("my parcel never came", 0.6, case_id="other")
        assert {one.id for one in ask(other, *flood)} == {"other", "f0"}

    def test_tells_texts_apart_by_their_words(self) -> None:
        assert gist("@river Where's order 17? https://t.co/abc") == {"where", "s", "order"}
        assert 0 < MOST_ALIKE < 1


WORDS = [f"{first}{last}" for first in ("ka", "lo", "mi", "nu", "pe") for last in "abcdefghij"]


def test_a_label_outlives_a_failed_answer() -> None:
    labelled = relabelled(decided(), ("U1", True))
    answered = cases.put(labelled, Effect("reply", "sending", token="t", by="U1"))
    failed = cases.failed(answered, "reply", "t", "X said no.", CHANNELS, NOON)
    assert lesson(failed).did == "reply"


def test_a_case_that_an_agent_was_given_was_not_unseen() -> None:
    assert not lesson(relabelled(case(), ("U1", True))).unseen
