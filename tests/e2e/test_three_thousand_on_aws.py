"""A deployed stage on a bad day: 3,000 tweets, each accounted for, none carded or answered twice.

The unpacked package's handlers under AWS's runtime client, over the stack's own resources. What
goes wrong: throttled and lost calls to AWS, batches refused in part, processes killed at work,
batches that come twice, webhook requests that come again, an endpoint that is throttled, broken and
down, a deployment in the middle of it, and Slack and X as they are.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cases import Case
from bot.errors import Failure
from bot.wiring import now
from tests.e2e.homes import FAR_OFF, World, carded, world
from tests.e2e.stages import Deployed, deployed
from tests.standins.bad_day import BadDay, Trouble, bad_day
from tests.standins.lambda_runtime import FunctionFailed
from tests.standins.sagemaker import model_error, not_ready, throttled
from tests.standins.server import Fault
from tests.standins.slack import rate_limited

pytest.importorskip("awslambdaric", reason="awslambdaric has wheels for Linux only")

TWEETS = 3_000
CARDS, ANSWERS, STOPS = 150, 90, 40
ANGRY = "I am very angry, nobody helps me!"
CALM = "thanks, I am happy with your service"
STOP = "please stop, thank you"
A_REQUEST = 60
REQUESTS = TWEETS // A_REQUEST
OUTAGE, DEPLOYMENT = REQUESTS // 4, REQUESTS // 2
"""After so many requests of X's."""
AGAIN_EVERY, KILL_EVERY = 11, 53
TOO_MANY = {"title": "Too Many Requests", "status": 429}
PERSONAL = re.compile(r"kx\d+q|customer\d+_ex", re.IGNORECASE)

TROUBLES = (
    Trouble("PutItem", "throttled", 101),
    Trouble("PutItem", "throttled", 613, tries=2),
    Trouble("PutItem", "lost", 67),
    Trouble("GetItem", "throttled", 211),
    Trouble("GetItem", "down", 457, tries=2),
    Trouble("BatchGetItem", "in part", 23),
    Trouble("BatchGetItem", "throttled", 131),
    Trouble("SendMessageBatch", "in part", 29),
    Trouble("SendMessageBatch", "lost", 31),
    Trouble("SendMessageBatch", "down", 101, tries=2),
    Trouble("DeleteMessageBatch", "lost", 41),
    Trouble("ChangeMessageVisibilityBatch", "throttled", 19),
    Trouble("GetSecretValue", "down", 3),
)


class Crowd:
    """Those who write, and how what each wrote must end: a card, an answer, or a reason for none.

    `ends` has it by the post's id.
    """

    def __init__(self, outside: World) -> None:
        self._x = outside.x
        self._chance = random.Random(TWEETS)  # noqa: S311
        self.ends: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        own = self._x.add_mention("How was it?", author=self._x.account, kind="post").id
        long_ago = now() - timedelta(hours=8)
        unanswered = (TWEETS - CARDS - ANSWERS - STOPS) // 4
        self._write(CARDS, "card", ANGRY)
        self._write(ANSWERS, "answer", CALM)
        self._write(STOPS, "asked the bot to stop", STOP)
        self._write(unanswered, "marked as sensitive", CALM, sensitive=True)
        self._write(unanswered, "older than 6 hours", CALM, created_at=long_ago)
        self._write(unanswered, "Retweets are not answered", CALM, kind="retweet", about=own)
        self._write(unanswered, "does not mention the account", CALM, kind="reply", about=own)
        self._chance.shuffle(self.events)
        self._x.hidden |= self.ends.keys()

    def _write(self, many: int, end: str, text: str, **how: Any) -> None:
        for number in range(len(self.ends), len(self.ends) + many):
            # Who asks for quiet says nothing else.
            words = text if text == STOP else f"{text} kx{number}q"
            post = self._x.add_mention(words, author=f"customer{number}_ex", **how)
            kind = "post.reply.create" if post.kind == "reply" else "post.mention.create"
            self.ends[post.id] = end
            self.events.append(self._x.event(post, kind)["data"])

    def requests(self) -> Iterator[list[bytes]]:
        """The webhook's requests: each tells some events again, and some come twice."""
        for number in range(REQUESTS):
            first = number * A_REQUEST
            old = self._chance.sample(self.events[:first], min(first, 3))
            told = self.events[first : first + A_REQUEST]
            body = json.dumps({"data": [*told, *old]}).encode()
            yield [body] * (2 if number % 8 == 0 else 1)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as surroundings:
        yield surroundings


@pytest.fixture
def day() -> Iterator[BadDay]:
    with bad_day() as running:
        yield running


@pytest.fixture
def home(outside: World, day: BadDay, package: Path, tmp_path: Path) -> Iterator[Deployed]:
    with deployed(
        outside, day, package, tmp_path, again_every=AGAIN_EVERY, kill_every=KILL_EVERY
    ) as running:
        yield running


def tell(home: Deployed, outside: World, requests: list[list[bytes]]) -> None:
    """X tells as fast as the bot works, and the time goes by."""
    for number, bodies in enumerate(requests, 1):
        for body in bodies:
            deliver(home, outside, body)
        home.wait_for_room()
        if number % 8 == 0:
            with suppress(FunctionFailed, Failure):  # the next one does it
                home.window_passes()


def deliver(home: Deployed, outside: World, body: bytes) -> None:
    """X tells of it again until it is answered 200."""
    headers = outside.x.signed(body)
    while home.post("/x/webhook", headers, body).status_code != 200:
        pass


def misbehave(outside: World, day: BadDay) -> None:
    day.begin(*TROUBLES)
    post, create = "chat.postMessage", "POST /2/tweets"
    outside.slack.fail_every(13, "lost", where=post)
    outside.slack.faults += [
        rate_limited(1, where=post),
        rate_limited(40, where=post),
        Fault("drop", where=post),
        Fault("html", status=502, where=post),
    ]
    outside.x.fail_every(17, "lost", where=create)
    outside.x.faults += [
        Fault(status=429, body=TOO_MANY, where=create),
        Fault("drop", where=create),
        Fault("html", status=503, where=create),
    ]
    outside.model.faults += [model_error(), not_ready()]
    begin_troubles_of_the_endpoint(outside)


def begin_troubles_of_the_endpoint(outside: World) -> None:
    outside.model.fail_every(19, **vars(throttled()))
    outside.model.fail_every(37, "drop")


def heal(outside: World, day: BadDay) -> None:
    day.begin()
    for standin in (outside.model, outside.slack, outside.x):
        standin.heal()


def test_each_is_one_case_that_ends_as_it_must(home: Deployed, outside: World, day: BadDay) -> None:
    home.run("xPoller")  # which learns whose account it is
    crowd = Crowd(outside)
    requests = list(crowd.requests())
    misbehave(outside, day)
    tell(home, outside, requests[:OUTAGE])
    assert_spared(home, outside, requests[OUTAGE : OUTAGE + 2])
    tell(home, outside, requests[OUTAGE + 2 : DEPLOYMENT])
    home.deploy(Classifier="embedded")
    tell(home, outside, requests[DEPLOYMENT:])
    heal(outside, day)
    outside.x.hidden -= set(list(crowd.ends)[:CARDS])
    home.run("xPoller")  # which tells of some once more
    settle(home)
    assert_accounted_for(home, outside, crowd)
    assert all(day.seen()[one.operation, one.kind] for one in TROUBLES)
    assert sum(instance.kills for instance in home.instances) > 5
    assert [failure for instance in home.instances for failure in instance.failures] == []
    assert_bounded(outside)
    assert_nothing_personal(home.outputs())


def assert_spared(home: Deployed, outside: World, requests: list[list[bytes]]) -> None:
    """An endpoint that is down is asked less often than there is something to ask."""
    begun, asked = home.invocations("triage"), len(outside.model.requests)
    outside.model.fail_every(1, status=503)
    for bodies in requests:
        for body in bodies:
            deliver(home, outside, body)
    batches = len(requests) * A_REQUEST // 10
    home.wait_until(lambda: home.invocations("triage") >= begun + batches)
    assert len(outside.model.requests) - asked < batches
    outside.model.heal()
    begin_troubles_of_the_endpoint(outside)


def settle(home: Deployed) -> None:
    """Time goes by until nothing is left to do."""
    home.work()
    for _ in range(20):
        if not home.store.due(now() + FAR_OFF, 1):
            return
        home.windows_pass(1)
    raise AssertionError("After five hours something is still to be done.")


def assert_accounted_for(home: Deployed, outside: World, crowd: Crowd) -> None:
    cases = home.store.get(list(crowd.ends))
    assert len(cases) == TWEETS == home.stored_cases()
    cards = carded(outside.slack)
    answers = Counter(post.about for post in outside.x.posts if post.about)
    assert set(cards.values()) == {1}, "a card was posted twice"
    assert set(answers.values()) == {1}, "a post was answered twice"
    assert cards.keys() | answers.keys() <= cases.keys()
    uncertain = 0
    for case in cases.values():
        end = end_of(case, has_card=case.id in cards, answered=case.id in answers)
        if (crowd.ends[case.id], end) == ("answer", "card"):
            uncertain += 1
            assert "not certain" in " ".join(case.reasons), case
        else:
            assert crowd.ends[case.id] in end, case
    assert uncertain < ANSWERS / 10
    assert {queue.depth() for queue in home.parts.queues.values()} == {(0, 0)}


def end_of(case: Case, *, has_card: bool, answered: bool) -> str:
    states = {effect.kind: effect.state for effect in case.effects}
    assert not has_card or states["card"] == "sent", case
    assert not answered or has_card or states == {"reply": "sent"}, case
    if has_card or answered:
        return "card" if has_card else "answer"
    assert (case.route, states) == ("skip", {}), case
    return " ".join(case.reasons)


def assert_bounded(outside: World) -> None:
    """Ten tweets a call, and one call more for the words of those that escalate."""
    calls = len(outside.model.requests)
    assert calls < TWEETS / 2 / 10 * 3, "the endpoint is asked too often"


def assert_nothing_personal(output: str) -> None:
    assert "Decided: skip." in output
    assert PERSONAL.findall(output) == []
    assert "xoxb-" not in output
