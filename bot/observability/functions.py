"""A function on Lambda: its log as JSON, its metrics in the same lines, by Powertools.

Powertools for AWS Lambda (Python), "Logger" and "Metrics"; the lines' form: CloudWatch user guide,
"Specification: Embedded metric format". The runtime's own handler writes them (`awslambdaric`),
so no line comes twice and each stays one event; it also gives each the id of its request.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics

from bot import telemetry
from bot.observability import errors
from bot.telemetry import METRIC, Metric

log = logging.getLogger(__name__)

_REQUEST: Final = "aws_request_id"
"""What the runtime calls the request's id in a record."""

Answer = TypeVar("Answer")


class Failed(Exception):
    """What the runtime is told of an uncaught exception: the log has it already."""


class JsonLines(LambdaPowertoolsFormatter):
    """A record as one line of JSON, its metric embedded."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._service = environment.get("POWERTOOLS_SERVICE_NAME")
        self._namespace = environment.get("POWERTOOLS_METRICS_NAMESPACE")
        self._first_request: str | None = None
        super().__init__(
            log_record_order=["level", "message", "timestamp"],
            utc=True,
            use_rfc3339=True,
            serialize_stacktrace=False,
            location="%(name)s:%(lineno)d",
            service=self._service,
            function=environment.get("AWS_LAMBDA_FUNCTION_NAME"),
            xray_trace_id=None,  # of this call alone; `trace` is the post's through all of them
        )

    def formatException(self, ei: Any) -> str:  # noqa: N802  the library's name
        """See `logging.Formatter`."""
        return errors.told(ei[1])

    def serialize(self, log: dict[str, Any]) -> str:  # type: ignore[override]
        """See `LambdaPowertoolsFormatter`; the runtime's handler adds no end to a line."""
        request = log.get(_REQUEST)
        self._first_request = self._first_request or request
        metric = log.pop(METRIC, None)
        embedded = self._embedded(metric) if isinstance(metric, Metric) else {}
        cold = request == self._first_request
        return f"{super().serialize({**log, 'cold_start': cold, **embedded})}\n"

    def _embedded(self, metric: Metric) -> dict[str, Any]:
        if not self._namespace:
            return {metric.name: metric.value}
        embedded = EphemeralMetrics(namespace=self._namespace, service=self._service)
        embedded.add_metric(metric.name, metric.unit, metric.value)
        if metric.kind:
            embedded.add_dimension("kind", metric.kind)
        return dict(embedded.serialize_metric_set())


def set_up() -> None:
    """Gives every line of this process that form, whoever writes it."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler(sys.stdout))
    formatter = JsonLines(os.environ)
    for handler in root.handlers:
        handler.setFormatter(formatter)
    # Of others the runtime passes warnings and worse. Below INFO are lines for machines alone.
    logging.getLogger("bot").setLevel(logging.DEBUG)


def observed(handler: Callable[[Any, Any], Answer]) -> Callable[[Any, Any], Answer]:
    """The function's handler, of whose uncaught exceptions the log tells before it fails."""

    @wraps(handler)
    def observing(event: Any, context: Any) -> Answer:
        try:
            return handler(event, context)
        except Exception as error:
            metric = telemetry.failure(error)
            if isinstance(error, errors.OURS):
                log.error("%s", error, extra=metric)  # noqa: TRY400  the sentence says it all
            else:
                log.exception("The function failed.", extra=metric)
            raise Failed(f"{type(error).__qualname__}: the line before this one tells.") from None

    return observing
