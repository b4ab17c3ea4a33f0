import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.tweets import (
    LONGEST_TEXT,
    Author,
    Kind,
    Media,
    Source,
    Tweet,
    checked_text,
    clean,
    from_json,
    json_kind,
    order,
    to_json,
    typed,
)

sound = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"))
words = st.none() | sound
identities = st.from_regex(r"[A-Za-z0-9_.:-]{1,100}", fullmatch=True)
anything = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
tweets = st.builds(
    Tweet,
    id=identities,
    text=sound,
    root_id=identities,
    author=st.builds(
        Author, id=words, handle=words, name=words, followers=st.none() | st.integers()
    ),
    created_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    conversation_id=words,
    kind=st.sampled_from(get_args(Kind)),
    in_reply_to=words,
    quoted_id=words,
    retweet=st.booleans(),
    sensitive=st.booleans(),
    lang=words,
    mentions=st.frozensets(sound, max_size=3),
    source=st.sampled_from(get_args(Source)),
    answer=st.booleans(),
    media=st.lists(st.sampled_from(get_args(Media)), max_size=4).map(tuple),
)


class TestAText:
    def test_that_every_queue_can_carry_stays_as_it_is(self) -> None:
        text = "né 😡 \u202eright to left\u202c \0 tab\t"
        assert clean(text) is text

    def test_loses_its_lone_surrogates_and_nothing_else(self) -> None:
        assert clean("a\ud800b") == "a\ufffdb"
        assert clean("\udc00") == "\ufffd"
        assert clean("\ufeffa\ufffe\uffffb\ud83d") == "\ufeffa\ufffd\ufffdb\ufffd"

    def test_has_pairs_of_surrogates_joined(self) -> None:
        assert clean("\ud83d\ude21 \ud800") == "😡 \ufffd"

    @given(st.text(st.characters() | st.sampled_from("\ud800\udbff\udc00\udfff\ufffe\ufeff")))
    def test_is_utf_8_once_clean_and_keeps_all_sound_characters(self, text: str) -> None:
        cleaned = clean(text)
        cleaned.encode()
        assert not set(cleaned) & {"\ufffe", "\uffff"}
        kept = [c for c in text if not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff\ufffd"]
        paired = [c for c in cleaned if c != "\ufffd" and (c in kept or c <= "\uffff")]
        assert paired == kept

    def test_may_have_25_000_characters_and_no_more(self) -> None:
        assert checked_text("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
        with pytest.raises(Refused, match="has 25,001 characters; a post on X has at most 25,000"):
            checked_text("x" * (LONGEST_TEXT + 1))

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (None, "null"),
            (True, "a boolean"),
            ([], "a list"),
            ({}, "an object"),
            (5, "a number"),
            (5.5, "a number"),
        ],
    )
    def test_must_be_a_string(self, value: object, kind: str) -> None:
        with pytest.raises(Refused, match=f"must be a string, not {kind}"):
            checked_text(value)

    def test_is_called_a_string_in_json(self) -> None:
        assert json_kind("x") == "a string"


class TestATweet:
    def test_that_was_typed_is_never_answered_in_public(self) -> None:
        assert typed("hello", "console-1") == Tweet("console-1", "hello", "console-1")
        assert not typed("hello", "console-1").answer

    def test_has_an_address_if_x_gave_its_id(self) -> None:
        assert typed("hello", "1985").url == "https://x.com/i/status/1985"
        assert typed("hello", "file-abc-1").url is None

    def test_is_later_than_another_if_its_id_is_longer_or_greater(self) -> None:
        assert sorted(["1000", "999", "0999", "1001"], key=order) == ["999", "0999", "1000", "1001"]

    @given(tweets)
    def test_comes_back_from_json_as_it_was(self, tweet: Tweet) -> None:
        record = json.loads(json.dumps(to_json(tweet), ensure_ascii=False))
        assert from_json(record) == tweet

    def test_keeps_its_media_in_order_and_has_none_in_records_that_tell_of_none(self) -> None:
        tweet = replace(typed("look", "1"), media=("video", "photo", "video"))
        assert to_json(tweet)["media"] == ["video", "photo", "video"]
        assert from_json(to_json(tweet)) == tweet
        assert from_json({"id": "1", "text": "look", "root_id": "1"}).media == ()

    def test_leaves_out_of_json_what_is_not_known(self) -> None:
        tweet = Tweet("1", "hello", "1", Author(handle="mira_example"))
        assert to_json(tweet) == {
            "id": "1",
            "text": "hello",
            "root_id": "1",
            "author": {"handle": "mira_example"},
        }

    def test_tells_its_time_in_utc(self) -> None:
        tweet = from_json({**to_json(typed("x", "1")), "created_at": "2026-11-02T13:00:00+01:00"})
        assert tweet.created_at == datetime(2026, 11, 2, 12, tzinfo=UTC)
        assert tweet.created_at.utcoffset() == timedelta(0)

    def test_is_cleaned_again_where_it_comes_from_json(self) -> None:
        assert from_json({**to_json(typed("x", "1")), "text": "\ud800"}).text == "\ufffd"

    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("id", 5, "look at its id"),
            ("id", "note#cursor", "look at its id"),
            ("root_id", "", "look at its root_id"),
            ("text", None, "must be a string"),
            ("author", {"handle": 5}, "look at its author"),
            ("author", {"shoe_size": 43}, "shoe_size"),
            ("author", {"followers": "many"}, "look at its author's followers"),
            ("lang", ["en"], "look at its lang"),
            ("lang", "\ud800", "look at its lang"),
            ("kind", "rumour", "look at its kind"),
            ("source", [], "look at its source"),
            ("answer", "yes", "look at its answer"),
            ("mentions", [5], "look at its mentions"),
            ("mentions", [None], "look at its mentions"),
            ("media", ["hologram"], "look at its media"),
            ("media", "photo", "look at its media"),
            ("media", [["photo"]], "look at its media"),
            ("media", 5, "own form"),
            ("created_at", "0001-01-01T00:00:00+14:00", "own form"),
            ("created_at", "yesterday", "own form"),
            ("mood", "angry", "mood"),
        ],
    )
    def test_with_a_field_of_another_kind_is_refused_by_its_name(
        self, field: str, value: Any, says: str
    ) -> None:
        with pytest.raises(Refused, match=says):
            from_json({**to_json(typed("hello", "1")), field: value})

    @given(st.data())
    def test_with_anything_in_a_field_is_read_whole_or_refused(self, data: st.DataObject) -> None:
        whole = Tweet("1", "a", "1", Author("2", "b", "c", 3), mentions=frozenset({"d"}))
        record = {**asdict(whole), "mentions": ["d"], "media": ["photo"]}
        del record["created_at"]
        record[data.draw(st.sampled_from(sorted(record)))] = data.draw(anything)
        try:
            tweet = from_json(record)
        except Refused:
            return
        assert from_json(json.loads(json.dumps(to_json(tweet)))) == tweet


class TestAnAuthor:
    @pytest.mark.parametrize("handle", ["Mira_Example", "@Mira_Example"])
    def test_has_an_address_by_the_handle(self, handle: str) -> None:
        assert Author(handle=handle).url == "https://x.com/Mira_Example"

    @pytest.mark.parametrize(
        "handle",
        [
            None,
            "",
            "@",
            "@@mira",
            "mira example",
            "mira/status",
            "mira?a=b",
            "míra",
            "m" * 16,
            "m\n",
        ],
    )
    def test_has_none_by_a_handle_that_x_would_not_give(self, handle: str | None) -> None:
        assert Author(handle=handle).url is None
