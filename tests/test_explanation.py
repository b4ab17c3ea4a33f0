import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import Retryable
from bot.explanation import MOST_KEPT, Part, explained, marked
from bot.normalize import EMOJI, tokens
from bot.verdicts import Classifier, Verdict, Weight, judge
from tests.fakes import WordClassifier

WORDS = {"angry": 0.9, "parcel": 0.6, "thanks": 0.1}


@dataclass
class Sums:
    """Adds up the log-odds that words and pairs of neighbours bring; knows every text."""

    worth: Mapping[str, float]
    model: str = "sums"
    normalizer: str = "emoji-1"
    threshold: float | None = None
    calls: list[Sequence[str]] = field(default_factory=list)

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        self.calls.append(texts)
        return [self._probability(text.split()) for text in texts]

    def _probability(self, words: list[str]) -> float:
        found = [*words, *(" ".join(pair) for pair in pairwise(words))]
        return 1 / (1 + math.exp(-sum(self.worth.get(one, 0) for one in found)))


def weighed(text: str, classifier: Classifier) -> dict[str, float]:
    """The words and pairs that moved the decision on that text, those that moved it most first."""
    [verdict] = explained(judge([text], classifier, None), classifier)
    return {weight.words: weight.weight for weight in verdict.words}


class TestAWord:
    def test_that_moved_the_decision_is_named_with_what_it_added_to_the_probability(self) -> None:
        assert weighed("the angry old parcel", WordClassifier(WORDS)) == {"angry": 0.3}

    def test_that_moved_it_most_comes_first(self) -> None:
        found = weighed("my parcel is lost", Sums({"parcel": 1, "lost": 2, "my": -0.5}))
        assert list(found) == ["lost", "parcel", "my"]

    def test_that_spoke_against_a_person_weighs_less_than_nothing(self) -> None:
        found = weighed("lost but thanks", Sums({"lost": 2, "thanks": -1}))
        assert found["lost"] > 0 > found["thanks"]

    def test_that_moved_next_to_nothing_is_not_named(self) -> None:
        slight = Sums({"lost": 2, "still": 0.05})
        assert list(weighed("still lost", slight)) == ["lost"]
        assert weighed("still here", slight) == {}

    def test_is_not_named_beside_one_five_times_as_heavy(self) -> None:
        classifier = Sums({"lost": 3, "parcel": 0.7, "my": 0.5})
        assert list(weighed("my parcel lost", classifier)) == ["lost", "parcel"]

    def test_is_named_even_where_the_model_is_certain_with_or_without_it(self) -> None:
        found = weighed("lost lawyer thanks", Sums({"lost": 5, "lawyer": 6, "thanks": -1.5}))
        assert list(found) == ["lawyer", "lost", "thanks"]
        assert found["lawyer"] > 0 > found["thanks"] > -0.0001, "with the sign it has"

    def test_is_named_once_however_often_it_stands_there(self) -> None:
        found = weighed("lost and again lost", Sums({"lost": 1}))
        assert list(found) == ["lost"]

    def test_that_is_the_only_one_it_knows_weighs_against_not_knowing(self) -> None:
        assert weighed("thanks zebra", WordClassifier(WORDS)) == {"thanks": pytest.approx(-0.4)}
        strict = WordClassifier(WORDS, threshold=0.3)
        assert weighed("thanks zebra", strict) == {"thanks": pytest.approx(-0.2)}
        assert weighed("thanks", strict) == {"thanks": pytest.approx(-0.2)}

    def test_beyond_the_first_sixty_is_not_tried(self) -> None:
        classifier = Sums({"early": 1, "late": 2})
        assert list(weighed("early " + "so " * 60 + "late", classifier)) == ["early"]
        asked = classifier.calls[-1]
        assert len(asked) == 1 + 60 + 59
        assert all(text.endswith("late") for text in asked), "the rest still stands there"

    def test_is_among_a_dozen_at_most(self) -> None:
        many = [f"word{number}" for number in range(30)]
        found = weighed(" ".join(many), Sums(dict.fromkeys(many, 0.3)))
        assert len(found) == MOST_KEPT


class TestAPair:
    def test_that_does_more_than_its_words_is_named(self) -> None:
        found = weighed("i am not angry", Sums({"angry": 2, "not angry": -4}))
        assert "not angry" not in found, "each of its words does all of it"
        either = WordClassifier({"never": 0.9, "again": 0.9, "fly": 0.3})
        assert weighed("never again fly", either) == {"never again": pytest.approx(0.6)}

    def test_that_does_what_its_words_do_is_not(self) -> None:
        found = weighed("lost parcel", Sums({"lost": 1, "parcel": 1}))
        assert set(found) == {"lost", "parcel"}


class TestABatch:
    def test_is_asked_about_in_one_call(self) -> None:
        classifier = WordClassifier(WORDS)
        explained(judge(["angry parcel thanks", "angry zebra"], classifier, None), classifier)
        assert classifier.calls[1:] == [
            [
                "angry parcel thanks",
                *("parcel thanks", "angry thanks", "angry parcel"),
                *("thanks", "angry"),
                *("angry zebra", "zebra", "angry"),
            ]
        ]

    def test_comes_back_in_order_and_otherwise_as_it_was(self) -> None:
        classifier = WordClassifier(WORDS)
        verdicts = judge(["zebra", "angry the", "", "thanks"], classifier, None)
        told = explained(verdicts, classifier)
        assert [len(verdict.words) for verdict in told] == [0, 1, 0, 1]
        bare = [Verdict(v.probability, v.threshold, v.tokens, v.model, v.known) for v in told]
        assert bare == verdicts

    @pytest.mark.parametrize("texts", [[], [""], ["zebra horse", "😶"]])
    def test_of_texts_that_are_not_known_asks_nobody(self, texts: list[str]) -> None:
        classifier = WordClassifier(WORDS)
        verdicts = judge(texts, classifier, None)
        before = len(classifier.calls)
        assert explained(verdicts, classifier) == verdicts
        assert len(classifier.calls) == before

    def test_says_so_where_the_classifier_fails(self) -> None:
        verdicts = judge(["angry parcel"], WordClassifier(WORDS), None)
        with pytest.raises(Retryable):
            explained(verdicts, WordClassifier(WORDS, failures=[Retryable("Busy.")]))

    def test_bears_an_answer_that_is_no_number(self) -> None:
        odd = WordClassifier({"angry": 0.9, "odd": math.nan})
        [verdict] = explained([Verdict(0.9, 0.5, "angry odd", "words")], odd)
        assert [weight.words for weight in verdict.words] == ["angry"]

    @given(st.lists(st.sampled_from([*WORDS, "zebra", "the"]), max_size=70))
    def test_names_only_what_stands_in_the_text(self, words: list[str]) -> None:
        text = " ".join(words)
        assert all(f" {named} " in f" {text} " for named in weighed(text, WordClassifier(WORDS)))


SAID = ["angry", "not", "parcel", "i", "thumbs", "up", "don", "t", "cafe"]
WRITTEN = [
    "Angry",
    "NOT",
    "parcel",
    "I",
    "👍",
    "don't",
    "café",
    "_parcel_",
    "#angry",
    "日本",
    "\u202e",
]
texts = st.text(max_size=60) | st.lists(st.sampled_from([*WRITTEN, " ", ", ", "\n"])).map("".join)
names = st.sampled_from(SAID) | st.tuples(st.sampled_from(SAID), st.sampled_from(SAID)).map(
    " ".join
)
weights = st.lists(
    st.builds(Weight, names, st.floats(-1, 1, exclude_min=True).filter(bool)), max_size=12
)


class TestAMarkedText:
    @given(text=texts, words=weights)
    @example(text="a\u0301\ufeff__ \t_", words=[Weight("a", 1.0)])
    @example(
        text="not, angry",
        words=[Weight("not", 0.5), Weight("angry", 0.5), Weight("not angry", 0.1)],
    )
    def test_adds_up_to_the_text_whatever_it_is(self, text: str, words: list[Weight]) -> None:
        assert "".join(part.text for part in marked(text, words)) == text

    @given(text=texts, words=weights)
    @example(
        text="not, angry",
        words=[Weight("not", 0.5), Weight("angry", 0.6), Weight("not angry", 0.1)],
    )
    @example(
        text="not angry parcel",
        words=[Weight("not", 0.5), Weight("not angry", 0.2), Weight("angry parcel", 0.4)],
    )
    def test_marks_nothing_but_words_that_were_named(self, text: str, words: list[Weight]) -> None:
        named = {word for weight in words for word in weight.words.split()}
        for part in marked(text, words):
            if part.weight is not None:
                assert part.weight in {weight.weight for weight in words}
                assert named & set(tokens(part.text, EMOJI).split())

    def test_is_one_part_where_nothing_moved_the_decision(self) -> None:
        assert marked("I am angry!", ()) == [Part("I am angry!")]
        assert marked("I am angry!", [Weight("happy", 0.5)]) == [Part("I am angry!")]
        assert "".join(part.text for part in marked("", [Weight("happy", 0.5)])) == ""

    def test_has_a_word_marked_however_it_is_written(self) -> None:
        assert marked("So ANGRY, #angry!", [Weight("angry", 0.4)]) == [
            Part("So "),
            Part("ANGRY", 0.4),
            Part(", #"),
            Part("angry", 0.4),
            Part("!"),
        ]

    def test_has_an_emoji_marked_for_the_words_it_is_read_as(self) -> None:
        assert marked("hm 👍", [Weight("thumbs", -0.2)]) == [Part("hm "), Part("👍", -0.2)]

    def test_has_a_pair_marked_with_what_stands_between(self) -> None:
        found = marked("I am not, angry. Not me", [Weight("not angry", -0.3)])
        assert found == [Part("I am "), Part("not, angry", -0.3), Part(". Not me")]

    def test_shows_the_heavier_of_two_weights(self) -> None:
        found = marked("never again", [Weight("again", 0.1), Weight("never again", 0.6)])
        assert found == [Part("never again", 0.6)]
