"""Batches from a queue: the one place where failures become partial batch failures.

AWS Lambda developer guide, "Implementing partial batch responses" for SQS.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from bot import telemetry
from bot.errors import Conflict, Failure, Newer, Permanent, Refused, Retryable
from bot.ports import Queue

log = logging.getLogger(__name__)

FIRST_WAIT: Final = 5.0
LONGEST_WAIT: Final = 60.0
"""A classifier that is back is noticed within it. With the receive count at which TweetsQueue gives
up, longer than HOLD_MINUTES may be."""
NEWER_FIRST_WAIT: Final = 5 * 60.0
NEWER_LONGEST_WAIT: Final = 2 * 3_600.0
"""What a newer release wrote waits for it: with the five receives of ActionsQueue two hours and a
half, with those of TweetsQueue two days, which is less than it is kept."""
_MOST_DOUBLINGS: Final = 20
_NAME: Final = re.compile(r"[\w:.-]{1,60}", re.ASCII)

Record = Mapping[str, Any]
Answer = dict[str, list[dict[str, str]]]
Failed = tuple[Record, Exception]
"""A message that was not done, and why."""


def each(event: Mapping[str, Any], work: Callable[[str], object], queue: Queue) -> Answer:
    """Works through a batch body by body; what fails comes again, the rest is done."""
    failed: list[Failed] = []
    for record in messages(event):
        try:
            work(record["body"])
        except (Refused, Failure, Conflict) as error:
            failed.append((record, error))
    return again(failed, queue)


def messages(event: Any) -> list[Record]:
    """The messages of an SQS event; none of another service's event, of which the log tells.

    Nothing is raised over one, for Lambda would bring it again and again.
    """
    if is_batch(event):
        return list(event["Records"])
    log.error(
        "This function works off a queue, and was given %s: it is let go; look at what invokes "
        "the function.",
        origin(event),
    )
    return []


def is_batch(event: Any) -> bool:
    """Whether an event is a batch of messages from SQS."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    return isinstance(records, list) and all(
        isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records
    )


def origin(event: Any) -> str:
    """Which service an event is from, in words that quote nothing but its name."""
    if not event or not isinstance(event, Mapping):
        return "an empty event"
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    told = first if isinstance(first, Mapping) else event
    for name in ("eventSource", "EventSource", "source", "Event"):
        service = told.get(name)
        if isinstance(service, str) and _NAME.fullmatch(service):
            return f"an event of {service}"
    if "httpMethod" in event:
        return "an HTTP request of payload 1.0"
    return "an HTTP request" if "requestContext" in event else "an event of no service we know"


def again(failed: Sequence[Failed], queue: Queue) -> Answer:
    """The answer that makes these messages, and no others, come again; the log says why.

    They come sooner than after the visibility timeout, but later each time.
    """
    for record, error in failed:
        _report(record, error)
    for wait, together in groupby(sorted(failed, key=_wait_of), key=_wait_of):
        try:
            queue.postpone([record["receiptHandle"] for record, _ in together], wait)
        except Failure as failure:
            log.warning("Some messages come only after their visibility timeout: %s", failure)
    return left([record for record, _ in failed])


def left(records: Sequence[Record]) -> Answer:
    """The answer by which these messages stay on their queue."""
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]}


def _report(record: Record, error: Exception) -> None:
    """Why a message was not done; of one that no further try can help, once."""
    if _of_classifier(error):
        return  # triage has told of the whole batch
    if not isinstance(error, Refused):
        # One that stays was counted with its effect.
        metric = {} if isinstance(error, Permanent) else telemetry.failure(error)
        log.warning("Message %s comes again: %s", record["messageId"], error, extra=metric)
    elif _receive_count(record) > 1:
        return
    elif isinstance(error, Newer):
        log.warning("Message %s waits: %s", record["messageId"], error)
    else:
        log.error(
            "Message %s is left to the dead letters: %s",
            record["messageId"],
            error,
            extra=telemetry.failed("message"),
        )


def _of_classifier(error: Exception) -> bool:
    return isinstance(error, Failure) and error.neighbour == "classifier"


def _wait_of(failed: Failed) -> float:
    record, error = failed
    if isinstance(error, Newer):
        return min(NEWER_FIRST_WAIT * _growth(record), NEWER_LONGEST_WAIT)
    if isinstance(error, Refused):
        return 0  # it would only hold up those behind it, and the alarm
    asked = error.after if isinstance(error, Retryable) else None
    return min(max(FIRST_WAIT * _growth(record), asked or 0), LONGEST_WAIT)


def _growth(record: Record) -> int:
    doublings: int = min(_receive_count(record) - 1, _MOST_DOUBLINGS)
    return 1 << doublings


def _receive_count(record: Record) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])
