"""The account on X over its stand-in, which checks every signature."""

import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.cases import Case
from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.settings import XKeys
from bot.twitter import client
from bot.twitter.client import XAccount, connect
from tests.examples import NOON, case, noon, reply
from tests.standins.server import Fault
from tests.standins.x import XStandin
from tests.standins.x_posts import Post

NOON_SECONDS = int(NOON.timestamp())


@pytest.fixture
def x() -> Iterator[XStandin]:
    with XStandin(clock=noon) as standin:
        yield standin


def keys_of(x: XStandin) -> XKeys:
    held = x.keys
    return XKeys(
        held.consumer_key, held.consumer_secret, held.access_token, held.access_token_secret
    )


def account_at(url: str, keys: XKeys, user_id: str | None = None) -> Iterator[XAccount]:
    api = connect(keys, url)
    with api.session:
        yield XAccount(api, user_id, noon)


@pytest.fixture
def account(x: XStandin) -> Iterator[XAccount]:
    yield from account_at(x.url, keys_of(x), "1001")


def case_of(post: Post) -> Case:
    asked = case(post.text)
    return replace(asked, tweet=replace(asked.tweet, id=post.id, root_id=post.id))


def answer_to(x: XStandin, account: XAccount, fault: Fault | None = None) -> Failure:
    """How an answer to a mention failed."""
    mention = x.add_mention("where is my parcel?")
    x.faults += [fault] if fault else []
    with pytest.raises(Failure) as failed:
        account.send(case_of(mention), reply())
    return failed.value


class TestAnswering:
    def test_posts_a_reply_and_returns_its_id(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("where is my parcel?")
        posted = account.send(case_of(mention), reply("Sorry! Which one is it?"))
        [answer] = x.replies_to(mention.id)
        assert (answer.id, answer.text) == (posted, "@river_example Sorry! Which one is it?")

    def test_signs_with_the_keys_it_was_given(self, x: XStandin) -> None:
        wrong = replace(keys_of(x), access_token_secret="another")
        for stranger in account_at(x.url, wrong):
            failure = answer_to(x, stranger)
        assert isinstance(failure, Retryable)
        assert failure.after == client.KEYS_WRONG
        assert "X_ACCESS_TOKEN" in str(failure)

    def test_gives_up_on_a_text_that_x_has_seen(self, x: XStandin, account: XAccount) -> None:
        account.send(case_of(x.add_mention("hello?")), reply())
        failure = answer_to(x, account)
        assert isinstance(failure, Permanent)
        assert "duplicate content" in str(failure)

    def test_gives_up_on_a_post_that_is_gone(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("hello?")
        x.delete(mention.id)
        with pytest.raises(Permanent, match="deleted or not visible"):
            account.send(case_of(mention), reply())

    def test_gives_up_on_a_post_that_does_not_name_the_account(
        self, x: XStandin, account: XAccount
    ) -> None:
        stranger = x.add_mention("lovely day", kind="post")
        with pytest.raises(Permanent, match="where you are mentioned"):
            account.send(case_of(stranger), reply())

    @pytest.mark.parametrize(
        "body", [{"title": "Invalid Request", "detail": "text is too long"}, b"null", b"", b"[]"]
    )
    @pytest.mark.parametrize("status", [400, 403, 404])
    def test_gives_up_whatever_a_refusal_says(
        self, x: XStandin, account: XAccount, status: int, body: object
    ) -> None:
        failure = answer_to(x, account, Fault(status=status, body=body))
        assert isinstance(failure, Permanent)
        assert str(status) in str(failure)

    @pytest.mark.parametrize(
        ("fault", "after"),
        [
            (Fault(status=402, body={"title": "CreditsDepleted"}), client.NO_CREDIT),
            (Fault(status=402, body=b"null"), client.NO_CREDIT),
            (Fault(status=429), client.WINDOW),
            (Fault(status=429, headers={"x-rate-limit-reset": str(NOON_SECONDS + 240)}), 240),
            (Fault(status=429, headers={"x-rate-limit-reset": str(NOON_SECONDS - 240)}), 1),
            (Fault(status=401, body=b"null"), client.KEYS_WRONG),
            (Fault(status=503), None),
            (Fault("html", 503), None),
        ],
    )
    def test_may_work_later_where_x_surely_did_nothing(
        self, x: XStandin, account: XAccount, fault: Fault, after: float | None
    ) -> None:
        failure = answer_to(x, account, fault)
        assert isinstance(failure, Retryable)
        assert failure.after == after
        assert x.posts == []

    def test_waits_for_the_end_of_the_window_when_x_counts_too_many(
        self, x: XStandin, account: XAccount
    ) -> None:
        x.limits["create"] = 0
        failure = answer_to(x, account)
        assert isinstance(failure, Retryable)
        assert failure.after == 900

    def test_may_work_later_where_nobody_listens(self, x: XStandin) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            for account in account_at(url, keys_of(x)):
                failure = answer_to(x, account)
        assert isinstance(failure, Retryable)

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("lost"),
            Fault("drop"),
            Fault(status=500),
            Fault(status=500, body=b"null"),
            Fault("html", 502),
            Fault(status=504, performs=True),
            Fault("html", 200, performs=True),
            Fault(status=201, body=b"null", performs=True),
            Fault(status=201, body=b"", performs=True),
            Fault(status=201, body={"data": []}, performs=True),
            Fault(status=201, body=[1], performs=True),
        ],
    )
    def test_may_have_worked_where_the_answer_was_lost(
        self, x: XStandin, account: XAccount, fault: Fault
    ) -> None:
        failure = answer_to(x, account, fault)
        assert isinstance(failure, Unknown)
        assert len(x.calls("POST /2/tweets")) == 1, "the bot must not repeat it by itself"

    def test_may_have_worked_where_x_takes_too_long(
        self, x: XStandin, account: XAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "CONNECT_AND_READ", (1, 0.05))
        assert isinstance(answer_to(x, account, Fault("hang", performs=True)), Unknown)


class TestLookingUp:
    def test_finds_a_reply_whose_answer_was_lost(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("where is my parcel?")
        x.faults.append(Fault("lost"))
        with pytest.raises(Unknown):
            account.send(case_of(mention), reply())
        [answer] = x.replies_to(mention.id)
        assert account.find(case_of(mention), reply()) == answer.id

    def test_finds_it_behind_newer_posts(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("where is my parcel?")
        sent = account.send(case_of(mention), reply())
        for number in range(150):
            x.add_mention(f"News {number}", author=x.account, kind="post")
        assert account.find(case_of(mention), reply()) == sent
        assert len(x.calls("GET /2/users/1001/tweets")) == 2

    def test_finds_nothing_where_nothing_was_sent(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("where is my parcel?")
        other = x.add_mention("and mine?")
        account.send(case_of(other), reply())
        assert account.find(case_of(mention), reply()) is None

    def test_asks_for_the_account_once(self, x: XStandin) -> None:
        mention = x.add_mention("where is my parcel?")
        for account in account_at(x.url, keys_of(x)):
            account.find(case_of(mention), reply())
            account.find(case_of(mention), reply())
        assert len(x.calls("GET /2/users/me")) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("lost"),
            Fault("drop"),
            Fault("html", 200),
            Fault("html", 502),
            Fault(status=500),
            Fault(status=503),
            Fault(status=200, body=b"null"),
            Fault(status=200, body=[]),
            Fault(status=200, body={"errors": [{"title": "Not Found Error"}]}),
            Fault(status=403, body={"detail": None}),
            Fault(status=429),
        ],
    )
    def test_may_be_asked_again_whatever_went_wrong(self, x: XStandin, fault: Fault) -> None:
        x.faults.append(fault)
        for account in account_at(x.url, keys_of(x)):
            with pytest.raises(Retryable):
                account.account_id()

    def test_gives_up_in_time(
        self, x: XStandin, account: XAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "CONNECT_AND_READ", (1, 0.05))
        x.faults.append(Fault("hang"))
        with pytest.raises(Retryable, match="ReadTimeout"):
            account.find(case(), reply())


class TestReadingMentions:
    def test_brings_every_page_newest_first(self, x: XStandin, account: XAccount) -> None:
        sent = [x.add_mention(f"number {number}").id for number in range(130)]
        pages = list(account.pages("1001", None, None))
        assert [len(tweets) for tweets, _ in pages] == [100, 30]
        assert [tweet.id for tweets, _ in pages for tweet in tweets] == sent[::-1]

    def test_brings_authors_long_posts_and_whom_they_name(
        self, x: XStandin, account: XAccount
    ) -> None:
        text = "@HarborSupport where is it & why? <b> " + "very long " * 60
        x.add_mention(text, author=x.user("mara_example", followers=90_000))
        [([tweet], problems)] = account.pages("1001", None, None)
        assert tweet.text == text
        assert (tweet.author.handle, tweet.author.followers) == ("mara_example", 90_000)
        assert {"1001", "harborsupport"} <= tweet.mentions
        assert (tweet.source, tweet.answer, problems) == ("poll", True, [])

    def test_starts_where_it_is_told(self, x: XStandin, account: XAccount) -> None:
        x.add_mention("old", created_at=NOON - timedelta(hours=3))
        known = x.add_mention("known", created_at=NOON - timedelta(minutes=30))
        new = x.add_mention("new")
        [(after, _)] = account.pages("1001", known.id, None)
        [(lately, _)] = account.pages("1001", None, NOON - timedelta(hours=1))
        assert [tweet.id for tweet in after] == [new.id]
        assert [tweet.id for tweet in lately] == [new.id, known.id]

    def test_leaves_out_what_it_cannot_read_and_says_so(
        self, x: XStandin, account: XAccount
    ) -> None:
        body = {"data": [{"id": "5"}, {"id": "6", "text": "hi"}], "meta": {"result_count": 2}}
        x.faults.append(Fault(status=200, body=body))
        [(tweets, problems)] = account.pages("1001", None, None)
        assert [tweet.id for tweet in tweets] == ["6"]
        assert problems == ["data[0]: The text must be a string, not null."]


def test_no_key_reaches_a_log_even_at_debug_level(
    x: XStandin, account: XAccount, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account.send(case_of(x.add_mention("hello?")), reply())
    list(account.pages("1001", None, None))
    assert "POST /2/tweets" in caplog.text
    for secret in vars(x.keys).values():
        assert secret not in caplog.text
    assert "oauth_signature" not in caplog.text
