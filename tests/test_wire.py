import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Refused
from bot.triage import Arrival, message
from bot.tweets import LONGEST_TEXT, Author, Tweet
from bot.twitter.events import LARGEST_MESSAGE
from bot.wire import (
    MOST_MEDIA,
    Deleted,
    Ignored,
    Revoked,
    Unreadable,
    activity_event,
    activity_events,
    api_answer,
    csv_row,
    json_line,
)
from tests.examples import NOON

FIXTURES = Path(__file__).parent / "fixtures" / "x"
SAMPLES = Path(__file__).parents[1].parent / "shared" / "samples" / "x"
ACCOUNT = "4400000000000000044"
MIRA = Author("5500000000000000055", "Mira_Example", "Mira Example", 97)


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


def tweet_of(name: str) -> Tweet:
    tweet = activity_event(fixture(name))
    assert isinstance(tweet, Tweet)
    return tweet


def lines(value: object, *, answer: bool = False) -> list[Tweet | Deleted]:
    return json_line(json.dumps(value), "file-abc", 7, answer=answer)


def line(value: object, *, answer: bool = False) -> Tweet:
    [tweet] = lines(value, answer=answer)
    assert isinstance(tweet, Tweet)
    return tweet


def row(**columns: str | None) -> Tweet:
    return csv_row(columns, "file-abc", 7, answer=False)


class TestAnEvent:
    def test_that_tells_of_the_end_of_a_replay_asks_nothing_of_us(self) -> None:
        done = {"replay_job_status": {"webhook_id": "1", "job_state": "Complete", "job_id": "9"}}
        assert activity_events(done) == [done]
        assert activity_event(done) == Ignored("replay_job_status")

    def test_of_a_mention_brings_the_post_with_its_author(self) -> None:
        assert tweet_of("mention") == Tweet(
            id="1985000000000000101",
            text="hey @HarborHelp my parcel smells of fish & smoke",
            root_id="1985000000000000101",
            author=MIRA,
            created_at=datetime(2026, 11, 2, 11, 58, 7, tzinfo=UTC),
            conversation_id="1985000000000000101",
            kind="mention",
            lang="en",
            mentions=frozenset({ACCOUNT, "harborhelp"}),
            source="webhook",
            answer=True,
        )

    def test_without_includes_knows_only_its_authors_id(self) -> None:
        assert tweet_of("mention_without_includes").author == Author(MIRA.id)

    def test_finds_a_user_that_is_wrapped_once_more(self) -> None:
        assert tweet_of("mention_wrapped_user").author == MIRA

    def test_of_a_mention_counts_as_one_even_where_no_entity_says_so(self) -> None:
        event = fixture("mention")
        del event["data"]["payload"]["entities"]
        tweet = activity_event(event)
        assert isinstance(tweet, Tweet)
        assert tweet.mentions == {ACCOUNT}

    def test_of_a_reply_leaves_out_the_mention_that_x_put_in_front(self) -> None:
        tweet = tweet_of("reply")
        assert (tweet.kind, tweet.in_reply_to) == ("reply", "1985000000000000001")
        assert tweet.mentions == {"6600000000000000066", "otter_example"}

    def test_of_a_quote_names_the_post_that_is_quoted(self) -> None:
        tweet = tweet_of("quote")
        assert (tweet.kind, tweet.quoted_id) == ("quote", "1985000000000000001")

    def test_of_a_quote_is_vouched_for_by_its_subscription(self) -> None:
        assert tweet_of("quote").mentions == {ACCOUNT}

    def test_about_the_accounts_own_post_is_ignored(self) -> None:
        event = fixture("reply")
        event["data"]["payload"]["author_id"] = ACCOUNT
        assert activity_event(event) == Ignored("the account's own post")

    def test_with_an_endless_name_keeps_its_beginning(self) -> None:
        event = fixture("mention")
        event["data"]["includes"]["users"][0]["name"] = "Mira" * 10_000
        tweet = activity_event(event)
        assert isinstance(tweet, Tweet)
        assert tweet.author.name == "Mira" * 25

    def test_of_an_edit_belongs_to_the_first_post(self) -> None:
        tweet = tweet_of("mention_edited")
        assert (tweet.id, tweet.root_id) == ("1985000000000000109", "1985000000000000101")

    def test_of_a_deletion_brings_the_posts_id(self) -> None:
        assert activity_event(fixture("delete")) == Deleted("1985000000000000101", MIRA.id)

    def test_of_a_revocation_brings_the_account(self) -> None:
        assert activity_event(fixture("revoke")) == Revoked(ACCOUNT)
        assert lines(fixture("revoke")) == []

    @pytest.mark.parametrize("user_id", [None, {}, "my_card_is_4929", -4])
    def test_of_a_revocation_by_nobody_brings_no_words(self, user_id: object) -> None:
        event = fixture("revoke")
        event["data"]["payload"]["user_id"] = user_id
        assert activity_event(event) == Revoked(None)

    def test_that_mentions_more_than_a_message_can_carry_keeps_the_first(self) -> None:
        event = fixture("mention")
        event["data"]["payload"]["text"] = "\0" * LONGEST_TEXT
        event["data"]["payload"]["entities"]["mentions"] = [
            {"username": f"{number:05}" + "\0" * 95, "id": f"{number:0100}"}
            for number in range(20_000)
        ]
        tweet = activity_event(event)
        assert isinstance(tweet, Tweet)
        assert len(message(Arrival(tweet, NOON)).body.encode()) < LARGEST_MESSAGE
        assert ACCOUNT in tweet.mentions

    @pytest.mark.parametrize("kind", ["post.repost.create", "dm.received", "a.kind_of.2031"])
    def test_of_another_type_is_ignored(self, kind: str) -> None:
        assert activity_event({"data": {"event_type": kind}}) == Ignored(kind)
        assert lines({"data": {"event_type": kind}}) == []

    @pytest.mark.parametrize(
        "kind", ["", "x\ud800", "my card is 4929", "hello", "a." + "b" * 99, "post.delete\n", "Ü.ü"]
    )
    def test_of_a_type_that_is_no_name_is_ignored_without_telling_it(self, kind: str) -> None:
        assert activity_event({"data": {"event_type": kind}}) == Ignored("a type that is no name")

    @pytest.mark.parametrize(
        ("event", "place"),
        [
            ([], "The event must be a JSON object, not a list"),
            ({}, "The event's data must be a JSON object, not null"),
            ({"data": "x"}, "data must be a JSON object, not a string"),
            ({"data": {"event_type": 5}}, "data.event_type must be a string, not a number"),
            (
                {"data": {"event_type": "post.delete", "payload": 1}},
                "data.payload must be a JSON object, not a number",
            ),
            ({"data": {"event_type": "post.delete", "payload": {}}}, "The post's id is missing"),
            (
                {"data": {"event_type": "post.reply.create", "payload": {"id": "1"}}},
                "The text must be a string, not null",
            ),
        ],
    )
    def test_that_is_malformed_is_refused_by_its_place(self, event: object, place: str) -> None:
        with pytest.raises(Refused, match=place):
            activity_event(event)

    @pytest.mark.parametrize("name", ["mention", "reply", "quote", "delete", "revoke"])
    def test_of_a_kind_we_take_is_unreadable_rather_than_unknown(self, name: str) -> None:
        event = fixture(name)
        event["data"]["payload"] = ["4929"]
        with pytest.raises(Unreadable, match=r"data\.payload must be a JSON object, not a list"):
            activity_event(event)

    def test_of_the_accounts_own_post_is_ignored_even_if_it_cannot_be_read(self) -> None:
        event = fixture("mention")
        event["data"]["payload"] |= {"author_id": ACCOUNT, "text": None}
        assert activity_event(event) == Ignored("the account's own post")

    def test_body_may_hold_several(self) -> None:
        both = {"data": [fixture("mention")["data"], fixture("delete")["data"]]}
        found = [activity_event(event) for event in activity_events(both)]
        assert found == [tweet_of("mention"), Deleted("1985000000000000101", MIRA.id)]

    @pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendors' samples are not here")
    def test_as_the_vendor_documents_it_is_understood(self) -> None:
        events = {path.stem: json.loads(path.read_text()) for path in SAMPLES.glob("xaa_*.json")}
        kinds = {name: type(activity_event(event)) for name, event in events.items()}
        assert {name for name, kind in kinds.items() if kind is Deleted} == {"xaa_post.delete"}
        assert {name for name, kind in kinds.items() if kind is Revoked} == {"xaa_oauth.revoke"}
        assert {name for name, kind in kinds.items() if kind is Ignored} == {
            "xaa_dm.received",
            "xaa_post.repost.create",
        }
        assert len(events) == 8


class TestAttachedMedia:
    def test_is_told_by_its_kind_in_the_order_of_the_post(self) -> None:
        tweets, problems = api_answer(fixture("answer_with_media"), "poll")
        assert problems == []
        assert [tweet.media for tweet in tweets] == [
            ("video", "photo"),
            ("animated_gif", "media"),
            (),
        ]

    @pytest.mark.parametrize("within", [True, False])
    def test_of_an_event_is_told_as_far_as_x_says(self, *, within: bool) -> None:
        event = fixture("mention")
        event["data"]["payload"]["attachments"] = {"media_keys": ["3_1", "7_2"]}
        del event["data"]["includes"]
        media = [{"media_key": "7_2", "type": "video"}]
        (event["data"] if within else event)["includes"] = {"media": media}
        tweet = activity_event(event)
        assert isinstance(tweet, Tweet)
        assert tweet.media == ("media", "video")

    def test_is_found_behind_the_links_of_a_post_that_lists_none(self) -> None:
        links = [{"media_key": key} for key in ("3_1", "3_1", "3_2")] + [{"url": "https://a"}]
        tweet = line({"id": "1", "text": "x", "entities": {"urls": links}})
        assert tweet.media == ("media", "media")

    def test_of_a_post_in_the_classic_form_stands_in_the_post_itself(self) -> None:
        assert line(fixture("classic_with_media")).media == ("video",)

    @pytest.mark.parametrize(
        ("written", "media"),
        [
            ("photo", ("photo",)),
            ("video, photo;animated_gif|photo", ("video", "photo", "animated_gif", "photo")),
            (" photo https://pbs.twimg.com/media/x.jpg 3_5 Photo ", ("photo",)),
            ("photo " * 99, ("photo",) * MOST_MEDIA),
            ("", ()),
            (None, ()),
        ],
    )
    def test_of_a_file_is_named_in_its_column(
        self, written: str | None, media: tuple[str, ...]
    ) -> None:
        assert row(text="look", media=written).media == media
        assert line({"id": "1", "text": "look", "media": written}).media == media

    def test_of_a_file_may_be_a_list(self) -> None:
        named = ["video", "hologram", "photo"]
        assert line({"id": "1", "text": "x", "media": named}).media == ("video", "photo")

    def test_beyond_what_x_allows_is_left_out(self) -> None:
        keys = [f"3_{number}" for number in range(20_000)]
        post = {"id": "1", "text": "x", "attachments": {"media_keys": keys}}
        [tweet], _ = api_answer({"data": post}, "poll")
        assert tweet.media == ("media",) * MOST_MEDIA

    @pytest.mark.parametrize(
        ("attached", "media"),
        [
            ({"attachments": 5}, ()),
            ({"attachments": {"media_keys": "3_1"}}, ()),
            ({"attachments": {"media_keys": [None, 5, [], {}, ""]}}, ()),
            ({"extended_entities": [{"media": 1}]}, ()),
            ({"extended_entities": {"media": [5, None, "photo"]}}, ()),
            ({"extended_entities": {"media": [{"type": ["photo"]}, {}]}}, ("media", "media")),
            ({"attachments": {"media_keys": ["3_1"]}, "extended_entities": None}, ("media",)),
            ({"entities": {"urls": [None, {"media_key": 5}]}}, ()),
            ({"media": [None, {}, ["photo"], "hologram"]}, ()),
        ],
    )
    def test_in_an_unknown_shape_is_passed_over(
        self, attached: dict[str, Any], media: tuple[str, ...]
    ) -> None:
        assert line({"id": "1", "text": "x", **attached}).media == media

    @pytest.mark.parametrize(
        "included", [5, {}, [5], [{"type": "photo"}], [{"media_key": [], "type": "photo"}]]
    )
    def test_that_is_included_in_an_unknown_shape_is_not_told_by_its_kind(
        self, included: object
    ) -> None:
        post = {"id": "1", "text": "x", "attachments": {"media_keys": ["3_1"]}}
        [tweet], _ = api_answer({"data": post, "includes": {"media": included}}, "poll")
        assert tweet.media == ("media",)


class TestAnAnswer:
    @pytest.mark.parametrize("names", ["old", "new"])
    def test_is_read_under_old_and_new_names(self, names: str) -> None:
        tweets, problems = api_answer(fixture(f"answer_{names}_names"), "poll")
        assert problems == []
        reply, edited = tweets
        assert (reply.kind, reply.in_reply_to) == ("reply", "1985000000000000001")
        assert reply.text.endswith("once more: I'd like an answer")
        assert edited.text.endswith("It ends with rain <and> tears.")
        assert (edited.id, edited.root_id) == ("1985000000000000201", "1985000000000000200")
        assert {tweet.author for tweet in tweets} == {MIRA}
        assert {tweet.answer for tweet in tweets} == {True}

    def test_counts_a_mention_that_was_typed_into_a_reply(self) -> None:
        [reply, _edited], _ = api_answer(fixture("answer_old_names"), "poll")
        assert reply.mentions == {ACCOUNT, "harborhelp"}

    def test_without_data_holds_nothing(self) -> None:
        assert api_answer(fixture("answer_empty"), "poll") == ([], [])

    def test_with_errors_beside_its_posts_gives_the_posts(self) -> None:
        [tweet], problems = api_answer(fixture("answer_with_errors"), "poll")
        assert (tweet.text, tweet.author, problems) == ("@HarborHelp hello", Author(), [])

    def test_with_one_bad_post_gives_the_others_and_names_the_place(self) -> None:
        answer = {"data": [{"id": "1", "text": "a"}, {"id": "2"}, {"id": "3", "text": "c"}]}
        tweets, problems = api_answer(answer, "poll")
        assert [tweet.id for tweet in tweets] == ["1", "3"]
        assert problems == ["data[1]: The text must be a string, not null."]

    def test_unescapes_a_text_once_only(self) -> None:
        [tweet], _ = api_answer({"data": {"id": "1", "text": "&amp;lt; &#39;"}}, "poll")
        assert tweet.text == "&lt; '"

    def test_measures_a_text_as_its_author_wrote_it(self) -> None:
        longest = {"id": "1", "text": "&amp;" * LONGEST_TEXT}
        longer = {"id": "1", "text": "a" * (LONGEST_TEXT + 1)}
        [tweet], _ = api_answer({"data": longest}, "poll")
        assert tweet.text == "&" * LONGEST_TEXT
        assert "at most 25,000" in api_answer({"data": longer}, "poll")[1][0]

    def test_does_not_take_the_mention_in_front_of_a_long_reply_for_the_authors(self) -> None:
        note = {"text": "@HarborHelp long", "entities": {"mentions": [{"start": 0, "id": "44"}]}}
        post = {"id": "1", "text": "", "note_tweet": note, "display_text_range": [12, 90]}
        [tweet], _ = api_answer({"data": post}, "poll")
        assert tweet.mentions == frozenset()


class TestARow:
    def test_without_an_id_gets_one_from_its_file_and_place(self) -> None:
        assert (row(text="hello").id, row(text="hello").source) == ("file-abc-7", "file")

    @pytest.mark.parametrize("column", ["tweet_id", "id"])
    def test_keeps_its_id(self, column: str) -> None:
        assert row(**{column: "99", "text": "hello"}).root_id == "99"

    def test_gives_author_time_and_written_mentions(self) -> None:
        tweet = row(
            text="@Harbor_Help mail me@example.org &amp; soon",
            username="@Mira_Example",
            created_at="Mon Nov 02 11:58:07 +0100 2026",
            in_response_to_tweet_id="5",
        )
        assert tweet.author == Author(None, "Mira_Example")
        assert tweet.created_at == datetime(2026, 11, 2, 10, 58, 7, tzinfo=UTC)
        assert tweet.mentions == {"harbor_help"}
        assert tweet.in_reply_to == "5"
        assert tweet.text == "@Harbor_Help mail me@example.org & soon"

    def test_that_is_too_short_is_refused(self) -> None:
        with pytest.raises(Refused, match="fewer columns than the header"):
            row(id="1", text=None)


class TestALine:
    def test_may_be_a_bare_text(self) -> None:
        assert (line("hello").text, line("hello").id) == ("hello", "file-abc-7")
        assert line({"text": "hello"}) == line("hello")

    def test_may_be_a_post_an_event_or_a_whole_answer(self) -> None:
        assert line({"id": 5, "text": "hi @Harbor"}).mentions == {"harbor"}
        assert line({"tweet_id": "5", "text": "hello"}).id == "5"
        assert line(fixture("mention")).author == MIRA
        assert lines(fixture("delete")) == [Deleted("1985000000000000101", MIRA.id, "file")]
        assert len(lines(fixture("answer_new_names"))) == 2

    @pytest.mark.parametrize("answer", [True, False])
    def test_is_answered_only_if_the_files_owner_says_so(self, *, answer: bool) -> None:
        for value in ("hello", {"id": "1", "text": "x"}, fixture("mention")):
            tweet = line(value, answer=answer)
            assert (tweet.answer, tweet.source) == (answer, "file")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("{", "not JSON"),
            ("[" * 100_000, "not JSON"),
            ("5", "must be a JSON object, not a number"),
            ("{}", "neither an id nor a text"),
            ('{"text": null}', "must be a string, not null"),
            ('{"id": "1"}', "must be a string, not null"),
            ('{"id": {}, "text": "x"}', "The post's id"),
            ('{"data": [{"id": "1", "text": 5}]}', r"data\[0\]: The text"),
            ('{"id": "1", "root_id": 5, "text": "x"}', "own form: look at its root_id"),
        ],
    )
    def test_that_is_malformed_is_refused_by_its_place(self, text: str, says: str) -> None:
        with pytest.raises(Refused, match=says):
            json_line(text, "file-abc", 7, answer=False)


def test_a_csv_row_cut_at_an_unquoted_comma_is_refused() -> None:
    cut: dict[Any, Any] = {"text": "My parcel is late", None: [" and I want my money back"]}
    with pytest.raises(Refused, match=r"more fields than the header: put a text .* in quotes"):
        csv_row(cut, "file-abc", 7, answer=False)
