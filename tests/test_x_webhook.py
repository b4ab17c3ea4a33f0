"""X's webhook: its checks and its signed events, through the function that takes them."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cases import EffectKind
from bot.errors import Refused, Retryable
from bot.ports import Outgoing
from bot.process import hosting
from bot.triage import REVOKED, Arrival, arrival_of, triage
from bot.tweets import Author, Tweet
from bot.wire import Deleted, Revoked
from bot.wiring import Parts
from handlers import x_webhook
from tests.examples import NOON, noon, parts
from tests.simulation import desk
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


def counts(**some: int) -> dict[str, int]:
    return {"queued": 0, "ignored": 0, "unreadable": 0, "refused": 0, **some}


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
        assert deliver(bot, x, x.event(post)) == (200, counts(queued=1))
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
        assert deliver(bot, x, event) == (200, counts(ignored=1))
        assert queued(bot) == []

    @pytest.mark.parametrize("neighbour", [None, 5, {}, {"event_type": 5}, ["post.delete"]])
    def test_do_not_suffer_from_a_neighbour_that_is_none(
        self, bot: Parts, x: XStandin, neighbour: object
    ) -> None:
        whole = [x.event(x.add_mention(text))["data"] for text in ("first", "second")]
        answer = deliver(bot, x, {"data": [whole[0], neighbour, whole[1]]})
        assert answer == (200, counts(queued=2, refused=1))
        assert [arrival.case_id for arrival in queued(bot)] == [
            event["payload"]["id"] for event in whole
        ]

    @pytest.mark.parametrize(
        "neighbour",
        [
            {"event_type": "post.mention.create"},
            {"event_type": "post.mention.create", "payload": {"id": "1"}},
            {"event_type": "post.quote.create", "payload": {"id": [], "text": "x"}},
            {"event_type": "post.reply.create", "payload": {"id": "1", "text": "x" * 25_001}},
            {"event_type": "post.delete", "payload": {"id": None}},
            {"event_type": "oauth.revoke", "payload": 5},
        ],
    )
    def test_do_not_suffer_from_a_malformed_neighbour_which_is_left_to_the_dead_letters(
        self, bot: Parts, x: XStandin, neighbour: dict[str, Any]
    ) -> None:
        whole = x.event(x.add_mention("first"))["data"]
        answer = deliver(bot, x, {"data": [neighbour, whole]})
        assert answer == (200, counts(queued=1, unreadable=1))
        strange, good = bot.tweets.receive(10)
        assert json.loads(strange.body)["event"]["data"] == neighbour
        with pytest.raises(Refused):
            arrival_of(strange.body)
        assert arrival_of(good.body).case_id == whole["payload"]["id"]

    def test_may_tell_that_the_account_took_back_its_access(self, bot: Parts, x: XStandin) -> None:
        payload = {"date_time": "2026-11-02T11:59:30+00:00", "user_id": "1001", "app_id": "31"}
        event = {"data": {"event_type": "oauth.revoke", "filter": {}, "payload": payload}}
        assert deliver(bot, x, event) == (200, counts(queued=1))
        arrivals = queued(bot)
        assert [arrival.what for arrival in arrivals] == [Revoked("1001")]
        triage(arrivals, desk(), bot.store, bot.workers, NOON)
        assert bot.store.note(REVOKED) == {"at": NOON.isoformat(), "user_id": "1001"}

    def test_that_are_replayed_make_nothing_new(self, bot: Parts, x: XStandin) -> None:
        body = json.dumps(x.event(x.add_mention("I am angry"))).encode()
        for _ in range(3):
            assert deliver(bot, x, body)[0] == 200
            triage(queued(bot), desk(), bot.store, bot.workers, NOON)
        assert len(list(bot.store.newest())) == 1
        assert len(bot.cards.receive(10)) == 1

    @pytest.mark.parametrize(("text", "kind"), [("I am angry", "card"), ("thanks", "reply")])
    def test_of_a_deletion_erase_the_post_and_call_back_what_waits(
        self, bot: Parts, x: XStandin, text: str, kind: EffectKind
    ) -> None:
        post = x.add_mention(text, author="mara_example")
        for event in (x.event(post), x.event(post, "post.delete")):
            assert deliver(bot, x, event)[0] == 200
            triage(queued(bot), desk(), bot.store, bot.workers, NOON)
        [case] = bot.store.newest()
        effect = case.effect(kind)
        assert (case.erased, case.tweet.text, case.tweet.author) == (True, "", Author())
        assert effect is not None
        assert (effect.state, effect.text, effect.due_at) == ("failed", None, None)

    def test_that_ask_to_be_left_alone_are_heeded_before_any_worker_runs(
        self, bot: Parts, x: XStandin
    ) -> None:
        post = x.add_mention("stop", author="mara_example")
        deliver(bot, x, x.event(post))
        assert bot.store.note("opted-out-@mara_example")["at"] == NOON.isoformat()

    def test_that_ask_for_nothing_of_the_kind_need_no_store(self, bot: Parts, x: XStandin) -> None:
        deliver(bot, x, x.event(x.add_mention("where is my parcel?")))
        assert "_stop_words" in vars(bot)
        assert not {"store", "opt_outs", "reply_texts"} & vars(bot).keys()

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"null", b"[]", b"5", b"\xff\xfe\xfd", b"[" * 100_000, b'{"data":' * 50_000],
    )
    def test_must_be_an_object_of_events(self, bot: Parts, x: XStandin, body: bytes) -> None:
        status, answer = deliver(bot, x, body)
        assert (status, list(answer)) == (400, ["error"])

    @pytest.mark.parametrize("extra", [0, 1])
    def test_may_fill_a_million_bytes(self, bot: Parts, x: XStandin, extra: int) -> None:
        event = json.dumps(x.event(x.add_mention("hello?"))).encode()
        body = event + b" " * (1_000_000 + extra - len(event))
        status, answer = deliver(bot, x, body)
        if extra:
            sentence = "The body has 1,000,001 bytes; at most 1,000,000 are read."
            assert (status, answer) == (413, {"error": sentence})
        else:
            assert (status, answer["queued"]) == (200, 1)

    def test_may_come_by_the_thousand(self, bot: Parts, x: XStandin) -> None:
        data = x.event(x.add_mention("hello? " * 100))["data"]
        assert deliver(bot, x, {"data": [data] * 300})[1]["queued"] == 300


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

    def test_nobody_without_a_word_in_the_log(
        self, bot: Parts, body: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        ask(bot, delivery(body, {"x-twitter-webhooks-signature": "sha256=AAAA"}))
        [line] = caplog.records
        assert line.message.startswith("A request to X's webhook is turned away (401): The header")

    def test_nobody_whose_body_is_too_large_to_be_signed(self, bot: Parts) -> None:
        assert ask(bot, delivery(b" " * 1_000_001, {}))[0] == 413

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
