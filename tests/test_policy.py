import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Misconfigured
from bot.normalize import EMOJI, tokens
from bot.policy import AccountRule, Decision, Rules, WordRule, decide, rules_from
from bot.tweets import Author, Tweet, typed
from bot.verdicts import Verdict

ROOT = Path(__file__).parents[1]
RULES = Rules(
    always=(WordRule("It speaks of danger.", ("caught fire", "injured")),),
    never=(WordRule("It belongs to the campaign.", ("madaboutharbor",)),),
    accounts=(AccountRule("Its author has a large audience.", frozenset({"otter"}), 1000),),
)
REFUSAL = "The account does not answer itself."
ENGLISH = replace(typed("x", "1"), lang="en")


def verdict(probability: float, text: str = "hello", *, known: bool = True) -> Verdict:
    return Verdict(probability, 0.5, text, "words", known)


def decided(
    judged: Verdict | None, tweet: Tweet = ENGLISH, rules: Rules = RULES, **options: Any
) -> Decision:
    return decide(tweet, judged, rules, unsure_margin=0.15, **options)


class TestATweetIsEscalated:
    def test_where_the_model_says_so_with_how_sure_it_is(self) -> None:
        assert decided(verdict(0.93)) == Decision(
            "escalate", ("The model thinks it needs a person (93% confident).",)
        )

    def test_where_the_classifier_was_down(self) -> None:
        assert decided(None, refusal=REFUSAL) == Decision(
            "escalate", ("The classifier was not available, so a person decides.",)
        )

    def test_by_a_word_whatever_the_model_says(self) -> None:
        decision = decided(verdict(0.01, "my kettle caught fire again"))
        assert decision == Decision("escalate", ("It speaks of danger. («caught fire»)",))

    def test_by_a_word_that_stands_whole_in_it_only(self) -> None:
        assert decided(verdict(0.01, "reinjured")).route == "reply"
        assert decided(verdict(0.01, "caught a cold near the fire")).route == "reply"

    @pytest.mark.parametrize(
        "author", [Author(handle="Otter"), Author(followers=1000), Author(followers=10**9)]
    )
    def test_by_its_author(self, author: Author) -> None:
        decision = decided(verdict(0.01), replace(ENGLISH, author=author))
        assert decision == Decision("escalate", ("Its author has a large audience.",))

    def test_with_every_rule_that_matched(self) -> None:
        tweet = replace(ENGLISH, author=Author(handle="otter", followers=5))
        assert decided(verdict(0.99, "injured"), tweet).reasons == (
            "It speaks of danger. («injured»)",
            "Its author has a large audience.",
        )

    def test_where_the_model_was_not_trained_for_its_language(self) -> None:
        decision = decided(verdict(0.01), replace(ENGLISH, lang="DE"))
        assert decision == Decision(
            "escalate", ("The model was not trained for its language (de).",)
        )

    @pytest.mark.parametrize("lang", ["en", "EN", "und", "qme", "", None])
    def test_but_not_for_its_language_where_that_is_ours_or_unknown(self, lang: str | None) -> None:
        assert decided(verdict(0.01), replace(ENGLISH, lang=lang)).route == "reply"

    def test_where_it_has_no_word_the_model_knows(self) -> None:
        assert decided(verdict(0.5, "zzz", known=False)) == Decision(
            "escalate", ("It has no word the model knows.",)
        )

    def test_where_it_has_no_word_at_all(self) -> None:
        assert decided(verdict(0.5, "", known=False)) == Decision(
            "escalate", ("It has no words for the model to judge.",)
        )


class TestATweetIsAnswered:
    def test_where_the_model_says_so(self) -> None:
        assert decided(verdict(0.04)) == Decision(
            "reply", ("The model thinks it can be answered by the bot (96% confident).",)
        )

    def test_where_a_word_keeps_it_from_people_although_the_model_would_escalate(self) -> None:
        decision = decided(verdict(0.99, "i am madaboutharbor"))
        assert decision == Decision("reply", ("It belongs to the campaign.",))

    def test_by_that_word_in_any_language(self) -> None:
        tweet = replace(ENGLISH, lang="fr")
        assert decided(verdict(0.5, "madaboutharbor", known=False), tweet).route == "reply"

    def test_but_not_by_that_word_if_another_speaks_of_danger(self) -> None:
        assert decided(verdict(0.01, "madaboutharbor injured")).route == "escalate"

    def test_unless_x_or_we_forbid_it_and_then_it_is_skipped_with_both_reasons(self) -> None:
        decision = decided(verdict(0.04), refusal=REFUSAL)
        assert decision.route == "skip"
        assert decision.reasons[1] == REFUSAL
        assert decided(verdict(0.96), refusal=REFUSAL).route == "escalate"


class TestAnUnsureVerdict:
    @pytest.mark.parametrize(("probability", "route"), [(0.5, "escalate"), (0.4, "reply")])
    def test_is_marked_and_keeps_its_route(self, probability: float, route: str) -> None:
        decision = decided(verdict(probability))
        assert (decision.route, decision.unsure) == (route, True)
        assert "is unsure but thinks" in decision.reasons[0]

    def test_is_none_where_the_model_knew_no_word(self) -> None:
        assert not decided(verdict(0.5, "zzz", known=False)).unsure


class TestTheRulesOfTheProject:
    rules = rules_from(tomllib.loads((ROOT / "rules.toml").read_text("utf-8")))

    @pytest.mark.parametrize(
        "text",
        [
            "the toaster CAUGHT FIRE!",
            "I will see you in court",
            "My kids were injured…",
            "your driver was racist",
            "this is a data-breach",
            "I want to die",
            "a person please",
            "Can I talk to a person?",
            "how do I get a person",
            "I'd rather see a person",
            "could I have a person?",
            "is there a person to help me",
            "Can a person look at this",
            "is there a human here",
        ],
    )
    def test_escalate_what_is_dangerous_or_asks_for_a_person(self, text: str) -> None:
        assert decided(verdict(0.0, tokens(text, EMOJI)), rules=self.rules).route == "escalate"

    @pytest.mark.parametrize(
        "text",
        [
            "thanks it works",
            "what a person you are",
            "as a person of taste I love it",
            "one ticket for a person under 12",
        ],
    )
    def test_leave_the_rest_to_the_model(self, text: str) -> None:
        assert decided(verdict(0.0, tokens(text, EMOJI)), rules=self.rules).route == "reply"

    def test_escalate_authors_with_a_large_audience(self) -> None:
        loud = replace(ENGLISH, author=Author(followers=100_000))
        assert decided(verdict(0.0), loud, self.rules).route == "escalate"

    def test_give_reasons_that_are_sentences(self) -> None:
        given = [rule.reason for rule in self.rules.always]
        given += [rule.reason for rule in self.rules.accounts]
        assert given
        assert all(reason[0].isupper() and reason.endswith(".") for reason in given)


class TestARulesFile:
    def test_may_be_empty(self) -> None:
        assert rules_from({}) == Rules()

    def test_is_read_without_case_accents_or_punctuation(self) -> None:
        rules = rules_from(
            {
                "languages": ["DE"],
                "never": [{"reason": "A campaign.", "words": ["#Mad-Café!", "😡"]}],
                "accounts": [{"reason": "The press.", "handles": ["@Otter_Press"]}],
            }
        )
        assert rules.languages == {"de"}
        assert rules.never == (WordRule("A campaign.", ("mad cafe", "enraged face")),)
        assert rules.accounts == (AccountRule("The press.", frozenset({"otter_press"}), None),)

    @pytest.mark.parametrize(
        ("data", "place"),
        [
            ({"allways": []}, "«allways» is not known"),
            ({"languages": "en"}, "languages must be a list"),
            ({"languages": [1]}, "languages must be a list"),
            ({"always": {"reason": "x", "words": ["a"]}}, "always must be written as [[always]]"),
            ({"never": ["a"]}, "never must be written as [[never]]"),
            ({"accounts": 5}, "accounts must be written as [[accounts]]"),
            ({"always": [{"words": ["a"]}]}, "[[always]] number 1 needs a reason"),
            ({"always": [{"reason": " ", "words": ["a"]}]}, "[[always]] number 1 needs a reason"),
            ({"always": [{"reason": "x"}]}, "[[always]] number 1"),
            ({"always": [{"reason": "x", "words": "sue"}]}, "[[always]] number 1"),
            ({"always": [{"reason": "x", "words": ["sue", "!?"]}]}, "[[always]] number 1"),
            ({"always": [{"reason": "x", "words": [5]}]}, "[[always]] number 1"),
            ({"accounts": [{"handles": ["a"]}]}, "[[accounts]] number 1 needs a reason"),
            ({"accounts": [{"reason": "x", "followers": "5"}]}, "followers as a whole number"),
            ({"accounts": [{"reason": "x", "followers": True}]}, "followers as a whole number"),
            ({"accounts": [{"reason": "x", "handles": "otter"}]}, "handles as a list"),
        ],
    )
    def test_with_a_mistake_is_refused_by_its_place(self, data: Any, place: str) -> None:
        with pytest.raises(Misconfigured) as refused:
            rules_from(data)
        [problem] = refused.value.problems
        assert place in problem
        assert problem.startswith("rules.toml: ")

    def test_with_many_mistakes_has_them_all_listed(self) -> None:
        good: dict[str, Any] = {"reason": "x", "words": ["a"]}
        bad: dict[str, Any] = {"reason": "x", "words": []}
        with pytest.raises(Misconfigured) as refused:
            rules_from(
                {"mood": 1, "always": [good, bad], "never": [bad, good, bad], "accounts": [{}]}
            )
        places = [problem.split(" needs")[0] for problem in refused.value.problems]
        assert [place.removeprefix("rules.toml: ") for place in places[1:]] == [
            "[[always]] number 2",
            "[[never]] number 1",
            "[[never]] number 3",
            "[[accounts]] number 1",
        ]
