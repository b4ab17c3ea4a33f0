"""What the bot must not answer for what a post is; for what was said before: test_gate."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.tweets import SNOWFLAKE_EPOCH_MS, Author, Kind, Tweet
from bot.twitter import rules
from bot.twitter.rules import Limits, refusal_through_api
from tests.examples import NOON

ACCOUNT = frozenset({"44", "harborhelp"})
MENTION = Tweet(
    "1", "@HarborHelp hello", "1", Author("55", "mira"), kind="mention", mentions=frozenset({"44"})
)


HOUR = timedelta(hours=1)


def refusal(tweet: Tweet, account: frozenset[str], **limits: Any) -> str | None:
    return rules.refusal(tweet, account, Limits(**limits), NOON, NOON)


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
            ({"author": Author()}, "Its author is not known"),
            ({"author": Author(None, None, "Mira")}, "Its author is not known"),
            ({"created_at": NOON - 6.1 * HOUR}, "older than 6 hours"),
        ],
    )
    def test_else_must_not(self, changes: dict[str, Any], says: str) -> None:
        reason = refusal(replace(MENTION, **changes), ACCOUNT)
        assert reason is not None
        assert says in reason
        assert reason.endswith(".")

    def test_of_a_blocked_author_must_not(self) -> None:
        for blocked in ("55", "mira"):
            reason = refusal(MENTION, ACCOUNT, blocked=frozenset({blocked}))
            assert reason is not None
            assert "on the list" in reason
        assert refusal(MENTION, ACCOUNT, blocked=frozenset({"otto"})) is None

    def test_may_be_as_old_as_is_set(self) -> None:
        old = replace(MENTION, created_at=NOON - 8 * HOUR)
        assert refusal(old, ACCOUNT, max_age=8 * HOUR) is None
        assert "older than 0.5 hours" in (refusal(old, ACCOUNT, max_age=HOUR / 2) or "")

    def test_whose_time_x_left_out_is_as_old_as_its_id(self) -> None:
        milliseconds = round((NOON - 7 * HOUR).timestamp() * 1000) - SNOWFLAKE_EPOCH_MS
        post = replace(MENTION, id=str(milliseconds << 22), source="webhook")
        assert "older than 6 hours" in (refusal(post, ACCOUNT) or "")

    def test_that_tells_no_time_is_as_old_as_its_coming(self) -> None:
        late = rules.refusal(MENTION, ACCOUNT, Limits(), NOON - 7 * HOUR, NOON)
        assert "older than 6 hours" in (late or "")

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
