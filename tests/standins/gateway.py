"""HTTP requests as an HTTP API hands them to a function, and its answers.

Payload 2.0: docs.aws.amazon.com/apigateway/latest/developerguide/
http-api-develop-integrations-lambda.html. Text and JSON bodies come as they are, all others
(forms too) in base64; header names are in lower case.
"""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

PLAIN = ("application/json", "text/")
HOST = "abcdefghij.execute-api.us-east-1.amazonaws.com"


def http_event(
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    route: str = "$default",
    host: str = HOST,
) -> dict[str, Any]:
    """The event of one request; `path` as typed, with its query; `route` as in serverless.yml."""
    raw, _, query = path.partition("?")
    decoded = unquote(raw)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": decoded,
        "rawQueryString": query,
        "headers": {"host": host, **{k.lower(): v for k, v in (headers or {}).items()}},
        "requestContext": {
            "accountId": "123456789012",
            "domainName": host,
            "http": {
                "method": method,
                "path": decoded,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": (headers or {}).get("user-agent", "test"),
            },
            "requestId": "test-request",
            "routeKey": route,
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    if parameters := _path_parameters(route, decoded):
        event["pathParameters"] = parameters
    return event | _body(body, event["headers"].get("content-type", ""))


def answer_body(answer: Mapping[str, Any]) -> bytes:
    """The body a function's answer stands for."""
    body = answer.get("body") or ""
    return base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()


def _path_parameters(route: str, path: str) -> dict[str, str]:
    wanted = route.partition(" ")[2].split("/")
    return {
        name[1:-1]: value
        for name, value in zip(wanted, path.split("/"), strict=False)
        if name.startswith("{")
    }


def _body(body: bytes | None, content_type: str) -> dict[str, Any]:
    if body is None:
        return {}
    if content_type.startswith(PLAIN):
        return {"body": body.decode()}
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
