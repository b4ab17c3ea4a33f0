"""What the functions on AWS leave in their logs, and what they do not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.homes import Home, World, on_aws, world
from tests.standins.lambda_runtime import FunctionFailed
from tests.standins.server import Fault
from tests.standins.x_posts import Post

pytest.importorskip("awslambdaric", reason="awslambdaric has wheels for Linux only")

ANGRY = "I am very angry about my zebra parcel, nobody helps me!"
CALM = "thanks, I am happy with your okapi service"
PERSONAL = ("zebra", "okapi", "parcel", "walrus", "i am")
SERVICE = {"service": "tweet-escalator-test"}

Line = dict[str, Any]
Figure = tuple[str, str, dict[str, str]]


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as surroundings:
        yield surroundings


@pytest.fixture(scope="module")
def home(outside: World) -> Iterator[Home]:
    with on_aws(outside) as running:
        yield running


@pytest.fixture(scope="module")
def angry(home: Home, outside: World) -> Post:
    """A post that came, was escalated, and whose card an agent has claimed since."""
    post = outside.x.add_mention(ANGRY, author="walrus_ex")
    deliver(home, outside, post)
    home.work()
    card = outside.slack.messages[-1]
    headers, body = outside.slack.press("claim", card, user="U0AGENT")
    assert home.post("/slack/events", headers, body).status_code == 200
    home.work()
    return post


@pytest.fixture(scope="module")
def calm(home: Home, outside: World) -> Post:
    """A post that the bot answered."""
    post = outside.x.add_mention(CALM, author="walrus_ex")
    deliver(home, outside, post)
    home.work()
    return post


def deliver(home: Home, outside: World, post: Post, forged: str = "") -> int:
    body = json.dumps(outside.x.event(post)).encode()
    headers = {**outside.x.signed(body), "content-type": "application/json"}
    return home.post("/x/webhook", headers, body + forged.encode()).status_code


def lines(home: Home) -> dict[str, list[Line]]:
    """The lines of each function's log; each must be JSON."""
    return {name: list(map(json.loads, log.splitlines())) for name, log in home.logs().items()}


def figures(home: Home, function: str) -> list[Figure]:
    """Name, unit and dimensions of all that a function counted, as CloudWatch would read them."""
    found = []
    for line in lines(home)[function]:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "TweetEscalator"
            assert line["_aws"]["Timestamp"] > 1_500_000_000_000, "milliseconds"
            [names] = directive["Dimensions"]
            for metric in directive["Metrics"]:
                [value] = line[metric["Name"]]
                assert value >= 0
                told = {name: line[name] for name in names}
                found.append((metric["Name"], metric["Unit"], told))
    return found


def test_every_function_that_had_to_do_with_a_post_tells_of_it_under_one_trace(
    home: Home, angry: Post
) -> None:
    trace = home.store.get([angry.id])[angry.id].trace
    assert trace
    assert trace.startswith("1-"), "X-Ray's, of the webhook's own call"
    told = {
        name: [one for one in log if one.get("trace") == trace] for name, log in lines(home).items()
    }
    assert {name for name, log in told.items() if log} == {
        *("xWebhook", "triage", "notify", "slackActions")
    }
    [decision] = [one for one in told["triage"] if "route" in one]
    assert decision["message"] == "Decided: escalate."
    assert decision["case"] == decision["tweet"] == angry.id
    assert 0.5 <= decision["probability"] <= 1
    assert (decision["threshold"], decision["model"]) == (0.5, "customer-support-slugify")
    assert decision["waited_ms"] >= 0
    assert [one["effect"] for one in told["notify"]] == ["card", "update", "line"]
    assert [one["deed"] for one in told["slackActions"]] == ["claim"]


def test_a_line_names_its_function_its_request_and_whether_it_started_cold(
    home: Home, angry: Post
) -> None:
    first = lines(home)["triage"][0]
    assert first["function"] == "handlers-triage-handler"
    assert (first["service"], first["level"]) == (SERVICE["service"], "DEBUG")
    assert first["location"].startswith("bot.")
    assert first["timestamp"].endswith("+00:00")
    requests = {one["aws_request_id"]: one["cold_start"] for one in lines(home)["notify"]}
    assert list(requests.values()) == [True] + [False] * (len(requests) - 1)
    assert angry.id in first.get("tweet", angry.id)


def test_each_figure_goes_to_cloudwatch_under_its_name_unit_and_dimensions(
    home: Home, angry: Post, calm: Post
) -> None:
    assert {angry.id, calm.id} <= {case.id for case in home.store.newest()}
    home.run("housekeeping")
    assert figures(home, "xWebhook")[:2] == [("Received", "Count", SERVICE)] * 2
    decided = figures(home, "triage")
    assert ("Escalated", "Count", SERVICE) in decided
    assert ("ClassifierLatency", "Milliseconds", SERVICE) in decided
    assert ("PostToCard", "Milliseconds", SERVICE) in figures(home, "notify")
    assert figures(home, "reply") == [("Answered", "Count", SERVICE)]
    assert figures(home, "housekeeping") == [
        ("HoursSinceTweet", "None", SERVICE),
        ("Drift", "None", SERVICE),
    ]


def test_a_forged_request_is_counted(home: Home, outside: World, angry: Post) -> None:
    assert deliver(home, outside, angry, forged=" ") == 401
    assert figures(home, "xWebhook")[-1] == ("WebhookRefused", "Count", SERVICE)


def test_a_failure_is_counted_once_and_by_its_kind(home: Home, outside: World) -> None:
    outside.model.faults.append(Fault("status", 400))
    before = len(figures(home, "tweetApi"))
    assert home.get("/tweet?text=my+zebra").status_code == 502
    assert figures(home, "tweetApi")[before:] == [
        ("Failures", "Count", {**SERVICE, "kind": "classifier"})
    ]


@pytest.mark.usefixtures("angry", "calm")
def test_nobody_finds_anybodys_words_or_name_there(home: Home) -> None:
    whole = "".join(home.logs().values()).casefold()
    assert "decided" in whole
    assert [word for word in PERSONAL if word in whole] == []


def test_what_nobody_caught_is_told_once_by_us_and_quoted_by_nobody(
    home: Home, outside: World
) -> None:
    outside.x.faults.append(Fault("status", 500, where="GET /2/users/me"))
    with pytest.raises(FunctionFailed, match="Failed: Retryable: the line before"):
        home.run("xPoller")
    ours, *runtimes = home.logs()["xPoller"].splitlines()
    line = json.loads(ours)
    assert (line["level"], line["message"]) == ("ERROR", "X is not answering now (500).")
    assert (line["Failures"], line["kind"]) == ([1.0], "x")
    assert runtimes[0].startswith("[ERROR] Failed: Retryable")
