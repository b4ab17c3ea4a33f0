"""The web address: every route as API Gateway and the laptop hand it over, and who gets in."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Permanent, Retryable, Unknown
from bot.local.events import http_event as laptop_event
from bot.local.events import match
from bot.local.serverless import functions
from bot.process import hosting
from bot.web.access import loopback
from bot.wiring import Parts
from handlers import tweet_api
from tests.examples import ANGRY, CALM, archive, parts
from tests.standins.gateway import answer_body, http_event

ROUTES = [route for f in functions() if f.name == "tweetApi" for route in f.routes]
PASSWORD = "träge:Möwe"  # with what a sloppy reader of the header would trip over


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("bot")
    return parts(folder, MODEL_PATH=str(archive(folder)))


@pytest.fixture(scope="module")
def guarded(bot: Parts) -> Parts:
    data, model = bot.settings.data_dir, bot.settings.model_path
    return parts(data, MODEL_PATH=str(model), API_PASSWORD=PASSWORD)


def asked(bot: Parts, event: dict[str, Any]) -> tuple[int, Any]:
    with hosting(bot):
        answer = tweet_api.handler(event, None)
    body = answer_body(answer)
    is_json = answer["headers"]["content-type"] == "application/json"
    return answer["statusCode"], json.loads(body) if is_json else body.decode()


def ask(
    bot: Parts,
    line: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    source: str = "127.0.0.1",
) -> tuple[int, Any]:
    """What the laptop answers to a request such as `GET /tweet?text=hi`."""
    method, _, address = line.partition(" ")
    path, _, query = address.partition("?")
    found = match(ROUTES, method, path)
    assert found, f"serverless.yml has no route for {line}"
    sent = {"host": "127.0.0.1:8000", **(headers or {})}
    request = {"method": method, "path": path, "query": query, "host": sent["host"]}
    request |= {"protocol": "HTTP/1.1", "source": source}
    return asked(bot, laptop_event(*found, request, sent, body))


def basic(secret: str, user: str = "triage", scheme: str = "Basic") -> dict[str, str]:
    return {"authorization": f"{scheme} {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"}


def classify(bot: Parts, content: object) -> tuple[int, Any]:
    return ask(bot, "POST /classify", json.dumps(content).encode())


class TestATweet:
    @pytest.mark.parametrize("line", ["GET /tweet/{}", "GET /tweet?text={}"])
    def test_is_judged_with_exactly_these_keys(self, bot: Parts, line: str) -> None:
        status, answer = ask(bot, line.format("I%20am%20very%20ANGRY%21"))
        assert status == 200
        assert list(answer) == ["Tweet", "Tokenized tweet", "Escalate", "Confidence"]
        assert answer["Tweet"] == "I am very ANGRY!"
        assert answer["Tokenized tweet"] == ["i am very angry"]
        assert answer["Escalate"] == "Yes"
        assert 0.5 <= answer["Confidence"] <= 1

    def test_may_be_for_the_bot(self, bot: Parts) -> None:
        assert ask(bot, f"GET /tweet/{CALM.replace(' ', '%20')}")[1]["Escalate"] == "No"

    def test_may_hold_in_the_query_what_a_path_cannot_carry(self, bot: Parts) -> None:
        answer = ask(bot, "GET /tweet?text=why%3F%20a%2Fb%20100%25%20a%26b%20%F0%9F%98%A1")[1]
        assert answer["Tweet"] == "why? a/b 100% a&b 😡"

    @pytest.mark.parametrize("text", ["", "%F0%9F%98%A1", "xyzzy"])
    def test_without_a_known_word_is_for_a_person(self, bot: Parts, text: str) -> None:
        status, answer = ask(bot, f"GET /tweet?text={text}")
        assert (status, answer["Escalate"]) == (200, "Yes")

    @pytest.mark.parametrize("line", ["GET /tweet/{}", "GET /tweet?text={}"])
    def test_has_at_most_two_thousand_characters(self, bot: Parts, line: str) -> None:
        assert ask(bot, line.format("x" * 2_000))[0] == 200
        status, answer = ask(bot, line.format("x" * 2_001))
        assert (status, "2,001" in answer["error"]) == (400, True)

    def test_must_be_given(self, bot: Parts) -> None:
        status, answer = ask(bot, "GET /tweet")
        assert (status, answer) == (400, {"error": "Give the text to judge: GET /tweet?text=…"})

    def test_comes_from_api_gateway_just_so(self, guarded: Parts) -> None:
        event = http_event(
            "GET", "/tweet/I%20am%20angry", basic(PASSWORD), route="GET /tweet/{tweet}"
        )
        assert asked(guarded, event)[1]["Tweet"] == "I am angry"

    @given(text=st.text(max_size=300))
    @settings(deadline=None)
    def test_of_any_kind_gets_a_decision(self, bot: Parts, text: str) -> None:
        event = http_event("GET", "/tweet", route="GET /tweet", host="localhost")
        event["requestContext"]["http"]["sourceIp"] = "127.0.0.1"
        status, answer = asked(bot, {**event, "queryStringParameters": {"text": text}})
        assert (status, answer["Tweet"]) == (200, text)
        assert answer["Escalate"] in {"Yes", "No"}


class TestManyTexts:
    def test_are_judged_in_order_with_exactly_these_keys(self, bot: Parts) -> None:
        status, answer = classify(bot, {"texts": [ANGRY, CALM]})
        assert (status, list(answer)) == (200, ["verdicts"])
        keys = ["text", "tokens", "escalate", "confidence", "probability", "model"]
        assert [list(verdict) for verdict in answer["verdicts"]] == [keys, keys]
        assert [verdict["text"] for verdict in answer["verdicts"]] == [ANGRY, CALM]
        assert [verdict["escalate"] for verdict in answer["verdicts"]] == [True, False]
        assert {verdict["model"] for verdict in answer["verdicts"]} == {"small"}

    def test_may_be_none(self, bot: Parts) -> None:
        assert classify(bot, {"texts": []}) == (200, {"verdicts": []})

    def test_may_be_a_thousand(self, bot: Parts) -> None:
        status, answer = classify(bot, {"texts": ["hi"] * 1_000})
        assert (status, len(answer["verdicts"])) == (200, 1_000)

    def test_whose_answer_lambda_could_not_carry_are_refused(self, bot: Parts) -> None:
        body = json.dumps({"texts": ["ﷺ" * 25_000] * 13}, ensure_ascii=False).encode()
        status, answer = ask(bot, "POST /classify", body)
        assert (status, "fewer texts" in answer["error"]) == (400, True)

    def test_may_be_as_long_as_any_post(self, bot: Parts) -> None:
        assert classify(bot, {"texts": ["x" * 25_000] * 30})[0] == 200

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ({"texts": ["a", 5]}, "texts[1] must be a string, not a number."),
            ({"texts": [None]}, "texts[0] must be a string, not null."),
            ({"texts": ["a", "b", ["c"]]}, "texts[2] must be a string, not a list."),
            ({"texts": [True]}, "texts[0] must be a string, not a boolean."),
            ({"texts": ["a", "x" * 25_001]}, "texts[1] has 25,001 characters"),
            ({"texts": ["a"] * 1_001}, "1,001 elements; send at most 1,000"),
            ({"texts": "a"}, "an object with a list"),
            ({"text": ["a"]}, "an object with a list"),
            (["a"], "an object with a list"),
            (None, "an object with a list"),
            ({"texts": ["x" * 24_000] * 42}, "at most 1,000,000 are read"),
        ],
    )
    def test_are_refused_by_a_sentence_that_names_the_bad_one(
        self, bot: Parts, content: object, sentence: str
    ) -> None:
        status, answer = classify(bot, content)
        assert (status, list(answer)) == (400, ["error"])
        assert sentence in answer["error"]

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"\xff\xfe\xfd", b"[" * 100_000, b"9" * 10_000, b'{"texts": ["a"]'],
    )  # fmt: skip
    def test_must_be_json(self, bot: Parts, body: bytes) -> None:
        status, answer = ask(bot, "POST /classify", body)
        assert (status, list(answer)) == (400, ["error"])

    def test_may_hold_half_a_character(self, bot: Parts) -> None:
        status, answer = ask(bot, "POST /classify", b'{"texts": ["angry \\ud83d"]}')
        assert (status, answer["verdicts"][0]["tokens"]) == (200, "angry")

    @given(body=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
    @settings(deadline=None)
    def test_of_any_kind_are_no_crash(self, bot: Parts, body: bytes) -> None:
        assert ask(bot, "POST /classify", body)[0] in {200, 400}


class TestOtherRoutes:
    def test_shows_a_page_that_leads_on_to_the_console(self, bot: Parts) -> None:
        status, page = ask(bot, "GET /")
        assert (status, page.startswith("<!doctype html>")) == (200, True)
        assert 'href="/console/"' in page
        assert "{{" not in page

    def test_says_that_it_is_well_to_anyone(self, bot: Parts) -> None:
        assert ask(bot, "GET /health", source="203.0.113.7") == (200, {"status": "ok"})

    @pytest.mark.parametrize(
        ("failure", "status"), [(Retryable("r"), 503), (Unknown("u"), 503), (Permanent("p"), 502)]
    )
    def test_says_so_when_the_classifier_fails(
        self, tmp_path: Path, failure: Exception, status: int
    ) -> None:
        class Broken:
            model, normalizer, threshold = "broken", "plain", None

            def probabilities(self, _: object) -> list[float | None]:
                raise failure

        broken = parts(tmp_path)
        broken.classifier = Broken()
        assert ask(broken, "GET /tweet/hi") == (status, {"error": str(failure)})


class TestWhoGetsIn:
    @pytest.mark.parametrize(
        "headers",
        [
            {"host": "bot.example"},
            {"host": "127.0.0.1.evil.example"},
            {"host": ""},
            {"forwarded": "for=203.0.113.7"},
            {"x-forwarded-for": "127.0.0.1"},
            {"x-forwarded-host": "localhost"},
            {"x-forwarded-proto": "https"},
            {"x-real-ip": "127.0.0.1"},
            {"via": "1.1 proxy"},
        ],
    )
    def test_nobody_from_elsewhere_without_the_password(
        self, bot: Parts, guarded: Parts, headers: dict[str, str]
    ) -> None:
        assert ask(guarded, "GET /tweet/hi", headers=headers)[0] == 401
        assert ask(guarded, "GET /tweet/hi", headers={**headers, **basic(PASSWORD)})[0] == 200
        status, answer = ask(bot, "GET /tweet/hi", headers=headers)
        assert (status, "API_PASSWORD" in answer["error"]) == (403, True)

    def test_nobody_who_only_claims_to_be_here(self, guarded: Parts) -> None:
        assert ask(guarded, "GET /tweet/hi", source="203.0.113.7")[0] == 401

    @pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000"])
    def test_everybody_on_this_machine(self, guarded: Parts, host: str) -> None:
        assert ask(guarded, "GET /tweet/hi", headers={"host": host})[0] == 200
        assert ask(guarded, "GET /tweet/hi", headers={"host": host}, source="::1")[0] == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            basic("träge"),
            basic(PASSWORD + " "),
            basic(PASSWORD, user="admin"),
            basic(PASSWORD, scheme="Bearer"),
            {"authorization": "Basic"},
            {"authorization": "Basic ☃"},
            {"authorization": "Basic %%%"},
            {"authorization": f"Basic triage:{PASSWORD}"},
        ],
    )
    def test_nobody_with_another_word(self, guarded: Parts, headers: dict[str, str]) -> None:
        for route in ("GET /", "GET /tweet?text=hi", "POST /classify"):
            method, path = route.split(" ")
            event = http_event(method, path, headers, route=route.partition("?")[0])
            with hosting(guarded):
                answer = tweet_api.handler(event, None)
            assert answer["statusCode"] == 401
            assert answer["headers"]["www-authenticate"].startswith("Basic realm=")
            assert "API_PASSWORD" in json.loads(answer["body"])["error"]

    def test_whoever_writes_the_scheme_small(self, guarded: Parts) -> None:
        headers = {"host": "bot.example", **basic(PASSWORD, scheme="basic")}
        assert ask(guarded, "GET /tweet/hi", headers=headers)[0] == 200

    @pytest.mark.parametrize(
        "host",
        ["[::1]evil.example", "localhost.evil.example", "127.0.0.1:80:80", "[::1", "::1]", "[]:80",
         "192.168.1.5:8000", "[fe80::1]", "localhost@evil.example", "2130706433"],
    )  # fmt: skip
    def test_no_odd_host_is_taken_for_this_machine(self, host: str) -> None:
        assert not loopback(host)
