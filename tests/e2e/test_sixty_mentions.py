"""X at its worst, through the laptop's host: sixty mentions, each accounted for, none twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.homes import Home, World, carded, laptop, world
from tests.standins.server import Fault
from tests.standins.x_posts import Post

pytest.importorskip("awslambdaric", reason="the stand-ins of its neighbours need it")

TEXTS = (
    "thanks, I am happy with your service",
    "I am very angry, nobody helps me!",
    "what a lovely day at the harbor",
)
LATE = range(0, 60, 10)
BY_WEBHOOK = range(0, 60, 2)
TOO_MANY = {"title": "Too Many Requests", "status": 429}


def deliver(home: Home, outside: World, event: dict[str, Any]) -> None:
    body = json.dumps(event).encode()
    headers = {**outside.x.signed(body), "content-type": "application/json"}
    assert home.post("/x/webhook", headers, body).status_code == 200


def misbehave(outside: World) -> None:
    create = "POST /2/tweets"
    outside.x.fail_every(5, "lost", where=create)
    outside.x.faults += [
        Fault(status=429, body=TOO_MANY, headers={"x-rate-limit-reset": "1"}, where=create),
        Fault(status=429, body=TOO_MANY, where=create),
        Fault(status=429, body=TOO_MANY, where="GET /2/users"),
        Fault("drop", where=create),
        Fault("html", status=503, where=create),
        Fault("html", status=502, where=create),
    ]


def test_each_is_carded_or_answered_once_or_given_to_an_agent(tmp_path: Path) -> None:
    with world(tmp_path) as outside, laptop(outside, tmp_path) as home:
        posts = [
            outside.x.add_mention(f"{TEXTS[n % 3]} {n}", author=f"customer{n}_ex")
            for n in range(60)
        ]
        outside.x.hidden |= {posts[n].id for n in LATE}
        misbehave(outside)
        for n in BY_WEBHOOK:
            event = outside.x.event(posts[n])
            for _ in range(1 + n % 3):  # the same event, and later its repetition
                deliver(home, outside, event)
            deliver(home, outside, outside.x.event(posts[n]))
        for _ in range(3):
            home.run("xPoller")
            home.work()
            home.windows_pass(1)
        outside.x.hidden.clear()
        outside.x.heal()
        for _ in range(3):
            home.run("xPoller")
            home.work()
            home.windows_pass(2)
        assert_accounted_for(home, outside, posts)


def assert_accounted_for(home: Home, outside: World, posts: list[Post]) -> None:
    cases = {case.id: case for case in home.store.newest()}
    assert set(cases) == {post.id for post in posts}
    cards = carded(outside.slack)
    assert set(cards.values()) == {1}, "a card was posted twice"
    sent = 0
    for case in cases.values():
        answers = outside.x.replies_to(case.id)
        reply = case.effect("reply")
        assert len(answers) <= 1, case
        assert case.due_at is None, case
        if case.route == "escalate":
            assert (case.id in cards, answers) == (True, []), case
        elif reply is not None and reply.state == "sent":
            assert [post.id for post in answers] == [reply.outside_id]
            assert case.id not in cards
            sent += 1
        else:  # its outcome never became known, so somebody was told
            assert reply is not None
            assert (reply.state, case.id in cards) == ("failed", True), case
    assert sent > 25
