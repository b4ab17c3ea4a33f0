"""X's stand-in, seen through tweepy."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import tweepy

from tests.standins.server import Fault
from tests.standins.x import XStandin
from tests.standins.x_posts import snowflake

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Redirected(requests.Session):
    """Sends tweepy's calls to a stand-in before they are signed."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def request(self, method: Any, url: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        address = re.sub(r"^https://api\.(x|twitter)\.com", self.base, url)
        return super().request(method, address, timeout=5, **kwargs)


def tweepy_client(x: XStandin, **changed: str) -> tweepy.Client:
    keys = {
        "consumer_key": x.keys.consumer_key,
        "consumer_secret": x.keys.consumer_secret,
        "access_token": x.keys.access_token,
        "access_token_secret": x.keys.access_token_secret,
    }
    client = tweepy.Client(**{**keys, **changed}, return_type=dict)
    client.session.close()
    client.session = Redirected(x.url)
    return client


@pytest.fixture
def x() -> Iterator[XStandin]:
    with XStandin(clock=lambda: NOON) as standin:
        yield standin


@pytest.fixture
def api(x: XStandin) -> Iterator[tweepy.Client]:
    client = tweepy_client(x)
    yield client
    client.session.close()


class TestX:
    def test_knows_its_account(self, api: tweepy.Client) -> None:
        me = api.get_me(user_auth=True)
        assert me["data"] == {"id": "1001", "name": "HarborSupport", "username": "HarborSupport"}

    def test_refuses_a_wrong_secret(self, x: XStandin) -> None:
        client = tweepy_client(x, access_token_secret="wrong")
        with client.session, pytest.raises(tweepy.Unauthorized):
            client.get_me(user_auth=True)

    def test_refuses_a_signature_made_for_another_address(self, x: XStandin) -> None:
        class RewritesTooLate(requests.adapters.HTTPAdapter):
            def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
                request.url = x.url + urlsplit(request.url).path
                return super().send(request, *args, **kwargs)

        client = tweepy_client(x)
        with client.session, requests.Session() as client.session:
            client.session.mount("https://", RewritesTooLate())
            with pytest.raises(tweepy.Unauthorized):
                client.get_me(user_auth=True)

    def test_checks_signatures_of_text_that_needs_escaping(self, api: tweepy.Client) -> None:
        page = api.get_users_mentions(
            "1001", user_auth=True, start_time=NOON, tweet_fields=["author_id", "lang"]
        )
        assert page == {"meta": {"result_count": 0}}

    def test_lets_the_bearer_token_read_but_not_post(self, x: XStandin) -> None:
        client = tweepy.Client(x.bearer_token, return_type=dict)
        client.session.close()
        with Redirected(x.url) as client.session:
            assert client.get_users_mentions("1001")["meta"] == {"result_count": 0}
            with pytest.raises(tweepy.Forbidden, match="Application-Only"):
                client.create_tweet(text="Hello.", user_auth=False)

    def test_pages_mentions_from_the_newest(self, x: XStandin, api: tweepy.Client) -> None:
        ids = [x.add_mention(f"number {n}").id for n in range(12)]
        first = api.get_users_mentions("1001", user_auth=True, max_results=5)
        late = x.add_mention("comes between the pages")
        token = first["meta"]["next_token"]
        second = api.get_users_mentions(
            "1001", user_auth=True, max_results=5, pagination_token=token
        )
        seen = [tweet["id"] for page in (first, second) for tweet in page["data"]]
        assert seen == ids[:1:-1]
        assert first["meta"]["newest_id"] == ids[-1]
        newer = api.get_users_mentions("1001", user_auth=True, since_id=ids[-1])
        assert [tweet["id"] for tweet in newer["data"]] == [late.id]

    def test_refuses_pages_of_four(self, api: tweepy.Client) -> None:
        with pytest.raises(tweepy.BadRequest, match="not between 5 and 100"):
            api.get_users_mentions("1001", user_auth=True, max_results=4)

    def test_since_id_misses_a_mention_that_is_indexed_late(
        self, x: XStandin, api: tweepy.Client
    ) -> None:
        newest = x.add_mention("first seen")
        x.add_mention("seen too late", created_at=NOON - timedelta(minutes=5))
        page = api.get_users_mentions("1001", user_auth=True, since_id=newest.id)
        assert page["meta"]["result_count"] == 0
        again = api.get_users_mentions(
            "1001", user_auth=True, start_time=NOON - timedelta(minutes=10)
        )
        assert again["meta"]["result_count"] == 2

    def test_sends_fields_and_authors_only_where_asked(
        self, x: XStandin, api: tweepy.Client
    ) -> None:
        x.add_mention("Fish & <chips>", author="river_example", lang="en")
        bare = api.get_users_mentions("1001", user_auth=True)
        assert set(bare["data"][0]) == {"id", "text", "edit_history_tweet_ids"}
        full = api.get_users_mentions(
            "1001",
            user_auth=True,
            expansions="author_id",
            tweet_fields=["created_at", "lang", "note_tweet", "entities"],
            user_fields=["public_metrics"],
        )
        tweet, author = full["data"][0], full["includes"]["users"][0]
        assert tweet["text"] == "@HarborSupport Fish &amp; &lt;chips&gt;"
        assert tweet["created_at"] == "2026-11-02T12:00:00.000Z"
        assert tweet["entities"]["mentions"][0]["id"] == "1001"
        assert tweet["author_id"] == author["id"]
        assert author["public_metrics"]["followers_count"] == 12

    def test_puts_long_posts_into_note_tweet(self, x: XStandin, api: tweepy.Client) -> None:
        post = x.add_mention("Still waiting. " * 40)
        found = api.get_tweets([post.id], user_auth=True, tweet_fields=["note_tweet"])
        assert len(found["data"][0]["text"]) <= 280
        assert found["data"][0]["note_tweet"]["text"] == post.text

    def test_names_the_posts_it_does_not_find(self, x: XStandin, api: tweepy.Client) -> None:
        post = x.add_mention("here")
        gone = x.add_mention("deleted")
        x.delete(gone.id)
        found = api.get_tweets([post.id, gone.id], user_auth=True)
        assert [tweet["id"] for tweet in found["data"]] == [post.id]
        assert found["errors"][0]["resource_id"] == gone.id

    def test_shows_a_reply_in_the_accounts_own_posts(self, x: XStandin, api: tweepy.Client) -> None:
        mention = x.add_mention("Where is my parcel?", author="river_example")
        made = api.create_tweet(text="On its way.", in_reply_to_tweet_id=mention.id, user_auth=True)
        assert set(made["data"]) == {"id", "text", "edit_history_tweet_ids"}
        assert made["data"]["text"] == "@river_example On its way."
        own = api.get_users_tweets("1001", user_auth=True, tweet_fields="referenced_tweets")
        assert own["data"][0]["id"] == made["data"]["id"]
        assert own["data"][0]["referenced_tweets"] == [{"type": "replied_to", "id": mention.id}]
        assert [post.id for post in x.replies_to(mention.id)] == [made["data"]["id"]]

    def test_may_index_a_reply_late(self, x: XStandin, api: tweepy.Client) -> None:
        made = api.create_tweet(text="Open until six today.", user_auth=True)["data"]["id"]
        x.hidden.add(made)
        assert api.get_users_tweets("1001", user_auth=True)["meta"]["result_count"] == 0
        x.hidden.clear()
        assert api.get_users_tweets("1001", user_auth=True)["data"][0]["id"] == made

    def test_refuses_the_same_text_twice(self, x: XStandin, api: tweepy.Client) -> None:
        for_one, for_two = (x.add_mention("hi", author=who) for who in ("a_example", "b_example"))
        api.create_tweet(text="Thank you.", in_reply_to_tweet_id=for_one.id, user_auth=True)
        with pytest.raises(tweepy.Forbidden, match="duplicate content"):
            api.create_tweet(text="Thank you.", in_reply_to_tweet_id=for_two.id, user_auth=True)

    def test_refuses_replies_to_posts_that_are_gone(self, api: tweepy.Client) -> None:
        with pytest.raises(tweepy.Forbidden, match="deleted or not visible"):
            api.create_tweet(text="Hello?", in_reply_to_tweet_id="1", user_auth=True)

    def test_refuses_replies_where_the_account_is_not_mentioned(
        self, x: XStandin, api: tweepy.Client
    ) -> None:
        stranger = x.add_mention("Anyone else waiting?", kind="reply")
        quote = x.add_mention("Look at this", kind="quote")
        with pytest.raises(tweepy.Forbidden, match="where you are mentioned"):
            api.create_tweet(text="We are.", in_reply_to_tweet_id=stranger.id, user_auth=True)
        api.create_tweet(text="We saw it.", in_reply_to_tweet_id=quote.id, user_auth=True)

    def test_counts_calls(self, x: XStandin, api: tweepy.Client) -> None:
        x.limits["create"] = 1
        api.return_type = requests.Response
        headers = api.create_tweet(text="One.", user_auth=True).headers
        assert headers["x-rate-limit-remaining"] == "0"
        with pytest.raises(tweepy.TooManyRequests) as refused:
            api.create_tweet(text="Two.", user_auth=True)
        assert refused.value.reset_time == int(NOON.timestamp()) + 900

    def test_may_lose_the_answer_to_a_post_that_it_published(
        self, x: XStandin, api: tweepy.Client
    ) -> None:
        x.faults.append(Fault("lost", where="POST /2/tweets"))
        with pytest.raises(requests.ConnectionError):
            api.create_tweet(text="Did it go out?", user_auth=True)
        assert [post.text for post in x.posts] == ["Did it go out?"]

    def test_signs_what_it_delivers(self, x: XStandin) -> None:
        body = json.dumps(x.event(x.add_mention("hé"))).encode()
        digest = hmac.digest(x.keys.consumer_secret.encode(), body, hashlib.sha256)
        expected = "sha256=" + base64.b64encode(digest).decode()
        assert x.signed(body)["x-twitter-webhooks-signature"] == expected

    def test_signs_as_x_did_when_measured(self, x: XStandin) -> None:
        signed = x.signed('{"for_user_id":"1","text":"hé"}'.encode())
        assert signed["x-twitter-webhooks-signature"] == (
            "sha256=NIQWjBOqFA2BWGJ9eLk+Uu8a6CWfmf1lCFZe7mb+Fh0="
        )

    def test_tells_of_a_mention_with_its_author(self, x: XStandin) -> None:
        mention = x.add_mention("Help!", author="river_example")
        first, second = x.event(mention)["data"], x.event(mention)["data"]
        assert first["event_type"] == "post.mention.create"
        assert first["filter"] == {"user_id": "1001"}
        assert first["payload"]["text"] == "@HarborSupport Help!"
        assert first["includes"]["users"][0]["username"] == "river_example"
        assert first["event_uuid"] != second["event_uuid"]

    def test_tells_of_an_edit_with_the_root(self, x: XStandin) -> None:
        first = x.add_mention("Helo")
        edited = x.add_mention("Hello", edit_of=first.id)
        payload = x.event(edited)["data"]["payload"]
        assert payload["edit_history_tweet_ids"] == [first.id, edited.id]

    def test_tells_little_of_a_deletion(self, x: XStandin) -> None:
        mention = x.add_mention("Help!")
        payload = x.event(mention, "post.delete")["data"]["payload"]
        assert payload == {"id": mention.id, "author_id": mention.author.id}

    def test_gives_ids_that_tell_the_time(self) -> None:
        at = datetime(2022, 10, 8, tzinfo=UTC)
        assert (int(snowflake(at, 5)) >> 22) + 1288834974657 == at.timestamp() * 1000
