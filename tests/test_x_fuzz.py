"""Whatever stands in a signed body: X is answered, the events beside it are queued, nothing said.

The shapes are those of X's own events; one place of one of them is spoilt.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Refused
from bot.process import hosting
from bot.triage import arrival_of
from bot.wiring import Parts
from handlers import x_webhook
from tests.examples import parts
from tests.fakes import Clock, MemoryQueue
from tests.standins import x_events
from tests.test_wire import SAMPLES, fixture
from tests.test_x_webhook import SECRET, delivery

OURS = ["mention", "mention_edited", "mention_wrapped_user", "reply", "quote", "delete", "revoke"]
SHAPES: list[Any] = [fixture(name) for name in [*OURS, "repost"]]
SHAPES += [json.loads(path.read_text("utf-8")) for path in sorted(SAMPLES.glob("xaa_*.json"))]
SAID = "qvzx4929"
"""Stands wherever a customer's words might."""
HERE = "spoil-this"
MOST_BYTES = 1024 * 1024


def told(shape: Any) -> Any:
    """The shape with a customer's words in every text."""
    if isinstance(shape, dict):
        words = {"text", "name", "username", "description", "location"}
        return {
            key: f"{SAID} {value}" if key in words and isinstance(value, str) else told(value)
            for key, value in shape.items()
        }
    return [told(one) for one in shape] if isinstance(shape, list) else shape


numbers = st.integers() | st.sampled_from([2**63, -1, 10**400, 1e308])
wrong = (
    st.none()
    | st.booleans()
    | numbers
    | st.text(max_size=20)
    | st.sampled_from([[], {}, [[]], {"": None}, SAID, [SAID], {SAID: SAID}, f"\ud800{SAID}\0"])
)
raw = st.sampled_from(
    [
        f'"{SAID * 40_000}"',
        f'{{"{SAID}": "{SAID * 9_000}"}}',
        "[" + ",".join(['{"username": "' + SAID + '", "id": "1"}'] * 9_000) + "]",
        "9" * 5_000,
        "-1e999",
        "NaN",
        "[" * 3_000 + "]" * 3_000,
        '{"a":' * 20_000 + "1" + "}" * 20_000,
        f'"{SAID}\udcff\udcc3("',
        '"\udced\udca0\udc80"',
    ]
)
"""JSON as no encoder writes it; lone surrogates stand for bytes that are no UTF-8."""


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """An event's data of which one value is missing or replaced."""
    event = told(deepcopy(draw(st.sampled_from(SHAPES))["data"]))
    at = event
    while True:
        key = draw(st.sampled_from(range(len(at)) if isinstance(at, list) else sorted(at)))
        inner = at[key]
        if isinstance(inner, dict | list) and inner and draw(st.integers(0, 3)):
            at = inner
            continue
        if draw(st.integers(0, 4)) == 0:
            del at[key]
            return json.dumps(event).encode()
        at[key] = HERE
        place = draw(raw | wrong.map(json.dumps))
        text = json.dumps(event).replace(f'"{HERE}"', place)
        return text.encode("utf-8", "surrogateescape")


@dataclass
class Heard:
    status: int
    answer: dict[str, Any]
    bodies: list[str]
    log: list[logging.LogRecord]

    def said_nothing(self) -> bool:
        lines = [record.getMessage() for record in self.log] + [json.dumps(self.answer)]
        return not any(SAID in line for line in lines)


class Listening(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def listening() -> Iterator[list[logging.LogRecord]]:
    """What the bot logs within."""
    ear, log = Listening(), logging.getLogger("bot")
    before = log.level
    log.addHandler(ear)
    log.setLevel(logging.DEBUG)
    try:
        yield ear.records
    finally:
        log.setLevel(before)
        log.removeHandler(ear)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    made = parts(tmp_path_factory.mktemp("bot"), X_CONSUMER_SECRET=SECRET)
    made.tweets = MemoryQueue(Clock())
    return made


def deliver(bot: Parts, body: bytes) -> Heard:
    queue: Any = bot.tweets
    queue.sent.clear()
    with hosting(bot), listening() as log:
        answer = x_webhook.handler(delivery(body, x_events.signed(SECRET, body)), None)
    bodies = [one.body for one in queue.sent]
    return Heard(answer["statusCode"], json.loads(answer["body"]), bodies, log)


def good(number: int) -> dict[str, Any]:
    event: dict[str, Any] = fixture("mention")["data"]
    event["payload"] |= {"id": f"{number}", "edit_history_tweet_ids": [f"{number}"]}
    return event


@settings(max_examples=300)
@given(event=spoilt())
def test_an_event_with_one_spoilt_value_harms_none_beside_it(bot: Parts, event: bytes) -> None:
    before, after = (json.dumps(good(number)).encode() for number in (71, 72))
    heard = deliver(bot, b'{"data": [' + b", ".join([before, event, after]) + b"]}")
    assert heard.status == 200
    assert sum(heard.answer.values()) == 3
    assert {"71", "72"} <= set(map(case_of, heard.bodies))
    assert len(heard.bodies) == heard.answer["queued"] + heard.answer["unreadable"]
    assert heard.said_nothing()
    if heard.answer["queued"] < 3:
        assert heard.log


@settings(max_examples=200)
@given(event=spoilt())
def test_a_body_of_one_spoilt_event_is_taken_left_to_people_or_told(
    bot: Parts, event: bytes
) -> None:
    heard = deliver(bot, b'{"data": ' + event + b"}")
    assert heard.status == 200
    assert sum(heard.answer.values()) == 1
    assert heard.said_nothing()
    assert heard.answer["queued"] or heard.log


@settings(max_examples=200)
@given(data=st.data())
def test_a_body_cut_or_scratched_anywhere_is_answered(bot: Parts, data: st.DataObject) -> None:
    body = json.dumps(told(data.draw(st.sampled_from(SHAPES)))).encode()
    at = data.draw(st.integers(0, len(body)))
    body = body[:at] + data.draw(st.binary(max_size=3)) + body[data.draw(st.integers(at)) :]
    heard = deliver(bot, body)
    assert heard.status in {200, 400}
    assert heard.said_nothing()
    assert heard.answer.get("queued") or heard.log


@settings(max_examples=200)
@given(body=st.binary() | st.recursive(wrong, st.lists).map(lambda one: json.dumps(one).encode()))
def test_a_body_of_anything_at_all_is_answered(bot: Parts, body: bytes) -> None:
    heard = deliver(bot, body)
    assert heard.status in {200, 400}
    assert heard.said_nothing()
    assert heard.log


def case_of(body: str) -> str:
    """The case of a queued message, if it can be read; every message fits any queue."""
    assert len(body.encode()) < MOST_BYTES
    assert not set(body) & {*map(chr, range(32)), "\ufffe", "\uffff"}
    try:
        return arrival_of(body).case_id
    except Refused as refusal:
        return "unreadable" if SAID not in str(refusal) else pytest.fail("it tells what was said")
