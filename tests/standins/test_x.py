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

from tests.standins.server import Answer, Fault, Request, Standin, answer_json
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

    def test_tells_what_kind_of_media_is_attached_only_where_asked(
        self, x: XStandin, api: tweepy.Client
    ) -> None:
        post = x.add_mention("look", media=("photo", "video"))
        keys = [f"0_{post.id}", f"1_{post.id}"]
        bare = api.get_tweets([post.id], user_auth=True, tweet_fields=["attachments"])
        assert bare["data"][0]["attachments"] == {"media_keys": keys}
        assert "includes" not in bare
        full = api.get_tweets([post.id], user_auth=True, expansions="attachments.media_keys")
        assert full["data"][0]["attachments"] == {"media_keys": keys}
        assert [one["type"] for one in full["includes"]["media"]] == ["photo", "video"]

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

    def test_refuses_the_next_post_in_the_words_of_a_test(
        self, x: XStandin, api: tweepy.Client
    ) -> None:
        x.refuse_next(403, "Something new.", headers={"x-odd": "1"})
        x.refuse_next(429, title="Too Many Requests")
        with pytest.raises(tweepy.Forbidden, match=r"Something new\.") as refused:
            api.create_tweet(text="One.", user_auth=True)
        assert refused.value.response.headers["x-odd"] == "1"
        assert refused.value.response.json()["title"] == "Forbidden"
        api.get_me(user_auth=True)
        with pytest.raises(tweepy.TooManyRequests):
            api.create_tweet(text="One.", user_auth=True)
        assert x.posts == []
        assert api.create_tweet(text="One.", user_auth=True)["data"]["id"]

    def test_says_what_the_accounts_keys_allow(self, x: XStandin, api: tweepy.Client) -> None:
        x.access_level = "read"
        api.return_type = requests.Response
        assert api.get_me(user_auth=True).headers["x-access-level"] == "read"
        with pytest.raises(tweepy.Forbidden, match="oauth1 app permissions"):
            api.create_tweet(text="Hello.", user_auth=True)

    def test_says_nothing_of_the_account_to_the_app(self, x: XStandin) -> None:
        client = tweepy.Client(x.bearer_token, return_type=requests.Response)
        client.session.close()
        with Redirected(x.url) as client.session:
            assert "x-access-level" not in client.get_tweets(["1"]).headers

    def test_marks_what_may_upset_people(self, x: XStandin, api: tweepy.Client) -> None:
        ids = [x.add_mention("look", sensitive=sensitive).id for sensitive in (True, False)]
        found = api.get_tweets(ids, user_auth=True, tweet_fields=["possibly_sensitive"])
        assert [tweet["possibly_sensitive"] for tweet in found["data"]] == [True, False]

    def test_shows_no_post_that_is_withheld(self, x: XStandin, api: tweepy.Client) -> None:
        post = x.add_mention("here")
        x.withheld.add(post.id)
        [error] = api.get_tweets([post.id], user_auth=True)["errors"]
        assert error["resource_id"] == post.id
        assert error["type"].endswith("not-authorized-for-resource")
        with pytest.raises(tweepy.Forbidden, match="not visible"):
            api.create_tweet(text="Hello?", in_reply_to_tweet_id=post.id, user_auth=True)

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


class Bot(Standin):
    """A webhook that answers checks with a secret, and keeps what it is told."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret
        self.route("GET", "/hook", self._check)
        self.route("POST", "/hook", lambda _request: answer_json({}))

    def _check(self, request: Request) -> Answer:
        token = request.queries()["crc_token"].encode()
        digest = hmac.digest(self.secret.encode(), token, hashlib.sha256)
        return answer_json({"response_token": f"sha256={base64.b64encode(digest).decode()}"})


@pytest.fixture
def bot(x: XStandin) -> Iterator[Bot]:
    with Bot(x.keys.consumer_secret) as hook:
        x.webhooks.hosts["bot.example"] = hook.url
        yield hook


@pytest.fixture
def app(x: XStandin) -> Iterator[tweepy.Client]:
    client = tweepy.Client(x.bearer_token, **vars(x.keys))
    client.session.close()
    with Redirected(x.url) as client.session:
        yield client


def add(app: tweepy.Client, url: str = "https://bot.example/hook") -> Any:
    return app.request("POST", "/2/webhooks", json={"url": url}).json()["data"]


def subscribe(app: tweepy.Client, kind: str, hook: str, **more: Any) -> Any:
    asked = {"event_type": kind, "filter": {"user_id": "1001"}, "webhook_id": hook, **more}
    answer = app.request("POST", "/2/activity/subscriptions", json=asked, user_auth=True).json()
    return answer["data"]["subscription"]


def replay(app: tweepy.Client, hook: str, since: str, until: str) -> Any:
    asked = {"webhook_id": hook, "from_date": since, "to_date": until}
    return app.request("POST", "/2/webhooks/replay", json=asked).json()["data"]


class TestWebhooks:
    def test_are_checked_and_registered(self, bot: Bot, app: tweepy.Client) -> None:
        hook = add(app)
        assert set(hook) == {"id", "url", "valid", "created_at"}
        assert len(bot.calls("GET /hook")) == 1
        listed = app.request("GET", "/2/webhooks").json()
        assert listed == {"data": [hook], "meta": {"result_count": 1}}

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://bot.example/hook", "UrlValidationFailed"),
            ("https://bot.example:99/hook", "UrlValidationFailed"),
            ("https://bot.example/", "CrcValidationFailed"),
            ("https://nobody.example/hook", "CrcValidationFailed"),
        ],
    )
    @pytest.mark.usefixtures("bot")
    def test_are_refused_for_documented_reasons(
        self, app: tweepy.Client, url: str, reason: str
    ) -> None:
        with pytest.raises(tweepy.BadRequest, match=reason):
            add(app, url)

    def test_are_refused_for_another_secret(self, bot: Bot, app: tweepy.Client) -> None:
        bot.secret = "another"
        with pytest.raises(tweepy.BadRequest, match="CrcValidationFailed"):
            add(app)

    @pytest.mark.usefixtures("bot")
    def test_are_refused_twice_and_beyond_their_number(
        self, x: XStandin, app: tweepy.Client
    ) -> None:
        add(app)
        x.webhooks.most = 1
        with pytest.raises(tweepy.BadRequest, match="DuplicateUrlFailed"):
            add(app)
        with pytest.raises(tweepy.BadRequest, match="WebhookLimitExceeded"):
            add(app, "https://bot.example/other")

    def test_become_invalid_and_valid_by_their_checks(
        self, x: XStandin, bot: Bot, app: tweepy.Client
    ) -> None:
        hook = add(app)
        subscribe(app, "post.mention.create", hook["id"])
        bot.secret = "another"
        with pytest.raises(tweepy.BadRequest, match="CrcValidationFailed"):
            app.request("PUT", f"/2/webhooks/{hook['id']}")
        assert x.tell(x.add_mention("hello?")) == []
        bot.secret = x.keys.consumer_secret
        assert app.request("PUT", f"/2/webhooks/{hook['id']}").json() == {"data": {"valid": True}}
        assert x.tell(x.add_mention("hello?")) == [200]

    @pytest.mark.usefixtures("bot")
    def test_can_be_removed_once(self, app: tweepy.Client) -> None:
        route = f"/2/webhooks/{add(app)['id']}"
        assert app.request("DELETE", route).json() == {"data": {"deleted": True}}
        with pytest.raises(tweepy.BadRequest, match="WebhookIdInvalid"):
            app.request("DELETE", route)

    def test_are_not_listed_for_the_account(self, app: tweepy.Client) -> None:
        with pytest.raises(tweepy.Forbidden, match="User Context is forbidden"):
            app.request("GET", "/2/webhooks", user_auth=True)

    def test_are_nothing_for_a_wrong_token(self, x: XStandin) -> None:
        client = tweepy.Client("wrong")
        client.session.close()
        with Redirected(x.url) as client.session, pytest.raises(tweepy.Unauthorized):
            client.request("GET", "/2/webhooks")


class TestSubscriptions:
    def test_bring_signed_events_of_their_kind(
        self, x: XStandin, bot: Bot, app: tweepy.Client
    ) -> None:
        subscribe(app, "post.mention.create", add(app)["id"], tag="mentions")
        mention = x.add_mention("where is my parcel?")
        assert x.tell(mention, "post.reply.create") == []
        assert x.tell(mention) == [200]
        [event] = bot.calls("POST /hook")
        assert event.json()["data"]["payload"]["id"] == mention.id
        signature = x.signed(event.body)["x-twitter-webhooks-signature"]
        assert event.headers["x-twitter-webhooks-signature"] == signature

    @pytest.mark.usefixtures("bot")
    def test_to_what_is_private_are_not_the_apps_to_make(self, app: tweepy.Client) -> None:
        asked = {"filter": {"user_id": "1001"}, "webhook_id": add(app)["id"]}
        route, public = "/2/activity/subscriptions", asked | {"event_type": "post.delete"}
        assert app.request("POST", route, json=public).ok
        with pytest.raises(tweepy.Forbidden):
            app.request("POST", route, json=asked | {"event_type": "post.mention.create"})

    @pytest.mark.usefixtures("bot")
    def test_are_made_once_and_for_what_there_is(self, app: tweepy.Client) -> None:
        hook = add(app)["id"]
        subscribe(app, "post.delete", hook)
        for kind, where, refused in (
            ("post.delete", hook, "exists already"),
            ("post.unknown", hook, "known ones"),
            ("post.reply.create", "5", "WebhookIdInvalid"),
        ):
            with pytest.raises(tweepy.BadRequest, match=refused):
                subscribe(app, kind, where)

    @pytest.mark.usefixtures("bot")
    def test_come_in_pages_can_be_moved_and_end(self, app: tweepy.Client) -> None:
        hook, route = add(app)["id"], "/2/activity/subscriptions"
        first = subscribe(app, "post.delete", hook)
        second = subscribe(app, "post.mention.create", hook)
        page = app.request("GET", route, params={"max_results": 1}).json()
        token = page["meta"]["next_token"]
        rest = app.request(
            "GET", route, params={"max_results": 1, "pagination_token": token}
        ).json()
        assert page["data"] + rest["data"] == [first, second]
        assert "next_token" not in rest["meta"]
        one = f"{route}/{first['subscription_id']}"
        moved = app.request("PUT", one, json={"webhook_id": "9"}).json()["data"]["subscription"]
        assert moved == first | {"webhook_id": "9"}
        assert app.request("DELETE", one).json()["meta"] == {"total_subscriptions": 1}
        for method in ("PUT", "DELETE"):
            with pytest.raises(tweepy.NotFound):
                app.request(method, one, json={})


class TestReplays:
    def test_deliver_what_lies_between_two_minutes(
        self, x: XStandin, bot: Bot, app: tweepy.Client
    ) -> None:
        hook = add(app)["id"]
        told = [
            x.add_mention(f"{hours} hours ago", created_at=NOON - timedelta(hours=hours))
            for hours in (5, 3, 1)
        ]
        assert [x.tell(post) for post in told] == [[], [], []]
        job = replay(app, hook, "202611020800", "202611021000")
        assert set(job) == {"job_id", "created_at"}
        [event] = bot.calls("POST /hook")
        assert event.json()["data"]["payload"]["id"] == told[1].id

    @pytest.mark.parametrize(
        ("since", "until"),
        [
            ("202611011159", "202611021000"),
            ("202611021000", "202611020900"),
            ("202611021000", "202611021151"),
            ("202611021135", "202611021140"),
        ],
    )
    @pytest.mark.usefixtures("bot")
    def test_of_other_times_are_refused(self, app: tweepy.Client, since: str, until: str) -> None:
        hook = add(app)["id"]
        with pytest.raises(tweepy.BadRequest, match="QueryParamInvalid"):
            replay(app, hook, since, until)
        with pytest.raises(tweepy.BadRequest, match="WebhookIdInvalid"):
            replay(app, "5", since, until)
