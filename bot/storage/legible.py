"""What stores read, where one record that nobody can read must not stop the others."""

import json
import logging

from bot import records
from bot.cases import Case
from bot.errors import Refused

log = logging.getLogger(__name__)


def case_of(case_id: str, body: str | bytes) -> Case:
    """The case of a stored body. Raises `Refused` where there is none in it."""
    try:
        return records.from_json(json.loads(body))
    except (
        *(ValueError, TypeError, LookupError, AttributeError, OverflowError),
        RecursionError,
    ) as error:
        # Its id and no more: the rest of it is somebody's words.
        raise Refused(
            f"The record of case {case_id} is damaged ({type(error).__name__}): a backup may "
            "have it whole."
        ) from None


def case_or_none(case_id: str, body: str | bytes) -> Case | None:
    """The same for lists: None, and a line in the log, where there is no case in it."""
    try:
        return case_of(case_id, body)
    except Refused as refusal:
        log.error("%s", refusal)  # noqa: TRY400  the sentence says it all
        return None
