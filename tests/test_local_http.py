"""The laptop's web server: real requests over loopback, and the events that functions see."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from bot.errors import Misconfigured
from bot.local import http
from bot.local.console import ROUTES
from bot.local.http import Application, listen
from bot.local.serverless import Function
from tests.serving import serving

Event = dict[str, Any]


class Functions:
    """Every function; each answers with what it was asked, or as a test wants it."""

    def __init__(self) -> None:
        self.answer: Event | Exception | None = None

    def __call__(self, function: Function, event: Event) -> Event:
        return self._answer(function.name, event)

    def console(self, route: str, event: Event) -> Event:
        return self._answer(f"console {route}", event)

    def _answer(self, name: str, event: Event) -> Event:
        if isinstance(self.answer, Exception):
            raise self.answer
        body = json.dumps({"function": name, "event": event})
        return self.answer or {"statusCode": 200, "headers": {"x-by": name}, "body": body}


@pytest.fixture(scope="module")
def functions() -> Functions:
    return Functions()


@pytest.fixture(scope="module")
def address(functions: Functions) -> Iterator[str]:
    with serving(Application(functions, functions.console, ROUTES)) as where:
        yield where


@pytest.fixture(autouse=True)
def as_usual(functions: Functions) -> None:
    functions.answer = None


def ask(
    address: str, line: str, body: bytes | None = None, *headers: tuple[str, str]
) -> tuple[HTTPResponse, bytes]:
    """The answer to a request such as `GET /tweet/hi`; headers may repeat."""
    method, _, target = line.partition(" ")
    with closing(HTTPConnection(address, timeout=10)) as connection:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return response, response.read()


def seen(
    address: str, line: str, body: bytes | None = None, *headers: tuple[str, str]
) -> tuple[str, Event]:
    """The function that got the request, and its event."""
    response, content = ask(address, line, body, *headers)
    assert response.status == 200, content
    got = json.loads(content)
    return got["function"], got["event"]


class TestRequests:
    @pytest.mark.parametrize(
        ("line", "name"),
        [
            ("GET /", "tweetApi"),
            ("GET /health", "tweetApi"),
            ("GET /tweet?text=hi", "tweetApi"),
            ("GET /tweet/hi", "tweetApi"),
            ("POST /classify", "tweetApi"),
            ("GET /x/webhook?crc_token=abc", "xWebhook"),
            ("POST /x/webhook", "xWebhook"),
            ("POST /slack/events", "slack"),
            ("GET /console", "console GET /console"),
            ("GET /console/", "console GET /console/"),
            ("GET /console/cases", "console GET /console/cases"),
            ("POST /console/feed", "console POST /console/feed"),
        ],
    )
    def test_reach_the_function_they_are_wired_to(self, address: str, line: str, name: str) -> None:
        assert seen(address, line)[0] == name

    def test_bring_their_place_and_their_sender(self, address: str) -> None:
        _, event = seen(address, "GET /tweet/hi")
        assert (event["version"], event["routeKey"]) == ("2.0", "GET /tweet/{tweet}")
        context = event["requestContext"]
        assert (context["domainName"], context["http"]["sourceIp"]) == (address, "127.0.0.1")
        assert "body" not in event

    @pytest.mark.parametrize(
        ("path", "tweet"),
        [
            ("i%20am%20angry%21", "i am angry!"),
            ("why%3F%20a%2Fb%20100%25", "why? a/b 100%"),
            ("%F0%9F%98%A1", "😡"),
            ("a+b&c=d", "a+b&c=d"),
            ("100%", "100%"),
            ("%ff", "\ufffd"),
            ("..", ".."),
        ],
    )
    def test_bring_a_paths_text_decoded(self, address: str, path: str, tweet: str) -> None:
        assert seen(address, f"GET /tweet/{path}")[1]["pathParameters"] == {"tweet": tweet}

    def test_must_encode_their_address(self, address: str) -> None:
        with closing(HTTPConnection(address, timeout=10)) as connection:
            connection.connect()
            connection.sock.sendall("GET /tweet/wütend😡 HTTP/1.0\r\n\r\n".encode())
            assert b" 400 " in connection.sock.makefile("rb").readline()

    def test_bring_their_query_decoded_and_raw(self, address: str) -> None:
        _, event = seen(address, "GET /tweet?text=a%20b%26c&empty=&text=again")
        assert event["queryStringParameters"] == {"text": "a b&c,again", "empty": ""}
        assert event["rawQueryString"] == "text=a%20b%26c&empty=&text=again"

    def test_bring_repeated_headers_as_one(self, address: str) -> None:
        _, event = seen(address, "GET /", None, ("X-Thing", "a"), ("x-thing", "b"))
        assert event["headers"]["x-thing"].replace(" ", "") == "a,b"

    def test_show_that_they_came_through_a_proxy(self, address: str) -> None:
        """Else whoever is behind a proxy on this machine would count as this machine."""
        for name in ("x-forwarded-for", "x-forwarded-host", "forwarded", "via", "x-real-ip"):
            assert seen(address, "GET /", None, (name, "203.0.113.7"))[1]["headers"][name]

    @pytest.mark.parametrize(
        ("kind", "body", "encoded"),
        [
            ("application/json", '{"é": 1}'.encode(), False),
            ("application/json; charset=utf-8", b"{}", False),
            ("text/plain", b"hi", False),
            ("application/x-www-form-urlencoded", b"a=1&b=2", True),
            ("application/octet-stream", bytes(range(256)), True),
            ("application/json", b"\xff\xfe", True),
        ],
    )
    def test_bring_every_byte_of_their_body(
        self, address: str, kind: str, body: bytes, encoded: bool
    ) -> None:
        _, event = seen(address, "POST /slack/events", body, ("Content-Type", kind))
        assert event["isBase64Encoded"] is encoded
        brought = base64.b64decode(event["body"]) if encoded else event["body"].encode()
        assert brought == body


class TestAnswers:
    def test_are_the_functions_own(self, address: str, functions: Functions) -> None:
        headers = {"www-authenticate": "Basic", "content-type": "text/plain"}
        functions.answer = {"statusCode": 401, "headers": headers, "body": "träge 😡"}
        response, body = ask(address, "GET /")
        assert (response.status, response.reason, body.decode()) == (
            401,
            "Unauthorized",
            "träge 😡",
        )
        assert response.headers["www-authenticate"] == "Basic"
        assert response.headers["content-length"] == str(len(body))
        assert response.headers["server"] is None

    @pytest.mark.parametrize("line", ["GET /", "GET /tweet/hi", "GET /console/"])
    def test_to_head_are_those_to_get_without_a_body(self, address: str, line: str) -> None:
        whole, content = ask(address, line)
        head, nothing = ask(address, line.replace("GET", "HEAD"))
        assert (head.status, nothing) == (200, b"")
        assert head.headers["x-by"] == whole.headers["x-by"]
        assert abs(int(head.headers["content-length"]) - len(content)) < 50

    @pytest.mark.parametrize(
        "line",
        [
            "GET /nowhere",
            "GET /tweet/",
            "GET /tweet/a/b",
            "GET //",
            "POST /",
            "PUT /classify",
            "DELETE /tweet/hi",
            "HEAD /classify",
            "GET /classify",
            "GET /slack/events",
            "GET /console/feed",
            "OPTIONS *",
        ],
    )
    def test_to_what_is_not_wired_are_404(self, address: str, line: str) -> None:
        response, body = ask(address, line)
        assert response.status == 404
        assert body == b"" if line.startswith("HEAD") else json.loads(body).keys() == {"error"}

    @pytest.mark.parametrize("line", ["GET /", "GET /console/"])
    def test_of_a_function_that_fails_tell_nothing_of_it(
        self, address: str, functions: Functions, line: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        functions.answer = ZeroDivisionError("the inside")
        response, body = ask(address, line)
        assert response.status == 500
        assert json.loads(body) == {"error": "Something went wrong here; the log says what."}
        assert "the inside" in caplog.text

    def test_to_a_body_beyond_lambdas_limit_are_413(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "LARGEST_BODY", 1_000)
        with serving(Application(functions, functions.console, ROUTES)) as address:
            assert ask(address, "POST /classify", b"x" * 900)[0].status == 200
            assert ask(address, "POST /classify", b"x" * 1_100)[0].status == 413


def test_a_taken_port_stops_the_start_with_one_sentence(address: str, functions: Functions) -> None:
    port = int(address.rpartition(":")[2])
    with pytest.raises(Misconfigured) as stopped:
        listen(Application(functions, functions.console, ROUTES), port)
    assert stopped.value.problems == [
        f"Port {port} is taken: stop what listens there, or set PORT to another."
    ]


def test_nobody_but_this_machine_is_listened_to(functions: Functions) -> None:
    server = listen(Application(functions, functions.console, ROUTES), 0)
    assert server.effective_host == "127.0.0.1"
    server.close()
    server.task_dispatcher.shutdown()
