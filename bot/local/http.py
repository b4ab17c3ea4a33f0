"""The laptop's web server: routes of `serverless.yml` to their functions, and the console."""

import logging
import socket
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from waitress.server import create_server

from bot.errors import Misconfigured
from bot.local.events import http_event, match
from bot.local.host import Invoke
from bot.local.serverless import Function, functions
from bot.web.messages import refused

log = logging.getLogger(__name__)

ADDRESS: Final = "127.0.0.1"
LARGEST_BODY: Final = 6 * 1024 * 1024
"""What Lambda takes as a request ("Lambda quotas", "Invocation payload")."""

StartResponse = Callable[[str, list[tuple[str, str]]], object]
Console = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Answers an HTTP event under one of the console's routes."""


class Application:
    """A WSGI application over the functions' routes."""

    def __init__(self, invoke: Invoke, console: Console, console_routes: Iterable[str]) -> None:
        self._invoke = invoke
        self._console = console
        self._routes: dict[str, Function | None] = dict.fromkeys(console_routes)
        for function in functions():
            self._routes |= dict.fromkeys(function.routes, function)

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        answer = self._answer(environ)
        body = str(answer.get("body", "")).encode("utf-8", "replace")
        headers = [(str(k), str(v)) for k, v in answer.get("headers", {}).items()]
        headers.append(("Content-Length", str(len(body))))
        status = int(answer["statusCode"])
        start(f"{status} {HTTPStatus(status).phrase}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def _answer(self, environ: dict[str, Any]) -> dict[str, Any]:
        path = environ["REQUEST_URI"].partition("?")[0]
        method = environ["REQUEST_METHOD"]
        matched = match(self._routes, "GET" if method == "HEAD" else method, path)
        if matched is None:
            return refused(404, f"There is no {method} {path:.100} here.").payload()
        route, path_parameters = matched
        event = _event(route, path_parameters, environ)
        function = self._routes[route]
        try:
            if function is None:
                return self._console(route, event)
            answer: dict[str, Any] = self._invoke(function, event)
        except Exception:
            log.exception("%s failed.", route)
            return refused(500, "Something went wrong here; the log says what.").payload()
        return answer


def _event(
    route: str, path_parameters: Mapping[str, str], environ: dict[str, Any]
) -> dict[str, Any]:
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    request = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["REQUEST_URI"].partition("?")[0],
        "query": environ["QUERY_STRING"],
        "host": headers.get("host", ""),
        "protocol": environ["SERVER_PROTOCOL"],
        "source": environ["REMOTE_ADDR"],
    }
    return http_event(route, path_parameters, request, headers, environ["wsgi.input"].read())


def listen(application: Application, port: int) -> Any:
    """A server bound to the port, not yet running. Raises `Misconfigured` where it is taken."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    try:
        # waitress would leave a socket that it cannot bind open.
        bound = socket.create_server((ADDRESS, port))
    except OSError:
        raise Misconfigured(
            [f"Port {port} is taken: stop what listens there, or set PORT to another."]
        ) from None
    return create_server(
        application,
        sockets=[bound],
        threads=8,
        max_request_body_size=LARGEST_BODY,
        clear_untrusted_proxy_headers=False,  # they show that a caller is not on this machine
        ident="",
    )
