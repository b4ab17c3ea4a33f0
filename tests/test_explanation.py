from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.classifier.explanation import MOST_WORDS, Weight, weights
from bot.errors import Retryable
from tests.fakes import WordClassifier

WORDS = {"angry": 0.9, "parcel": 0.6, "thanks": 0.1}


def test_the_word_that_moved_it_most_comes_first() -> None:
    found = weights("the angry parcel", WordClassifier(WORDS))
    assert found[0].word == "angry"
    assert found[0].weight == pytest.approx(0.3)
    assert {weight.word: weight.weight for weight in found[1:]} == {"the": 0.0, "parcel": 0.0}


def test_all_words_are_asked_about_in_one_call() -> None:
    classifier = WordClassifier(WORDS)
    weights("angry parcel thanks", classifier)
    assert classifier.calls == [
        ["angry parcel thanks", "parcel thanks", "angry thanks", "angry parcel"]
    ]


def test_the_only_word_it_knows_weighs_against_not_knowing() -> None:
    heaviest = weights("thanks zebra", WordClassifier(WORDS))[0]
    assert heaviest == Weight("thanks", 0.1 - 0.5)
    strict = WordClassifier(WORDS, threshold=0.3)
    assert weights("thanks zebra", strict)[0].weight == pytest.approx(-0.2)


@pytest.mark.parametrize("tokens", ["", "angry", "zebra horse"])
def test_there_is_nothing_to_weigh_in_one_word_or_none_that_is_known(tokens: str) -> None:
    assert weights(tokens, WordClassifier(WORDS)) == []


def test_only_the_first_words_of_a_long_text_are_tried() -> None:
    classifier = WordClassifier(WORDS)
    assert len(weights("parcel " * 200, classifier)) == MOST_WORDS
    assert len(classifier.calls[0]) == MOST_WORDS + 1


def test_a_classifier_that_fails_says_so() -> None:
    with pytest.raises(Retryable):
        weights("angry parcel", WordClassifier(WORDS, failures=[Retryable("Busy.")]))


@given(st.lists(st.sampled_from([*WORDS, "zebra", "the"]), max_size=70))
def test_weights_fall_in_size_and_belong_to_its_words(words: list[str]) -> None:
    found = weights(" ".join(words), WordClassifier(WORDS))
    sizes = [abs(weight.weight) for weight in found]
    assert all(first >= second for first, second in pairwise(sizes))
    assert {weight.word for weight in found} <= set(words)
