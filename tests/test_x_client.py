"""The account on X over its stand-in, which checks every signature."""

import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cases import Case
from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.settings import XKeys
from bot.twitter import client, failures, registration
from bot.twitter.client import Access, XAccount, connect
from bot.twitter.registration import XApp
from tests.examples import NOON, case, noon, reply
from tests.standins import raw
from tests.standins.server import Fault
from tests.standins.x import XStandin
from tests.standins.x_answers import APP_ONLY, GONE, NOT_MENTIONED, RESTRICTED, missing, withheld
from tests.standins.x_posts import Post

NOON_SECONDS = int(NOON.timestamp())
HOUR = 3600
LIMIT = {"x-rate-limit-reset": str(NOON_SECONDS + 240), "x-rate-limit-remaining": "0"}


def daily(whose: str, reset: int, remaining: str = "0") -> dict[str, str]:
    """Headers of X's limits over 24 hours."""
    name = f"x-{whose}-limit-24hour"
    return {f"{name}-remaining": remaining, f"{name}-reset": str(NOON_SECONDS + reset)}


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


def answer_at(url: str, x: XStandin) -> Failure:
    """How an answer to a mention failed with X at another address."""
    for account in account_at(url, keys_of(x)):
        failure = answer_to(x, account)
    return failure


def account_id_at(url: str, x: XStandin) -> Failure:
    """How a first reading failed with X at another address."""
    for account in account_at(url, keys_of(x)):
        with pytest.raises(Failure) as failed:
            account.account_id()
    return failed.value


def said(title: str, detail: str = "", problem: str = "about:blank", **more: str) -> dict[str, Any]:
    """An error in the form of X's."""
    return {"title": title, "detail": detail, "type": problem, **more}


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
        assert failure.after == failures.KEYS_WRONG
        assert "X_ACCESS_TOKEN" in str(failure)

    def test_gives_up_on_a_text_that_x_has_seen(self, x: XStandin, account: XAccount) -> None:
        account.send(case_of(x.add_mention("hello?")), reply())
        failure = answer_to(x, account)
        assert isinstance(failure, Permanent)
        assert "duplicate content" in str(failure)
        assert failure.person, "a person can say it in other words"

    def test_gives_up_on_a_post_that_is_gone(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("hello?")
        x.delete(mention.id)
        with pytest.raises(Permanent, match="deleted or not visible") as failed:
            account.send(case_of(mention), reply())
        assert not failed.value.person

    def test_gives_up_on_a_post_that_it_may_not_see(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("hello?")
        x.withheld.add(mention.id)
        with pytest.raises(Permanent, match="deleted or not visible") as failed:
            account.send(case_of(mention), reply())
        assert not failed.value.person

    def test_gives_up_on_a_post_that_does_not_name_the_account(
        self, x: XStandin, account: XAccount
    ) -> None:
        stranger = x.add_mention("lovely day", kind="post")
        with pytest.raises(Permanent, match="where you are mentioned") as failed:
            account.send(case_of(stranger), reply())
        assert not failed.value.person

    @pytest.mark.parametrize(
        "body",
        [
            said("Forbidden", GONE),
            said("Forbidden", GONE.replace("Tweet", "Post")),
            said("Forbidden", RESTRICTED),
            said("Forbidden", NOT_MENTIONED),
            {"errors": [{"code": 433, "message": "The author restricted who can reply to it."}]},
            {"errors": [{"code": 136, "message": "You have been blocked from the author of it."}]},
            said("Forbidden", "You have been blocked by the author of this post."),
        ],
    )
    @pytest.mark.parametrize("status", [401, 403])
    def test_asks_nobody_where_x_lets_nobody_answer(
        self, x: XStandin, account: XAccount, status: int, body: dict[str, Any]
    ) -> None:
        failure = answer_to(x, account, Fault(status=status, body=body))
        assert isinstance(failure, Permanent)
        assert not failure.person

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (said("Forbidden", "You are not permitted to perform this action."), "not permitted"),
            (said("Forbidden", "Something new."), "Forbidden: Something new."),
            ({"errors": ["Just a text."]}, "Just a text."),
            ({"errors": [{"message": "One."}, None, 5, {"message": None}]}, "One."),
            ({"error": "Another text."}, "Another text."),
            ({"detail": None, "errors": "no list"}, "Forbidden"),
        ],
    )
    def test_hands_what_x_forbids_for_another_reason_to_a_person(
        self, x: XStandin, account: XAccount, body: dict[str, Any], says: str
    ) -> None:
        failure = answer_to(x, account, Fault(status=403, body=body))
        assert isinstance(failure, Permanent)
        assert failure.person
        assert says in str(failure)

    def test_keeps_what_x_says_on_one_short_line(self, x: XStandin, account: XAccount) -> None:
        body = said("Forbidden", "very\nlong " * 200)
        failure = answer_to(x, account, Fault(status=403, body=body))
        assert "\n" not in str(failure)
        assert len(str(failure)) < failures.LONGEST_REASON + 30

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (
                said(
                    "Forbidden",
                    "Your client app is not configured with the appropriate oauth1 app permissions "
                    "for this endpoint.",
                    "https://api.twitter.com/2/problems/oauth1-permissions",
                ),
                "Read and write",
            ),
            (
                {"errors": [{"code": 261, "message": "Application cannot perform write actions."}]},
                "Read",
            ),
            (
                said(
                    "Client Forbidden",
                    "You must use keys from an App that is attached to a Project.",
                    "https://api.twitter.com/2/problems/client-forbidden",
                    reason="client-not-enrolled",
                ),
                "project and plan",
            ),
            (
                {"errors": [{"code": 453, "message": "You may need a different access level."}]},
                "project and plan",
            ),
            (said("Forbidden", "Your account is not permitted to access this feature."), "plan"),
            (
                said(
                    "Unsupported Authentication",
                    APP_ONLY,
                    "https://api.x.com/2/problems/unsupported-authentication",
                ),
                "kind of keys",
            ),
            (
                {"errors": [{"code": 326, "message": "This account is temporarily locked."}]},
                "log in to X",
            ),
            (
                said("Forbidden", "Your account is suspended and is not permitted to."),
                "log in to X",
            ),
            (said("Forbidden", "Your account is temporarily restricted"), "log in to X"),
            (
                {"errors": [{"code": 226, "message": "This request might be automated."}]},
                "log in to X",
            ),
        ],
    )
    def test_waits_for_people_where_the_app_or_the_account_is_at_fault(
        self, x: XStandin, account: XAccount, body: dict[str, Any], says: str
    ) -> None:
        failure = answer_to(x, account, Fault(status=403, body=body))
        assert isinstance(failure, Retryable)
        assert failure.after == failures.MENDED_BY_PEOPLE
        assert says in str(failure)

    def test_waits_for_people_where_the_app_may_only_read(
        self, x: XStandin, account: XAccount
    ) -> None:
        x.access_level = "read"
        failure = answer_to(x, account)
        assert isinstance(failure, Retryable)
        assert str(failure) == failures.MAY_ONLY_READ

    @pytest.mark.parametrize(
        "body", [{"title": "Invalid Request", "detail": "text is too long"}, b"null", b"", b"[]"]
    )
    @pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
    def test_gives_up_whatever_a_refusal_says(
        self, x: XStandin, account: XAccount, status: int, body: object
    ) -> None:
        failure = answer_to(x, account, Fault(status=status, body=body))
        assert isinstance(failure, Permanent)
        assert failure.person
        assert str(status) in str(failure)

    @pytest.mark.parametrize(
        ("fault", "after"),
        [
            (Fault(status=402, body=said("CreditsDepleted")), failures.NO_CREDIT),
            (Fault(status=402, body=b"null"), failures.NO_CREDIT),
            (Fault(status=402, body=b""), failures.NO_CREDIT),
            (Fault("html", 402), failures.KEYS_WRONG),
            (Fault(status=403, body=said("SpendCapReached")), failures.NO_CREDIT),
            (Fault(status=429, body=said("UsageCapExceeded"), headers=LIMIT), failures.NO_CREDIT),
            (Fault(status=429), failures.WINDOW),
            (Fault(status=429, body=b"null"), failures.WINDOW),
            (Fault("html", 429), failures.KEYS_WRONG),
            (Fault(status=429, headers=LIMIT), 240),
            (Fault(status=429, headers={"x-rate-limit-reset": str(NOON_SECONDS - 240)}), 1),
            (Fault(status=429, headers={"x-rate-limit-reset": "soon"}), failures.WINDOW),
            (Fault(status=429, headers={"x-rate-limit-reset": ""}), failures.WINDOW),
            (Fault(status=429, headers={"x-rate-limit-reset": "-5"}), failures.WINDOW),
            (Fault(status=429, headers={"x-rate-limit-reset": "9" * 400}), failures.WINDOW),
            (
                Fault(status=429, headers={"x-rate-limit-reset": f"{NOON_SECONDS}000"}),
                failures.WINDOW,
            ),
            (Fault(status=429, headers=LIMIT | daily("user", 9 * HOUR)), 9 * HOUR),
            (Fault(status=429, headers=LIMIT | daily("app", 23 * HOUR)), 23 * HOUR),
            (
                Fault(status=429, headers=LIMIT | daily("app", HOUR) | daily("user", 2 * HOUR)),
                2 * HOUR,
            ),
            (Fault(status=429, headers=daily("user", 9 * HOUR)), 9 * HOUR),
            (Fault(status=429, headers=LIMIT | daily("user", 9 * HOUR, "7")), 240),
            (Fault(status=429, headers=LIMIT | daily("user", 60)), 240),
            (Fault(status=429, headers=LIMIT | daily("user", 40 * 24 * HOUR)), 240),
            (Fault(status=401, body=b"null"), failures.KEYS_WRONG),
            (Fault("html", 403), failures.KEYS_WRONG),
            (Fault("html", 404), failures.KEYS_WRONG),
            (Fault(status=503), None),
            (Fault(status=503, body=b"null"), None),
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
            failure = answer_at(f"http://127.0.0.1:{unused.getsockname()[1]}", x)
        assert isinstance(failure, Retryable)

    def test_may_work_later_where_no_connection_comes_about(
        self, x: XStandin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "CONNECT_AND_READ", (0.05, 1))
        with raw.deaf() as url:
            failure = answer_at(url, x)
        assert isinstance(failure, Retryable)

    def test_may_work_later_where_a_proxy_takes_no_connection(
        self, x: XStandin, account: XAccount
    ) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            account._client.session.proxies = {"http": f"http://127.0.0.1:{port}"}
            account._client.session.trust_env = False
            failure = answer_to(x, account)
        assert isinstance(failure, Retryable)

    def test_may_work_later_where_somebody_else_answers_for_x(
        self, x: XStandin, tmp_path: Path
    ) -> None:
        with raw.unvouched(tmp_path) as url:
            failure = answer_at(url, x)
        assert isinstance(failure, Retryable)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_follows_nobody_elsewhere(self, x: XStandin, account: XAccount, status: int) -> None:
        elsewhere = {"Location": f"{x.url}/elsewhere"}
        failure = answer_to(x, account, Fault(status=status, headers=elsewhere))
        assert isinstance(failure, Retryable)
        assert "X_API_URL" in str(failure)
        assert not x.calls("/elsewhere")

    def test_goes_out_over_a_connection_of_its_own(self, x: XStandin) -> None:
        answer = b'HTTP/1.1 201 Created\r\nContent-Length: 21\r\n\r\n{"data": {"id": "5"}}'
        with raw.answering(answer, stays=True) as patient:
            for account in account_at(patient.url, keys_of(x)):
                for text in ("one", "two"):
                    assert account.send(case(), reply(text)) == "5"
        assert len(patient.requests) == 2

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
            Fault(status=201, body={"data": {}}, performs=True),
            Fault(status=201, body={"data": {"id": None}}, performs=True),
            Fault(status=201, body={"data": {"id": "?"}}, performs=True),
            Fault(status=201, body={"errors": [{"title": "Odd"}]}, performs=True),
            Fault(status=201, body=[1], performs=True),
            Fault(status=201, body=b'{"data": {"id": "1', performs=True),
            Fault(status=201, body=b"[" * 100_000, performs=True),
            Fault(status=204, performs=True),
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

    @pytest.mark.parametrize(
        "answer", [None, b"", b"HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n{}", b"\x00\xff"]
    )
    def test_may_have_worked_where_the_connection_broke_after_it_was_sent(
        self, x: XStandin, answer: bytes | None
    ) -> None:
        with raw.answering(answer) as broken:
            failure = answer_at(broken.url, x)
        assert isinstance(failure, Unknown)
        assert len(broken.requests) == 1, "the bot must not repeat it by itself"


class TestLookingUp:
    def test_finds_a_reply_whose_answer_was_lost(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("where is my parcel?")
        x.faults.append(Fault("lost"))
        with pytest.raises(Unknown):
            account.send(case_of(mention), reply())
        [answer] = x.replies_to(mention.id)
        assert account.find(case_of(mention), reply()) == answer.id

    def test_finds_it_where_the_post_was_edited_since(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("where is my parcel?")
        sent = account.send(case_of(mention), reply())
        made = case_of(mention)
        edited = replace(made, tweet=replace(made.tweet, id=x.next_id()))
        assert account.find(edited, reply()) == sent

    def test_finds_a_reply_to_the_edited_post(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("where is my parcel?")
        edited = x.add_mention("where is my red parcel?", edit_of=mention.id)
        made = case_of(mention)
        known = replace(made, tweet=replace(made.tweet, id=edited.id))
        assert account.send(known, reply()) == account.find(known, reply())

    def test_finds_it_behind_newer_posts(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("where is my parcel?")
        sent = account.send(case_of(mention), reply())
        for number in range(150):
            x.add_mention(f"News {number}", author=x.account, kind="post")
        assert account.find(case_of(mention), reply()) == sent
        assert len(x.calls("GET /2/users/1001/tweets")) == 2

    def test_tells_how_many_posts_it_read_for_x_charges_for_them(self, x: XStandin) -> None:
        mention = x.add_mention("where is my parcel?")
        for number in range(103):
            x.add_mention(f"News {number}", author=x.account, kind="post")
        read: list[int] = []
        api = connect(keys_of(x), x.url)
        with api.session:
            assert XAccount(api, "1001", noon, read.append).find(case_of(mention), reply()) is None
        assert read == [100, 3]

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
            Fault(status=500, body=b"null"),
            Fault(status=200, body=b"null"),
            Fault(status=200, body=b""),
            Fault(status=200, body=b'{"data": {"id'),
            Fault(status=200, body=b"[" * 100_000),
            Fault(status=200, body=[]),
            Fault(status=200, body={"data": {"id": None}}),
            Fault(status=200, body={"errors": [{"title": "Not Found Error"}]}),
            Fault(status=429),
        ],
    )
    def test_may_be_asked_again_whatever_went_wrong(self, x: XStandin, fault: Fault) -> None:
        x.faults.append(fault)
        for account in account_at(x.url, keys_of(x)):
            with pytest.raises(Retryable):
                account.account_id()

    @pytest.mark.parametrize("body", [{"detail": None}, said("Forbidden", "Odd."), b"null"])
    def test_gives_up_where_x_forbids_it(self, x: XStandin, body: object) -> None:
        x.faults.append(Fault(status=403, body=body))
        for account in account_at(x.url, keys_of(x)):
            with pytest.raises(Permanent):
                account.account_id()

    @pytest.mark.parametrize(
        "answer", [None, b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"]
    )
    def test_may_be_asked_again_where_the_connection_broke(
        self, x: XStandin, answer: bytes | None
    ) -> None:
        with raw.answering(answer) as broken:
            assert isinstance(account_id_at(broken.url, x), Retryable)

    def test_does_not_take_silence_for_absence(self, x: XStandin, account: XAccount) -> None:
        mention = x.add_mention("where is my parcel?")
        x.faults.append(Fault(status=200, body={"errors": [{"title": "Odd"}]}))
        with pytest.raises(Retryable, match="does not say that there are none"):
            account.find(case_of(mention), reply())

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

    def test_goes_on_below_a_post_that_it_reached(self, x: XStandin, account: XAccount) -> None:
        sent = [x.add_mention(f"number {number}").id for number in range(20)]
        pages = list(account.pages("1001", sent[2], None, until_id=sent[12], page_size=5))
        assert [len(tweets) for tweets, _ in pages] == [5, 4]
        assert [tweet.id for tweets, _ in pages for tweet in tweets] == sent[11:2:-1]

    @pytest.mark.parametrize(("asked", "given"), [(1, "5"), (5, "5"), (20, "20"), (1000, "100")])
    def test_asks_for_pages_of_a_size_that_x_gives(
        self, x: XStandin, account: XAccount, asked: int, given: str
    ) -> None:
        list(account.pages("1001", None, None, page_size=asked))
        [call] = x.calls("/mentions")
        assert call.queries()["max_results"] == given

    def test_takes_the_posts_that_stand_beside_errors(self, x: XStandin, account: XAccount) -> None:
        post = {"id": "6", "text": "hi", "author_id": "77"}
        errors = [{"title": "Not Found Error", "parameter": "author_id", "value": "77"}]
        body = {"data": [post], "errors": errors, "meta": {"result_count": 1}}
        x.faults.append(Fault(status=200, body=body))
        [(tweets, problems)] = account.pages("1001", None, None)
        assert [(tweet.id, tweet.author.id) for tweet in tweets] == [("6", "77")]
        assert problems == []

    @pytest.mark.parametrize("body", [{"errors": [{"title": "Authorization Error"}]}, {}])
    def test_does_not_take_an_answer_without_posts_for_an_empty_page(
        self, x: XStandin, account: XAccount, body: dict[str, Any]
    ) -> None:
        x.faults.append(Fault(status=200, body=body))
        with pytest.raises(Retryable):
            list(account.pages("1001", None, None))

    def test_tells_what_is_attached(self, x: XStandin, account: XAccount) -> None:
        x.add_mention("nothing")
        x.add_mention("look at these", media=("video", "photo"))
        [(tweets, _)] = account.pages("1001", None, None)
        assert [tweet.media for tweet in tweets] == [("video", "photo"), ()]

    def test_tells_what_may_upset_people(self, x: XStandin, account: XAccount) -> None:
        x.add_mention("look at this", sensitive=True)
        [([tweet], _)] = account.pages("1001", None, None)
        assert tweet.sensitive


class TestWhatIsGone:
    def test_is_what_was_deleted_or_is_no_longer_shown(
        self, x: XStandin, account: XAccount
    ) -> None:
        there, deleted, hidden = (x.add_mention(text).id for text in ("a", "b", "c"))
        x.delete(deleted)
        x.withheld.add(hidden)
        assert account.gone([there, deleted, hidden]) == {deleted, hidden}

    def test_may_be_everything_or_nothing(self, x: XStandin, account: XAccount) -> None:
        ids = [x.add_mention(f"number {number}").id for number in range(100)]
        assert account.gone(ids) == set()
        for one in ids:
            x.delete(one)
        assert account.gone(ids) == set(ids)
        assert len(x.calls("GET /2/tweets")) == 2

    def test_is_none_of_what_x_never_had(self, x: XStandin, account: XAccount) -> None:
        assert account.gone(["0123abcd-7", "", "9" * 20]) == set()
        assert not x.calls("GET /2/tweets")

    @pytest.mark.parametrize(
        ("body", "gone"),
        [
            ({"errors": [missing("5"), withheld("6")]}, {"5", "6"}),
            ({"data": [{"id": "5"}], "errors": [missing("5")]}, set()),
            ({"errors": [{"title": "Odd", "resource_id": "5"}]}, set()),
            ({"errors": [missing("5") | {"type": "https://api.x.com/2/problems/internal"}]}, set()),
            (
                {
                    "errors": [
                        missing("5") | {"type": "https://api.x.com/2/problems/resource-not-found"}
                    ]
                },
                {"5"},
            ),
            ({"errors": [{k: v for k, v in missing("5").items() if k != "resource_id"}]}, {"5"}),
            ({"errors": [missing("7")]}, set()),
            ({"data": None, "errors": None}, set()),
            ({"data": "odd", "errors": ["odd", {"type": None}]}, set()),
            ({}, set()),
        ],
    )
    def test_is_only_what_x_says_is_gone(
        self, x: XStandin, account: XAccount, body: dict[str, Any], gone: set[str]
    ) -> None:
        x.faults.append(Fault(status=200, body=body))
        assert account.gone(["5", "6"]) == gone

    @pytest.mark.parametrize("fault", [Fault("lost"), Fault(status=200, body=b"null")])
    def test_is_not_known_where_x_did_not_answer(
        self, x: XStandin, account: XAccount, fault: Fault
    ) -> None:
        x.faults.append(fault)
        with pytest.raises(Retryable):
            account.gone(["5"])


class TestAccess:
    @pytest.mark.parametrize("level", ["read-write", "read", "read-write-directmessages"])
    def test_is_the_account_and_what_it_may_do(
        self, x: XStandin, account: XAccount, level: str
    ) -> None:
        x.access_level = level
        assert account.access() == Access("1001", "HarborSupport", level)

    def test_is_asked_of_x_even_where_the_id_is_set(self, x: XStandin) -> None:
        for account in account_at(x.url, keys_of(x), "5"):
            assert (account.account_id(), account.access().id) == ("5", "1001")

    def test_has_no_level_where_x_does_not_say(self, x: XStandin, account: XAccount) -> None:
        x.faults.append(Fault(status=200, body={"data": {"id": "1001"}}))
        assert account.access() == Access("1001", "", None)


def test_no_key_reaches_a_log_even_at_debug_level(
    x: XStandin, account: XAccount, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account.send(case_of(x.add_mention("hello?")), reply())
    list(account.pages("1001", None, None))
    answer_to(x, account, Fault(status=401))
    api = registration.connect(x.bearer_token, keys_of(x), x.url)
    with api.session:
        app = XApp(api, noon)
        app.webhooks()
        x.refuse_next(401, where="/2/webhooks")
        with pytest.raises(Failure):
            app.webhooks()
        with pytest.raises(Failure):
            app.subscribe("post.mention.create", "1001", "5")
    assert "POST /2/tweets" in caplog.text
    assert "POST /2/activity/subscriptions" in caplog.text
    for secret in (*vars(x.keys).values(), x.bearer_token):
        assert secret not in caplog.text
    assert "oauth_signature" not in caplog.text
    assert "Bearer" not in caplog.text
