"""All the way with the model behind an endpoint: as the reference trained it, and when it fails."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import boto3
import fasttext
import pytest
from botocore.config import Config
from slugify import slugify

from bot import settings
from bot.cases import Case
from bot.classifier import sagemaker
from bot.classifier.artifact import BINARY
from bot.local.serverless import queue_properties
from bot.notices import Incident
from bot.process import hosting
from bot.triage import Arrival, message
from bot.tweets import Tweet
from bot.wiring import Parts
from handlers import triage, tweet_api
from tests.fakes import Clock, MemoryCases, MemoryQueue, work_off
from tests.standins import aws
from tests.standins.gateway import answer_body, http_event
from tests.standins.sagemaker import REFERENCE_ENDPOINT, BlazingTextStandin, throttled
from tests.standins.server import Fault
from tests.test_settings import SLACK
from tests.test_tweet_api import basic

ANGRY = ["I'm so ANGRY!!", "this is broken", "worst service ever", "still waiting for a refund"]
CALM = ["Thanks a lot :)", "love it", "great job, team", "you are so kind"]
TALK = ["today", "at the shop", "@harborhelp", "with my phone", "again", "on the train", "really"]
PASSWORD = "a-password-of-the-web-address"
HOLD = timedelta(minutes=15)
STEP = 5
MANY = 300
FEW_CALLS = 25
"""To an endpoint that is dead for a quarter of an hour: after 5, 10, 20 and 40 s, then each minute.
Each of 30 batches each minute would be 500. (The SDK's second try is left out.)"""
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained with the reference's settings but for its 2,000,000 buckets, and on our own lines."""
    folder = tmp_path_factory.mktemp("reference")
    spoken = {
        label: [slugify(f"{text} {talk}", separator=" ") for text, talk in product(texts, TALK)]
        for label, texts in ((1, ANGRY), (0, CALM))
    }
    pairs = zip(spoken[1], spoken[0], strict=True)
    lines = [f"__label__1 {angry}\n__label__0 {calm}" for angry, calm in pairs] * 150
    (folder / "train.txt").write_text("\n".join(lines))
    trained = fasttext.train_supervised(
        str(folder / "train.txt"),
        epoch=10, dim=10, wordNgrams=2, lr=0.05, minCount=5, bucket=20_000,
        thread=1, seed=0, verbose=0,
    )  # fmt: skip
    trained.save_model(str(folder / BINARY))
    return folder / BINARY


@pytest.fixture
def endpoint(model: Path) -> Iterator[BlazingTextStandin]:
    with BlazingTextStandin(model) as standin:
        yield standin


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bot(
    endpoint: BlazingTextStandin, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Parts]:
    for name, value in {**aws.CREDENTIALS, "AWS_DEFAULT_REGION": aws.REGION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", endpoint.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(sagemaker, "_PATIENCE", sagemaker._PATIENCE.merge(ONCE))
    sagemaker.client.cache_clear()
    chosen = {"SAGEMAKER_ENDPOINT": REFERENCE_ENDPOINT, "API_PASSWORD": PASSWORD, **SLACK}
    own = Parts(settings.read({**chosen, "DATA_DIR": str(tmp_path), "BURST_CARDS": "0"}), clock)
    receives = queue_properties("tweets").max_receives
    own.store, own.tweets = MemoryCases(), MemoryQueue(clock, max_receives=receives)
    own.cards = MemoryQueue(clock)
    with hosting(own):
        yield own
    sagemaker.client().close()
    sagemaker.client.cache_clear()


def arrive(bot: Parts, *texts: str) -> None:
    ids = [str(1_985_000_000_000_000_000 + number) for number in range(len(texts))]
    posts = [Tweet(one, text, one) for one, text in zip(ids, texts, strict=True)]
    bot.tweets.send([message(Arrival(post, bot.clock())) for post in posts])


def work(bot: Parts) -> None:
    while work_off(bot.tweets, 10, lambda batch: triage.handler(batch, None)):
        pass


def work_for(bot: Parts, clock: Clock, span: timedelta) -> None:
    until = clock() + span
    while clock() <= until:
        work(bot)
        clock.wait(STEP)


def cases_of(bot: Parts) -> list[Case]:
    return [case for case in bot.store.newest() if not case.notice]


def incidents_of(bot: Parts) -> list[Incident]:
    notices = [case.notice for case in bot.store.newest()]
    return [notice for notice in notices if isinstance(notice, Incident)]


def ask(path: str, content: object = None) -> tuple[int, dict[str, str], Any]:
    """What the web address answers to whoever has the password: status, headers, body."""
    method, route = ("POST", "POST /classify") if content else ("GET", "GET /tweet")
    body = json.dumps(content).encode() if content else None
    headers = basic(PASSWORD) | ({"content-type": "application/json"} if content else {})
    event = http_event(method, path, headers, body, route=route)
    answer = tweet_api.handler(event, None)
    return answer["statusCode"], answer["headers"], json.loads(answer_body(answer))


class TestAnEndpointTrainedAsTheReferences:
    def test_judges_tweets_from_the_queue(self, bot: Parts, endpoint: BlazingTextStandin) -> None:
        arrive(bot, "I’m so ANGRY!! @HarborHelp today", "Thanks a lot :) again", "😡")
        work(bot)
        angry, calm, nothing = sorted(cases_of(bot), key=lambda case: case.id)
        assert angry.verdict
        assert calm.verdict
        assert (angry.route, angry.verdict.escalate) == ("escalate", True)
        assert (angry.verdict.tokens, calm.verdict.tokens) == (
            "im so angry harborhelp today",
            "thanks a lot again",
        )
        assert calm.verdict.probability < 0.5 < angry.verdict.probability
        assert {angry.verdict.model, calm.verdict.model} == {REFERENCE_ENDPOINT}
        assert calm.route == "reply"
        assert nothing.route == "escalate", "what has no token is never trusted to the model"
        first, *words = [call.json() for call in endpoint.requests]
        asked = ["im so angry harborhelp today", "thanks a lot again"]
        assert first == {"instances": asked, "configuration": {"k": 2}}
        assert len(words) == 1, "one call for the words of all"

    def test_judges_what_is_asked_of_the_web_address(self, bot: Parts) -> None:
        status, _, answer = ask("/tweet?text=I%27m%20so%20ANGRY%21%21%20today")
        assert status == 200
        assert answer.keys() == {"Tweet", "Tokenized tweet", "Escalate", "Confidence"}
        assert answer["Tokenized tweet"] == ["i m so angry today"]
        assert (answer["Escalate"], 0.5 < answer["Confidence"] <= 1) == ("Yes", True)
        status, _, answer = ask("/classify", {"texts": [*ANGRY, *CALM]})
        assert [one["escalate"] for one in answer["verdicts"]] == [True] * 4 + [False] * 4
        assert {one["model"] for one in answer["verdicts"]} == {REFERENCE_ENDPOINT}
        assert bot.settings.normalizer == "plain"


DEAD = [
    throttled(),
    Fault("lost"),
    Fault(status=400, headers={"x-amzn-errortype": "ValidationError"}),
    Fault(status=200, body=b"no BlazingText"),
]


class TestAnEndpointThatIsDead:
    @pytest.mark.parametrize("fault", DEAD, ids=lambda one: f"{one.kind} {one.status}")
    def test_is_asked_a_few_times_and_its_tweets_escalate_by_age_on_one_card(
        self, bot: Parts, clock: Clock, endpoint: BlazingTextStandin, fault: Fault
    ) -> None:
        endpoint.fail_every(1, **vars(fault))
        arrive(bot, *(ANGRY + CALM) * (MANY // 8), *ANGRY)
        work_for(bot, clock, HOLD - timedelta(seconds=STEP))
        assert cases_of(bot) == [], "they hold"
        work_for(bot, clock, timedelta(minutes=2))
        cases = cases_of(bot)
        assert (len(cases), {case.route for case in cases}) == (MANY, {"escalate"})
        assert {case.verdict for case in cases} == {None}
        [incident] = incidents_of(bot)
        assert (incident.cause, incident.count) == ("classifier", MANY)
        assert len({case.incident for case in cases}) == 1
        assert bot.tweets.depth() == (0, 0)
        assert len(endpoint.requests) <= FEW_CALLS

    def test_that_recovers_is_noticed_within_about_a_minute_and_judges_all(
        self, bot: Parts, clock: Clock, endpoint: BlazingTextStandin
    ) -> None:
        endpoint.fail_every(1, status=503)
        arrive(bot, *(ANGRY + CALM) * (MANY // 8), *ANGRY)
        work_for(bot, clock, timedelta(minutes=7))
        endpoint.heal()
        work_for(bot, clock, timedelta(seconds=75))
        cases = cases_of(bot)
        assert len(cases) == MANY
        assert all(case.verdict for case in cases)
        assert bot.tweets.depth() == (0, 0)

    def test_is_not_waited_for_by_the_web_address(
        self, bot: Parts, clock: Clock, endpoint: BlazingTextStandin
    ) -> None:
        endpoint.fail_every(1, status=503)
        asked = [("/tweet?text=hello", None), ("/classify", {"texts": ["hello"]})]
        answers = [ask(*asked[number % 2]) for number in range(20)]
        assert {status for status, _, _ in answers} == {503}
        assert len(endpoint.requests) == 1
        _, headers, body = answers[-1]
        assert headers["retry-after"] == "5"
        assert body["error"].startswith(f"{REFERENCE_ENDPOINT} is not asked for 5 s, because it ")
        endpoint.heal()
        clock.wait(5)
        assert ask("/tweet?text=hello")[0] == 200
        assert bot.tweets.depth() == (0, 0)
