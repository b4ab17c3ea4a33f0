"""Lines for a person at a terminal: when, how grave, where, the sentence, and the fields behind."""

import logging
import sys
from collections.abc import Iterator
from typing import Any, Final

from bot.observability.errors import told
from bot.telemetry import METRIC, Metric

_USUAL: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
"""What every record has; `taskName` since Python 3.12."""


class Readable(logging.Formatter):
    """One line a record, what would steer a terminal left out; a traceback follows on its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the library's name
        """See `logging.Formatter`."""
        line = "  ".join((super().formatMessage(record), *_fields(record)))
        return "".join(c if c.isprintable() else "\ufffd" for c in line)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """See `logging.Formatter`."""
        return told(ei[1])


def handler() -> logging.Handler:
    """Writes such lines to standard error."""
    made = logging.StreamHandler(sys.stderr)
    made.setFormatter(Readable())
    return made


def _fields(record: logging.LogRecord) -> Iterator[str]:
    for name, value in vars(record).items():
        if name in _USUAL or value is None:
            continue
        if not isinstance(value, Metric):
            yield f"{name}={_shown(value)}"
        elif name == METRIC and value.unit != "Count":  # a count is what the sentence says
            yield f"{value.name}={value.value:.0f}"


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
