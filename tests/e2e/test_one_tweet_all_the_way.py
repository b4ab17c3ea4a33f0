import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cases import Case
from bot.slack.looks.cards import CARD
from tests.e2e.homes import ROOT, Home, World, carded, laptop, on_aws, world
from tests.standins.server import Fault
from tests.standins.slack import rate_limited
from tests.standins.slack_requests import Delivery
from tests.standins.x_posts import Post

pytest.importorskip("awslambdaric", reason="awslambdaric has wheels for Linux only")

BY_WEBHOOK, BY_POLLER, BY_BOTH = 300, 100, 50


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as surroundings:
        yield surroundings


@pytest.fixture(params=["laptop", "aws"])
def home(request: pytest.FixtureRequest, outside: World, tmp_path: Path) -> Iterator[Home]:
    with laptop(outside, tmp_path) if request.param == "laptop" else on_aws(outside) as running:
        yield running


def texts(count: int) -> list[str]:
    with (ROOT / "bot/learning/corpus.csv").open(encoding="utf-8", newline="") as file:
        written = [row["text"] for row in csv.DictReader(file)]
    return (written[::2] + written[1::2])[:count]


def mentions(outside: World, count: int) -> list[Post]:
    return [
        outside.x.add_mention(text, author=f"customer{number}_ex")
        for number, text in enumerate(texts(count))
    ]


def deliver(home: Home, outside: World, post: Post) -> None:
    body = json.dumps(outside.x.event(post)).encode()
    headers = {**outside.x.signed(body), "content-type": "application/json"}
    assert home.post("/x/webhook", headers, body).status_code == 200


def ask(home: Home, delivery: Delivery) -> str:
    """What Slack is answered at once; then all the work that comes of it is done."""
    answer = home.post("/slack/events", *delivery)
    assert answer.status_code == 200
    home.work()
    return answer.text


def the_card(outside: World) -> dict[str, Any]:
    [card] = [m for m in outside.slack.messages if m["metadata"]["event_type"] == CARD]
    return card


def thread(outside: World) -> str:
    return " ".join(line["text"] for line in outside.slack.thread(the_card(outside)["ts"]))


def assert_all_accounted_for(home: Home, outside: World, posts: list[Post]) -> None:
    cases = {case.id: case for case in home.store.newest()}
    assert set(cases) == {post.id for post in posts}
    cards = carded(outside.slack)
    for case in cases.values():
        if case.route == "escalate":
            assert cards[case.id] == 1, case
            assert not outside.x.replies_to(case.id)
        else:
            assert case.route == "reply", case
            assert_answered_or_handed_over(case, outside, cards[case.id])


def assert_answered_or_handed_over(case: Case, outside: World, cards: int) -> None:
    reply = case.effect("reply")
    assert reply is not None
    assert len(outside.x.replies_to(case.id)) <= 1
    if reply.state == "sent":
        assert [post.id for post in outside.x.replies_to(case.id)] == [reply.outside_id]
        assert cards == 0
    else:
        assert (reply.state, cards) == ("failed", 1), case


def test_each_mention_becomes_one_case_and_one_card_or_one_reply(
    home: Home, outside: World
) -> None:
    posts = mentions(outside, BY_WEBHOOK + BY_POLLER - BY_BOTH)
    seen_by_poller = {post.id for post in posts[-BY_POLLER:]}
    outside.x.hidden |= {post.id for post in posts} - seen_by_poller
    for number, post in enumerate(posts[:BY_WEBHOOK]):
        deliver(home, outside, post)
        if number % 10 == 0:
            deliver(home, outside, post)
    home.run("xPoller")
    home.work()
    home.run("xPoller")
    home.work()
    home.windows_pass(3)
    assert_all_accounted_for(home, outside, posts)
    states = Counter(e.state for case in home.store.newest() for e in case.effects)
    assert set(states) == {"sent"}, states
    assert 10 in outside.model.batch_sizes


def test_a_slash_command_is_answered_to_its_caller(home: Home, outside: World) -> None:
    ask(home, outside.slack.command("I am very angry", user="U0AGENT"))
    [[answer]] = outside.slack.responses.values()
    assert answer["response_type"] == "ephemeral"
    assert answer["text"].startswith("Escalate: yes")


def test_an_agent_claims_and_resolves_a_card(home: Home, outside: World) -> None:
    post = outside.x.add_mention("I am very angry, nobody helps me!", author="customer_ex")
    deliver(home, outside, post)
    home.work()
    for button in ("claim", "resolve"):
        ask(home, outside.slack.press(button, the_card(outside), user="U0AGENT"))
    case = home.store.get([post.id])[post.id]
    assert (case.assignee, case.resolved) == ("U0AGENT", True)
    assert the_card(outside)["text"].startswith("Resolved by <@U0AGENT>.")
    assert thread(outside) == "<@U0AGENT> claimed it. <@U0AGENT> resolved it."


def test_an_agent_answers_from_slack(home: Home, outside: World) -> None:
    post = outside.x.add_mention("I am very angry, nobody helps me!", author="customer_ex")
    deliver(home, outside, post)
    home.work()
    text = "I am sorry to hear that. What happened?"
    ask(home, outside.slack.press("reply", the_card(outside), user="U0AGENT"))
    [form] = outside.slack.views
    written = {"answer": {"text": {"type": "plain_text_input", "value": text}}}
    pushed = ask(home, outside.slack.submission(form, written, user="U0AGENT"))
    preview = outside.slack.acknowledged(form, pushed)
    assert preview
    assert text in json.dumps(preview["blocks"])
    assert outside.x.replies_to(post.id) == []
    submission = outside.slack.submission(preview, {}, user="U0AGENT")
    for _ in ("once", "delivered again"):
        ask(home, submission)
    [public] = outside.x.replies_to(post.id)
    assert public.text.endswith(text)
    assert public.id in json.dumps(the_card(outside)["blocks"])
    assert thread(outside) == "<@U0AGENT> answers it in public. The answer is public."


def test_a_web_address_judges_any_text(home: Home) -> None:
    answer = home.get("/tweet/I%20am%20very%20angry").json()
    assert answer.keys() == {"Tweet", "Tokenized tweet", "Escalate", "Confidence"}
    assert answer["Escalate"] == "Yes"
    kind = home.get("/tweet?text=thanks%2C%20I%20am%20happy%20with%20your%20service").json()
    assert kind["Escalate"] == "No"


def test_failing_neighbours_delay_but_lose_and_double_nothing(home: Home, outside: World) -> None:
    posts = mentions(outside, 60)
    outside.model.faults.extend(Fault("status", 500) for _ in range(3))
    outside.model.fail_every(4, status=500)
    outside.slack.faults.extend(rate_limited(1, "chat.postMessage") for _ in range(2))
    outside.slack.fail_every(9, "lost", where="chat.postMessage")
    outside.x.fail_every(7, "lost", where="POST /2/tweets")
    for post in posts:
        deliver(home, outside, post)
    home.run("xPoller")
    home.work()
    for standin in (outside.model, outside.slack, outside.x):
        standin.heal()
    home.minutes_pass(6)
    assert_all_accounted_for(home, outside, posts)


def test_a_reply_that_x_swallowed_goes_to_an_agent_and_is_not_repeated(
    home: Home, outside: World
) -> None:
    post = outside.x.add_mention("thanks, I am happy with your service", author="customer_ex")
    outside.x.faults.append(Fault("drop", where="POST /2/tweets"))
    deliver(home, outside, post)
    home.work()
    home.minutes_pass(3)
    assert outside.x.replies_to(post.id) == []
    assert carded(outside.slack) == {post.id: 1}
    case = home.store.get([post.id])[post.id]
    assert "not certain" in " ".join(case.reasons)
