import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Retryable
from bot.verdicts import Verdict, judge
from tests.fakes import WordClassifier

shares = st.floats(0, 1)


def one(text: str, classifier: WordClassifier, threshold: float | None = None) -> Verdict:
    [verdict] = judge([text], classifier, threshold)
    return verdict


@given(shares, shares)
def test_a_text_escalates_at_its_threshold_and_above(probability: float, threshold: float) -> None:
    verdict = Verdict(probability, threshold, "a", "words")
    assert verdict.escalate == (probability >= threshold)


@given(shares, shares)
def test_the_confidence_is_the_probability_of_the_side_taken(
    probability: float, threshold: float
) -> None:
    verdict = Verdict(probability, threshold, "a", "words")
    assert verdict.confidence == (probability if verdict.escalate else 1 - probability)


@pytest.mark.parametrize(
    ("probability", "unsure"), [(0.25, True), (0.75, True), (0.24, False), (0.76, False)]
)
def test_within_the_margin_it_is_unsure(probability: float, *, unsure: bool) -> None:
    assert Verdict(probability, 0.5, "a", "words").unsure(0.25) is unsure


def test_a_batch_is_judged_by_one_call_and_in_order() -> None:
    classifier = WordClassifier()
    verdicts = judge(["I'm ANGRY!", "😶", "…", "thanks"], classifier, None)
    assert classifier.calls == [["i m angry", "face without mouth", "thanks"]]
    assert [verdict.tokens for verdict in verdicts] == [
        "i m angry",
        "face without mouth",
        "",
        "thanks",
    ]
    assert [verdict.escalate for verdict in verdicts] == [True, True, True, False]
    assert [verdict.known for verdict in verdicts] == [True, False, False, True]


def test_nothing_to_ask_makes_no_call() -> None:
    classifier = WordClassifier()
    assert judge([], classifier, None) == []
    assert not one("…", classifier).known
    assert classifier.calls == []


def test_a_text_without_a_known_word_escalates_by_the_narrowest_of_margins() -> None:
    verdict = one("zebra", WordClassifier(), 0.7)
    assert verdict == Verdict(0.7, 0.7, "zebra", "words", known=False)
    assert verdict.escalate


@pytest.mark.parametrize(
    ("given_threshold", "own", "used"), [(0.8, 0.3, 0.8), (0.0, 0.3, 0.0), (None, 0.3, 0.3)]
)
def test_a_threshold_that_is_given_overrides_the_models(
    given_threshold: float | None, own: float | None, used: float
) -> None:
    assert one("thanks", WordClassifier(threshold=own), given_threshold).threshold == used


def test_without_any_threshold_it_is_one_half() -> None:
    assert one("thanks", WordClassifier(), None).threshold == 0.5


@pytest.mark.parametrize(("raw", "kept"), [(1.0000098943710327, 1.0), (-0.00001, 0.0), (0.4, 0.4)])
def test_probabilities_are_clamped(raw: float, kept: float) -> None:
    assert one("angry", WordClassifier({"angry": raw})).probability == kept


def test_what_is_no_number_is_not_trusted() -> None:
    verdict = one("angry", WordClassifier({"angry": math.nan}))
    assert (verdict.known, verdict.escalate) == (False, True)


def test_a_classifier_that_fails_says_so() -> None:
    with pytest.raises(Retryable, match="busy"):
        one("angry", WordClassifier(failures=[Retryable("busy")]))
