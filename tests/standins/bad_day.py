"""AWS on a bad day: moto's server in a process of its own, which throttles and loses answers.

Throttling, and what is left undone of a batch: API references of DynamoDB ("Common Errors",
BatchGetItem: UnprocessedKeys) and SQS (SendMessageBatch: Failed). Which calls belong together the
AWS SDKs tell with `amz-sdk-invocation-id` and `amz-sdk-request` (AWS SDKs and Tools Reference
Guide, "Retry behavior").
"""

import io
import json
import logging
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from socket import SHUT_RDWR
from threading import Lock, Thread
from typing import Any, Literal

import requests
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from bot.settings import HOUSE
from tests.standins import aws  # noqa: F401 - which makes moto faster

Kind = Literal["throttled", "down", "in part", "lost"]
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

CONTROL = "/bad-day"
ATTEMPT = re.compile(r"attempt=(\d+)")
OF_DYNAMODB = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
THROTTLED = {
    "DynamoDB_20120810": (400, {"__type": OF_DYNAMODB, "message": "Throughput exceeded."}),
    "AmazonSQS": (403, {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "Too many."}),
}
DOWN = (500, {"__type": "InternalServerError", "message": "Try your call again."})


@dataclass(frozen=True)
class Trouble:
    """Every `every`-th call of an operation goes wrong, in each of its first `tries` tries.

    - `throttled`, `down`: nothing is done
    - `in part`: of a BatchGetItem half the keys are left, of a SendMessageBatch the last message
    - `lost`: it is done, and the connection closed without an answer
    """

    operation: str
    kind: Kind
    every: int
    tries: int = 1


@dataclass
class BadDay:
    """A running AWS, of which a test says what goes wrong from now on."""

    url: str

    def begin(self, *troubles: Trouble) -> None:
        """From now on these go wrong and no others; none is a good day again."""
        plan = [asdict(trouble) for trouble in troubles]
        requests.post(self.url + CONTROL, json=plan, timeout=10).raise_for_status()

    def seen(self) -> Counter[tuple[str, str]]:
        """How often what went wrong so far, by operation and kind."""
        rows = requests.get(self.url + CONTROL, timeout=10).json()
        return Counter({(operation, kind): count for operation, kind, count in rows})


@contextmanager
def bad_day() -> Iterator[BadDay]:
    """A fresh AWS on loopback, beside this process and its lock; good until told otherwise."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(
        command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield BadDay(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.stdin.close()  # at which it ends


class Troubled:
    """A WSGI application with troubles before it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = Lock()
        self._troubles: list[Trouble] = []
        self._calls: Counter[str] = Counter()
        self._chosen: dict[str, Trouble] = {}
        self._seen: Counter[tuple[str, str]] = Counter()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        if environ["PATH_INFO"] == CONTROL:
            return self._control(environ, start_response)
        service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        trouble = self._due(operation, environ)
        if trouble is None:
            return self._app(environ, start_response)
        if trouble.kind == "throttled":
            return _refused(*THROTTLED[service], start_response)
        if trouble.kind == "down":
            return _refused(*DOWN, start_response)
        if trouble.kind == "in part":
            return self._in_part(operation, environ, start_response)
        self._perform(environ, _body(environ))
        environ["werkzeug.socket"].shutdown(SHUT_RDWR)
        raise ConnectionResetError  # by which werkzeug knows that nobody listens any more

    def _control(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        with self._lock:
            if environ["REQUEST_METHOD"] == "POST":
                self._troubles = [Trouble(**one) for one in json.loads(_body(environ))]
            rows = [[*names, count] for names, count in self._seen.items()]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(rows).encode()]

    def _due(self, operation: str, environ: Environ) -> Trouble | None:
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID", "")
        attempt = ATTEMPT.search(environ.get("HTTP_AMZ_SDK_REQUEST", ""))
        number = int(attempt[1]) if attempt else 1
        with self._lock:
            if number == 1:
                self._choose(operation, invocation)
            trouble = self._chosen.get(invocation)
            if trouble is None or number > trouble.tries:
                return None
            self._seen[trouble.operation, trouble.kind] += 1
            return trouble

    def _choose(self, operation: str, invocation: str) -> None:
        self._calls[operation] += 1
        for trouble in self._troubles:
            if trouble.operation == operation and self._calls[operation] % trouble.every == 0:
                self._chosen[invocation] = trouble
                return

    def _in_part(
        self, operation: str, environ: Environ, start_response: StartResponse
    ) -> list[bytes]:
        asked = json.loads(_body(environ))
        done, undone = PARTS[operation](asked)
        status, headers, body = self._perform(environ, json.dumps(done).encode())
        answer = json.dumps({**json.loads(body), **undone}).encode()
        kept = [pair for pair in headers if pair[0].lower() in {"content-type", "x-amzn-requestid"}]
        start_response(status, kept)
        return [answer]

    def _perform(self, environ: Environ, body: bytes) -> tuple[str, list[Any], bytes]:
        started: list[Any] = []

        def start(status: str, headers: list[Any], _: Any = None) -> None:
            started[:] = [status, headers]

        own = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answer = b"".join(self._app(own, start))
        return started[0], started[1], answer


def _half_the_keys(asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    [(table, wanted)] = asked["RequestItems"].items()
    middle = (len(wanted["Keys"]) + 1) // 2
    first, rest = wanted["Keys"][:middle], wanted["Keys"][middle:]
    undone = {table: {**wanted, "Keys": rest}} if rest else {}
    done = {**asked, "RequestItems": {table: {**wanted, "Keys": first}}}
    return done, {"UnprocessedKeys": undone}


def _all_but_the_last(asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    *first, last = asked["Entries"]
    if not first:  # a batch of one is sent, for an empty one is an error of another kind
        return asked, {}
    failed = {"Id": last["Id"], "SenderFault": False, "Code": "InternalError"}
    return {**asked, "Entries": first}, {"Failed": [failed]}


PARTS = {"BatchGetItem": _half_the_keys, "SendMessageBatch": _all_but_the_last}


def _body(environ: Environ) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body


def _refused(status: int, content: object, start_response: StartResponse) -> Sequence[bytes]:
    body = json.dumps(content).encode()
    headers = [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
    start_response(f"{status} Refused", headers)
    return [body]


def serve() -> None:
    """Prints the port, and serves until nothing more is to be read from standard input."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Troubled(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.port, flush=True)  # noqa: T201 - that is how the port is told
    sys.stdin.read()


if __name__ == "__main__":
    serve()
