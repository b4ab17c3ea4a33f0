import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Misconfigured
from bot.tweets import Author, Kind, Tweet
from bot.twitter.replies import LONGEST, Replies, refused_text, replies_from, weighted_length
from bot.twitter.rules import refusal, refusal_through_api

ROOT = Path(__file__).parents[1]
ACCOUNT = frozenset({"44", "harborhelp"})
MENTION = Tweet(
    "1", "@HarborHelp hello", "1", Author("55", "mira"), kind="mention", mentions=frozenset({"44"})
)


class TestAPost:
    def test_that_mentions_the_account_may_be_answered(self) -> None:
        assert refusal(MENTION, ACCOUNT) is None
        assert refusal(replace(MENTION, mentions=frozenset({"harborhelp"})), ACCOUNT) is None

    def test_that_quotes_the_account_may_be_answered(self) -> None:
        assert refusal(replace(MENTION, kind="quote"), ACCOUNT) is None

    def test_of_a_file_is_vouched_for_by_who_asks_for_replies(self) -> None:
        tweet = replace(MENTION, mentions=frozenset({"harborhelp"}), source="file")
        assert refusal(tweet, frozenset({"44"})) is None
        assert refusal(replace(tweet, mentions=frozenset()), frozenset({"44"})) is not None

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"mentions": frozenset({"otter"})}, "does not mention the account"),
            ({"kind": "reply", "mentions": frozenset()}, "does not mention the account"),
            ({"kind": "quote", "mentions": frozenset()}, "does not mention the account"),
            ({"retweet": True}, "Retweets"),
            ({"retweet": True, "kind": "quote"}, "Retweets"),
            ({"sensitive": True}, "sensitive"),
            ({"author": Author("44")}, "does not answer itself"),
            ({"author": Author(None, "HarborHelp"), "kind": "quote"}, "does not answer itself"),
        ],
    )
    def test_else_must_not(self, changes: dict[str, Any], says: str) -> None:
        reason = refusal(replace(MENTION, **changes), ACCOUNT)
        assert reason is not None
        assert says in reason
        assert reason.endswith(".")

    def test_that_is_sensitive_may_be_answered_by_a_person(self) -> None:
        sensitive = replace(MENTION, sensitive=True)
        assert refusal(sensitive, ACCOUNT) is not None
        assert refusal_through_api(sensitive, ACCOUNT) is None

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"mentions": frozenset()}, "X takes no answer through its API"),
            ({"retweet": True}, "Retweets"),
            ({"author": Author("44")}, "does not answer itself"),
        ],
    )
    def test_that_x_takes_no_answer_to_may_be_answered_by_nobody(
        self, changes: dict[str, Any], says: str
    ) -> None:
        post = replace(MENTION, **changes)
        assert says in (refusal_through_api(post, ACCOUNT) or "")
        assert refusal(post, ACCOUNT) == refusal_through_api(post, ACCOUNT)

    @pytest.mark.parametrize(
        ("kind", "allowed"),
        [("mention", True), ("quote", True), ("reply", False), ("post", False)],
    )
    def test_is_judged_by_its_kind_while_the_account_is_not_known(
        self, kind: Kind, *, allowed: bool
    ) -> None:
        tweet = replace(MENTION, kind=kind, mentions=frozenset({"otter"}))
        assert (refusal(tweet, frozenset()) is None) is allowed


class TestAnAnswer:
    replies = Replies(("Hello{handle}!", "Thanks{handle}.", "Noted."))

    def test_names_its_reader(self) -> None:
        assert Replies(("Hello{handle}!",)).text(MENTION) == "Hello @mira!"

    @pytest.mark.parametrize("handle", [None, "", "x" * 16, "evil.example", "a b", "é"])
    def test_names_nobody_whose_handle_x_would_not_give(self, handle: str | None) -> None:
        tweet = replace(MENTION, author=Author(handle=handle))
        assert Replies(("Hello{handle}!",)).text(tweet) == "Hello!"

    def test_is_the_same_for_the_same_post_and_its_edits(self) -> None:
        edit = replace(MENTION, id="2", text="@HarborHelp hello again")
        assert len({self.replies.text(post) for post in (MENTION, MENTION, edit)}) == 1

    def test_varies_from_post_to_post(self) -> None:
        posts = [replace(MENTION, id=str(n), root_id=str(n)) for n in range(50)]
        assert len({self.replies.text(post) for post in posts}) == 3


class TestAnAnswerThatAPersonWrote:
    @pytest.mark.parametrize(
        "text", ["Sorry, we call you today.", "x" * LONGEST, "😡" * 140, "a.b"]
    )
    def test_may_say_what_x_takes(self, text: str) -> None:
        assert refused_text(text) is None

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "is empty"),
            (" \n\t", "is empty"),
            ("x" * (LONGEST + 1), "has 281 characters as X counts them: shorten it to 280"),
            ("😡" * 141, "has 282 characters"),
            ("See https://harbor.example", "holds a link"),
            ("See harbor.example/help", "holds a link"),
        ],
    )
    def test_is_refused_with_what_to_do(self, text: str, says: str) -> None:
        problem = refused_text(text)
        assert problem is not None
        assert says in problem
        assert problem.endswith(".")


class TestTheLength:
    @pytest.mark.parametrize(
        ("text", "length"), [("", 0), ("hello", 5), ("né ж ა", 6), ("日本", 4), ("😡", 2), ("…", 2)]
    )
    def test_counts_as_x_does(self, text: str, length: int) -> None:
        assert weighted_length(text) == length

    @given(st.text())
    def test_is_never_less_than_the_characters(self, text: str) -> None:
        assert len(text) <= weighted_length(text) <= 2 * len(text)


class TestTheAnswersOfTheProject:
    replies = replies_from(tomllib.loads((ROOT / "replies.toml").read_text("utf-8")))

    @given(st.from_regex(r"[A-Za-z0-9_]{1,15}", fullmatch=True), st.integers(1, 10**19))
    def test_stay_below_the_limit_for_every_handle(self, handle: str, number: int) -> None:
        tweet = Tweet(str(number), "x", str(number), Author(handle=handle))
        assert weighted_length(self.replies.text(tweet)) <= LONGEST

    def test_say_that_they_are_automatic(self) -> None:
        assert all("automat" in text for text in self.replies.texts)


class TestAFileOfAnswers:
    def test_gives_its_texts(self) -> None:
        assert replies_from({"texts": ["Hello{handle}!", "Hi"]}).texts == ("Hello{handle}!", "Hi")

    @pytest.mark.parametrize("data", [{}, {"texts": []}, {"texts": "Hello"}, {"texts": {"a": 1}}])
    def test_without_a_text_is_refused(self, data: Any) -> None:
        with pytest.raises(Misconfigured, match="a list of at least one answer"):
            replies_from(data)

    @pytest.mark.parametrize("text", ["x" * 263 + "{handle}", "日" * 140, "…" * 140])
    def test_takes_280_characters_with_the_longest_handle(self, text: str) -> None:
        assert replies_from({"texts": [text]}).texts == (text,)
        with pytest.raises(Misconfigured, match=r"text 1 may reach 28[12] of 280"):
            replies_from({"texts": [text + "!"]})

    @pytest.mark.parametrize(
        "text",
        [
            "See https://harbor.example",
            "See HTTP://X.EXAMPLE",
            "See www.harbor.example",
            "See harbor.example for more",
            "See harbor.example/help",
            "Hello {name}",
            "Hello {handle} {",
        ],
    )
    def test_holds_no_link_and_no_other_variable(self, text: str) -> None:
        with pytest.raises(Misconfigured, match="no other variable and no link"):
            replies_from({"texts": [text]})

    @pytest.mark.parametrize("text", ["Hello. Thanks!", "e.g. this", "Open 9.30 to 5", "So…yes"])
    def test_may_hold_what_only_looks_like_a_link(self, text: str) -> None:
        assert replies_from({"texts": [text]}).texts == (text,)

    def test_has_all_its_problems_listed(self) -> None:
        with pytest.raises(Misconfigured) as refused:
            replies_from({"texts": ["fine", "", 5, "x" * 281, "www.harbor.example"]})
        assert [problem.split()[2] for problem in refused.value.problems] == ["2", "3", "4", "5"]


def test_an_agent_begins_with_a_draft_that_is_not_the_bots_answer() -> None:
    own = replies_from({"texts": ["I am a bot."], "drafts": ["Hello{handle}, I am sorry."]})
    assert own.draft(MENTION) == "Hello @mira, I am sorry."
    assert replies_from({"texts": ["I am a bot."]}).draft(MENTION) == ""


def test_a_wrong_draft_is_named_like_a_wrong_text() -> None:
    with pytest.raises(Misconfigured) as raised:
        replies_from({"texts": ["fine"], "drafts": ["", "www.harbor.example"]})
    assert [problem.split(": ")[1][:7] for problem in raised.value.problems] == [
        "draft 1",
        "draft 2",
    ]
    with pytest.raises(Misconfigured, match="must be a list"):
        replies_from({"texts": ["fine"], "drafts": "one"})
