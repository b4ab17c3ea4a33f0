"""X's webhook: its checks and its signed events, through the function that takes them."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import Retryable
from bot.ports import Outgoing
from bot.triage import Arrival, arrival_of
from bot.tweets import Tweet
from bot.wire import Deleted
from bot.wiring import Parts, hosting
from handlers import x_webhook
from tests.examples import NOON, noon, parts
from tests.standins.gateway import http_event
from tests.standins.x import XStandin

SECRET = "test-consumer-secret"


@pytest.fixture(scope="module")
def x() -> Iterator[XStandin]:
    with XStandin(clock=noon) as standin:
        yield standin


@pytest.fixture
def bot(tmp_path: Path) -> Parts:
    return parts(tmp_path, X_CONSUMER_SECRET=SECRET)


def ask(bot: Parts, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    with hosting(bot):
        answer = x_webhook.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def check(bot: Parts, **query: str) -> tuple[int, dict[str, Any]]:
    event = http_event("GET", "/x/webhook", route="GET /x/webhook")
    return ask(bot, {**event, "queryStringParameters": query})


def delivery(body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    event = http_event("POST", "/x/webhook", headers, b"", route="POST /x/webhook")
    encoded = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {**event, **encoded}


def deliver(bot: Parts, x: XStandin, content: object) -> tuple[int, dict[str, Any]]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return ask(bot, delivery(body, x.signed(body)))


def queued(bot: Parts) -> list[Arrival]:
    return [arrival_of(message.body) for message in bot.tweets.receive(10)]


class TestChecks:
    def test_are_answered_as_x_computes_it(self, bot: Parts) -> None:
        assert check(bot, crc_token="9eUyTkMhWcYBX0nMEYv6Yw") == (
            200,
            {"response_token": "sha256=x9LD9TLgvZRqPajTjbqB1PIlSL8Q9E+OdstPvCbgoII="},
        )

    @pytest.mark.parametrize(
        "token",
        ["", '{"data":{}}', "{}", "[]", '"x"', "two words", "a\n", "1.5", "é", "x" * 513, "a,b"],
    )
    def test_sign_nothing_that_could_be_an_event(self, bot: Parts, token: str) -> None:
        status, answer = check(bot, crc_token=token)
        assert (status, list(answer)) == (400, ["error"])

    @given(event=st.dictionaries(st.text(max_size=5), st.integers()) | st.lists(st.integers()))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_never_sign_an_object_or_a_list(self, bot: Parts, event: object) -> None:
        assert check(bot, crc_token=json.dumps(event))[0] == 400

    def test_need_a_token(self, bot: Parts) -> None:
        assert check(bot)[0] == 400

    def test_wait_for_the_secret(self, tmp_path: Path) -> None:
        status, answer = check(parts(tmp_path), crc_token="abc")
        assert (status, "X_CONSUMER_SECRET" in answer["error"]) == (503, True)


class TestEvents:
    def test_are_queued_before_x_hears_that_all_is_well(self, bot: Parts, x: XStandin) -> None:
        post = x.add_mention("où est mon colis? 😡 a & b", author="mara_example")
        assert deliver(bot, x, x.event(post)) == (200, {"queued": 1, "ignored": 0, "refused": 0})
        [arrival] = queued(bot)
        assert arrival.received_at == NOON
        assert isinstance(arrival.what, Tweet)
        assert (arrival.what.id, arrival.what.text) == (post.id, post.text)
        assert arrival.what.author.handle == "mara_example"
        assert arrival.what.answer

    def test_are_not_well_where_the_queue_fails(self, bot: Parts, x: XStandin) -> None:
        class Full:
            def send(self, messages: Sequence[Outgoing]) -> None:
                raise Retryable(f"{len(messages)} could not be queued.")

        bot.tweets = Full()  # type: ignore[assignment]
        event = x.event(x.add_mention("hello?"))
        assert deliver(bot, x, event) == (503, {"error": "1 could not be queued."})

    def test_may_tell_of_a_deletion(self, bot: Parts, x: XStandin) -> None:
        post = x.add_mention("never mind")
        assert deliver(bot, x, x.event(post, "post.delete"))[0] == 200
        [arrival] = queued(bot)
        assert arrival.what == Deleted(post.id)

    @pytest.mark.parametrize("kind", ["post.repost.create", "follow.create", "a.kind.of.2031"])
    def test_that_ask_nothing_of_us_are_well(self, bot: Parts, x: XStandin, kind: str) -> None:
        event = x.event(x.add_mention("hello?"))
        event["data"]["event_type"] = kind
        assert deliver(bot, x, event) == (200, {"queued": 0, "ignored": 1, "refused": 0})
        assert queued(bot) == []

    @pytest.mark.parametrize(
        "neighbour",
        [
            None,
            5,
            {},
            {"event_type": 5},
            {"event_type": "post.mention.create"},
            {"event_type": "post.mention.create", "payload": {"id": "1"}},
            {"event_type": "post.mention.create", "payload": {"id": [], "text": "x"}},
            {"event_type": "post.mention.create", "payload": {"id": "1", "text": "x" * 25_001}},
            {"event_type": "post.delete", "payload": {"id": None}},
        ],
    )
    def test_do_not_suffer_from_a_malformed_neighbour(
        self, bot: Parts, x: XStandin, neighbour: object
    ) -> None:
        whole = [x.event(x.add_mention(text))["data"] for text in ("first", "second")]
        answer = deliver(bot, x, {"data": [whole[0], neighbour, whole[1]]})
        assert answer == (200, {"queued": 2, "ignored": 0, "refused": 1})
        assert [arrival.case_id for arrival in queued(bot)] == [
            event["payload"]["id"] for event in whole
        ]

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"null", b"[]", b"5", b"\xff\xfe\xfd", b"[" * 100_000, b'{"data":' * 50_000],
    )
    def test_must_be_an_object_of_events(self, bot: Parts, x: XStandin, body: bytes) -> None:
        status, answer = deliver(bot, x, body)
        assert (status, list(answer)) == (400, ["error"])

    def test_may_come_by_the_thousand(self, bot: Parts, x: XStandin) -> None:
        data = x.event(x.add_mention("hello? " * 2_000))["data"]
        assert deliver(bot, x, {"data": [data] * 200})[1]["queued"] == 200

    @given(
        payload=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "text", "entities", "mentions", "note_tweet", "author_id",
                                 "edit_history_tweet_ids", "display_text_range", "created_at",
                                 "referenced_tweets", "type", "start", "username", "lang"]),
                inner,
            ),
        )
    )  # fmt: skip
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_of_any_kind_are_no_crash(self, bot: Parts, x: XStandin, payload: object) -> None:
        for kind in ("post.mention.create", "post.delete"):
            data = {"event_type": kind, "payload": payload, "includes": payload, "filter": payload}
            assert deliver(bot, x, {"data": data, "includes": payload})[0] == 200
        queued(bot)  # what was queued can be read again


class TestWhoGetsIn:
    @pytest.fixture
    def body(self, x: XStandin) -> bytes:
        return json.dumps(x.event(x.add_mention("hello?")), indent=1).encode()

    @pytest.mark.parametrize(
        "signature", [None, "", "sha256=", "sha256=AAAA", "é", "sha1=" + "A" * 43]
    )
    def test_nobody_without_a_fitting_signature(
        self, bot: Parts, body: bytes, signature: str | None
    ) -> None:
        headers = {} if signature is None else {"x-twitter-webhooks-signature": signature}
        status, answer = ask(bot, delivery(body, headers))
        assert (status, list(answer)) == (401, ["error"])
        assert queued(bot) == []

    def test_nobody_who_changed_a_byte(self, bot: Parts, x: XStandin, body: bytes) -> None:
        assert ask(bot, delivery(body + b" ", x.signed(body)))[0] == 401

    def test_nobody_who_brings_a_checks_answer_as_signature(self, bot: Parts, body: bytes) -> None:
        _, answer = check(bot, crc_token=body.decode())
        forged = {"x-twitter-webhooks-signature": answer.get("response_token", "")}
        assert ask(bot, delivery(body, forged))[0] == 401

    def test_x_whatever_way_its_bytes_travel(self, bot: Parts, x: XStandin, body: bytes) -> None:
        signed = {name.title(): value for name, value in x.signed(body).items()}
        plain = {**delivery(b"", signed), "body": body.decode(), "isBase64Encoded": False}
        without_word = {name: v for name, v in plain.items() if name != "isBase64Encoded"}
        for event in (delivery(body, signed), plain, without_word):
            assert ask(bot, {**event, "headers": signed})[0] == 200

    @pytest.mark.parametrize(
        "changes", [{"body": "é"}, {"body": "abc"}, {"body": 5}, {"headers": 5}]
    )
    def test_no_event_that_is_not_one(
        self, bot: Parts, body: bytes, changes: dict[str, Any]
    ) -> None:
        assert ask(bot, {**delivery(body, {}), **changes})[0] == 400
