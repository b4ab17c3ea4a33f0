"""What stores read, where one record that nobody can read must not stop the others."""

import json
import logging
from typing import Final

from bot import records
from bot.cases import Case
from bot.errors import Newer, Refused

log = logging.getLogger(__name__)

_DAMAGED: Final = (
    *(ValueError, TypeError, LookupError, AttributeError, OverflowError),
    RecursionError,
)


def case_of(case_id: str, body: str | bytes) -> Case:
    """The case of a stored body.

    Raises `Refused` where there is none in it, `Newer` where a newer release may find one.
    """
    record = None
    try:
        record = json.loads(body)
        return records.from_json(record)
    except _DAMAGED as error:
        if records.is_newer(record):
            raise _newer(case_id) from None
        # Its id and no more: the rest of it is somebody's words.
        raise Refused(
            f"The record of case {case_id} is damaged ({type(error).__name__}): a backup may "
            "have it whole."
        ) from None


def body_of(case: Case, before: str) -> str:
    """The body to store for a changed case. Raises `Newer` where `before` is a newer release's."""
    if records.is_newer(json.loads(before)):
        raise _newer(case.id)
    return records.body(case)


def case_or_none(case_id: str, body: str | bytes) -> Case | None:
    """The same for lists: None, and a line in the log, where there is no case in it."""
    try:
        return case_of(case_id, body)
    except Refused as refusal:
        log.error("%s", refusal)  # noqa: TRY400  the sentence says it all
        return None


def _newer(case_id: str) -> Newer:
    return Newer(f"The record of case {case_id} is a newer release's: this one leaves it as it is.")
