"""The base of every stand-in: an HTTP server on loopback with routes and scripted faults."""

import json
import re
import socket
import socketserver
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """One call as it came over the wire; `path` is neither decoded nor has it a query."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """What faults are matched against: `POST /2/tweets`."""
        return f"{self.method} {self.path}"

    @property
    def is_json(self) -> bool:
        return "json" in self.headers.get("Content-Type", "")

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def queries(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Action = Callable[[Request], Answer]
Kind = Literal["status", "html", "drop", "lost", "hang"]


def answer_json(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer in JSON."""
    typed = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Answer(status, json.dumps(content).encode(), typed)


@dataclass(frozen=True)
class Fault:
    """One call that goes wrong.

    - `status`: answers `status`, `body` and `headers` without doing the work
    - `html`: the same with a proxy's error page where JSON is expected
    - `drop`: closes the connection, nothing done
    - `lost`: does the work, then closes the connection without an answer
    - `hang`: keeps the caller waiting until the stand-in closes

    `performs=True` lets any kind do the work first. `where` is a part of the request line
    (`POST /2/tweets`) that the call must contain.
    """

    kind: Kind = "status"
    status: int = 500
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    performs: bool = False

    def answer(self) -> Answer | None:
        """The answer; none means that the connection is closed instead."""
        if self.kind == "html":
            page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            return Answer(self.status, page, {"Content-Type": "text/html", **self.headers})
        if self.kind != "status":
            return None
        if isinstance(self.body, bytes):
            return Answer(self.status, self.body, self.headers)
        return answer_json({} if self.body is None else self.body, self.status, self.headers)


class Standin:
    """A server with routes. Subclasses add theirs; tests read `requests` and append to `faults`."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self._periodic: list[tuple[Fault, int, Iterator[int]]] = []
        self._routes: list[tuple[str, re.Pattern[str], Action]] = []
        self._closing = Event()
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        return f"http://{self.address}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def fail_every(
        self,
        n: int,
        kind: Kind = "status",
        **options: Any,
    ) -> None:
        """Every n-th matching call fails: `fail_every(7, status=503)`, `fail_every(1, "drop")`."""
        with self.lock:
            self._periodic.append((Fault(kind, **options), n, count(1)))

    def heal(self) -> None:
        """From now on nothing fails."""
        with self.lock:
            self.faults.clear()
            self._periodic.clear()

    def calls(self, where: str) -> list[Request]:
        """The calls so far whose request line contains `where`."""
        with self.lock:
            return [request for request in self.requests if where in request.line]

    def route(self, method: str, path: str, action: Action) -> None:
        """Sends `method path` to `action`; `{name}` in the path matches up to the next slash."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        self._routes.append((method, re.compile(pattern), action))

    def respond(self, request: Request) -> Answer | None:
        """The answer to one call, with the fault that is due, if any."""
        with self.lock:
            self.requests.append(request)
            fault = self._due_fault(request.line)
        if fault is None:
            return self._dispatch(request)
        if fault.performs or fault.kind == "lost":
            self._dispatch(request)
        if fault.kind == "hang":
            self._closing.wait()
        return fault.answer()

    def perform(self, action: Action, request: Request) -> Answer:
        """Runs one action, one at a time: a stand-in's state is never seen half changed."""
        with self.lock:
            return action(request)

    def _dispatch(self, request: Request) -> Answer:
        for method, pattern, action in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return self.perform(action, replace(request, parts=match.groupdict()))
        return answer_json({"error": f"no such route here: {request.line}"}, 404)

    def _due_fault(self, line: str) -> Fault | None:
        for index, fault in enumerate(self.faults):
            if fault.where in line:
                return self.faults.pop(index)
        due = [
            fault
            for fault, n, calls in self._periodic
            if fault.where in line and next(calls) % n == 0
        ]
        return due[0] if due else None


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends the connections that clients keep alive."""
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up is no error of ours; anything else is printed with its trace."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: socketserver.BaseServer

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server finds them by these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Says nothing: `Standin.requests` holds the calls."""

    def _serve(self) -> None:
        assert isinstance(self.server, _Server)
        answer = self.server.standin.respond(self._read())
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _read(self) -> Request:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        return Request(self.command, path, query, self.headers, body)
