"""Batches from a queue: the one place where failures become partial batch failures.

AWS Lambda developer guide, "Implementing partial batch responses" for SQS.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bot.errors import Conflict, Failure, Refused
from bot.ports import Queue

log = logging.getLogger(__name__)

FIRST_WAIT: Final = 5.0
LONGEST_WAIT: Final = 150.0
"""With the receive count at which TweetsQueue gives up, longer than HOLD_MINUTES by default."""

Record = Mapping[str, Any]
Answer = dict[str, list[dict[str, str]]]


def each(event: Mapping[str, Any], work: Callable[[str], object], queue: Queue) -> Answer:
    """Works through a batch body by body; what fails comes again, the rest is done."""
    failed: list[Record] = []
    for record in event["Records"]:
        try:
            work(record["body"])
        except (Refused, Failure, Conflict) as error:
            failed.append(record)
            report(record, error)
    return again(failed, queue)


def report(record: Record, error: Exception) -> None:
    """Says why a message was not done; of one that cannot be read, once."""
    if not isinstance(error, Refused):
        log.warning("Message %s comes again: %s", record["messageId"], error)
    elif _receive_count(record) == 1:
        log.error("Message %s is left to the dead letters: %s", record["messageId"], error)


def again(records: Sequence[Record], queue: Queue) -> Answer:
    """The answer that makes these records, and no others, come again.

    They come sooner than after the visibility timeout, but later each time.
    """
    for record in records:
        wait = min(FIRST_WAIT * 2 ** (_receive_count(record) - 1), LONGEST_WAIT)
        queue.postpone([record["receiptHandle"]], wait)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]}


def _receive_count(record: Record) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])
