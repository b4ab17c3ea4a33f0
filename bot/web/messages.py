"""Requests and answers of an HTTP API, payload 2.0.

API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
"""

import base64
import json
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from bot import batches, telemetry
from bot.errors import Misconfigured, Permanent, Refused, Retryable, Unknown
from bot.frozen import frozen

log = logging.getLogger(__name__)

RETRY_AFTER: Final = 30
"""Seconds after which somebody may ask again, where the neighbour that failed did not say."""


@frozen
class Request:
    """An HTTP request; header names are in lower case, the body is as it was sent."""

    route: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    host: str
    source: str


@frozen
class Answer:
    """An HTTP answer."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        """The answer as Lambda returns it."""
        return {
            "statusCode": self.status,
            "headers": {"cache-control": "no-store", **self.headers},
            "body": self.body,
        }


def request_of(event: Mapping[str, Any]) -> Request:
    """The request of an event. Raises `Refused` where the event is not one."""
    if not isinstance(event, Mapping) or event.get("version") != "2.0" or "routeKey" not in event:
        raise Refused(
            f"This function answers an HTTP API, and was given {batches.origin(event)}: look at "
            "what invokes it; payloads must have format 2.0."
        )
    try:
        context = event.get("requestContext") or {}
        headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
        body = event.get("body") or ""
        raw = (
            base64.b64decode(body, validate=True)
            if event.get("isBase64Encoded")
            else body.encode("utf-8", "surrogatepass")
        )
        return Request(
            route=event.get("routeKey") or "",
            path=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
            raw_query=event.get("rawQueryString") or "",
            headers=headers,
            body=raw,
            host=context.get("domainName") or headers.get("host", ""),
            source=(context.get("http") or {}).get("sourceIp") or "",
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise Refused(f"The event is no HTTP request of payload 2.0: {error}.") from None


def serve(event: Mapping[str, Any], answer: Callable[[Request], Answer]) -> dict[str, Any]:
    """Answers an event; the one place where failures become HTTP statuses."""
    try:
        request = request_of(event)
    except Refused as refusal:
        log.error("%s", refusal)  # noqa: TRY400  the sentence says it all
        # Messages of a queue that feeds the wrong function stay there.
        kept = batches.left(event["Records"]) if batches.is_batch(event) else {}
        return {**refused(400, str(refusal)).payload(), **kept}
    try:
        return answer(request).payload()
    except Refused as refusal:
        return refused(400, str(refusal)).payload()
    except Misconfigured as error:
        log.error("%s", error)  # noqa: TRY400  the sentence says it all
        return refused(503, str(error)).payload()
    except (Retryable, Unknown) as failure:
        log.warning("%s", failure, extra=telemetry.failure(failure))
        asked = failure.after if isinstance(failure, Retryable) else None
        seconds = max(math.ceil(asked or RETRY_AFTER), 1)
        return refused(503, str(failure), {"retry-after": str(seconds)}).payload()
    except Permanent as failure:
        log.error("%s", failure, extra=telemetry.failure(failure))  # noqa: TRY400
        return refused(502, str(failure)).payload()


def found(value: Any, status: int = 200) -> Answer:
    """A JSON answer."""
    return Answer(status, json.dumps(value), {"content-type": "application/json"})


def refused(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error: one sentence, as JSON."""
    body = json.dumps({"error": sentence})
    return Answer(status, body, {"content-type": "application/json", **(headers or {})})
