"""Events as AWS makes them: HTTP payload 2.0, SQS batches, schedules.

API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs"; Lambda
developer guide, "Using Lambda with Amazon SQS" and "Invoke a Lambda function on a schedule".
"""

import base64
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from bot.ports import Message

_TEXTUAL: Final = re.compile(r"text/.*|application/(json|javascript|xml)")
"""Content types whose bodies travel as text; all others travel in base64."""


def match(routes: Iterable[str], method: str, raw_path: str) -> tuple[str, dict[str, str]] | None:
    """The route of a request and its path parameters, None where there is none.

    Segments are compared as they came and decoded then. API Gateway decodes first and cannot
    carry `/`, `?` or `%` in a segment; here they arrive.
    """
    given = raw_path.split("/")
    for route in routes:
        verb, _, pattern = route.partition(" ")
        parts = pattern.split("/")
        if verb != method or len(parts) != len(given):
            continue
        pairs = list(zip(parts, given, strict=True))
        if all(value if part.startswith("{") else part == value for part, value in pairs):
            return route, {
                part.strip("{}"): unquote(value, errors="replace")
                for part, value in pairs
                if part.startswith("{")
            }
    return None


def http_event(
    route: str,
    path_parameters: Mapping[str, str],
    request: Mapping[str, Any],
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, Any]:
    """The event of an HTTP request; `request` holds method, raw path, query, host and source."""
    now = datetime.now(UTC)
    textual = _TEXTUAL.fullmatch(headers.get("content-type", "text/plain").split(";")[0].strip())
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": unquote(request["path"], errors="replace"),
        "rawQueryString": request["query"],
        "headers": dict(headers),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "laptop",
            "domainName": request["host"],
            "http": {
                "method": request["method"],
                "path": unquote(request["path"], errors="replace"),
                "protocol": request["protocol"],
                "sourceIp": request["source"],
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": uuid.uuid4().hex,
            "routeKey": route,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": bool(body) and not _is_text(body, textual=bool(textual)),
    }
    if path_parameters:
        event["pathParameters"] = dict(path_parameters)
    query = _query(request["query"])
    if query:
        event["queryStringParameters"] = query
    if body:
        encoded = event["isBase64Encoded"]
        event["body"] = base64.b64encode(body).decode() if encoded else body.decode()
    return event


def _is_text(body: bytes, *, textual: bool) -> bool:
    if not textual:
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _query(raw: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True, errors="replace"):
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def sqs_event(messages: Sequence[Message], queue: str) -> dict[str, Any]:
    """The event of a batch of messages."""
    return {"Records": [_record(message, queue) for message in messages]}


def _record(message: Message, queue: str) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": str(message.receive_count),
        "SentTimestamp": str(int(message.sent_at.timestamp() * 1000)),
    }
    if message.group is not None:
        attributes["MessageGroupId"] = message.group
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:local:000000000000:{queue}",
        "awsRegion": "local",
    }


def schedule_event(now: datetime) -> dict[str, Any]:
    """The event of a schedule that is due."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "local",
        "resources": [],
        "detail": {},
    }
