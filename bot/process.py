"""The process that a handler runs in: its parts, its keys read anew, its log.

On Lambda they are the process's own, made at the first call; a host that runs several functions in
one process gives each its own (`hosting`).
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bot import settings
from bot.errors import Misconfigured, Retryable
from bot.wiring import Parts

if TYPE_CHECKING:
    from bot.web.messages import Answer

    Batch = dict[str, Any]

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

SECRETS_READ_AGAIN: Final = 300.0
"""Seconds after which secrets are read anew, so that new keys need no new deployment."""
SECRETS_DOUBTED: Final = 30.0
"""Seconds after which they are read anew where somebody was turned away or something failed.

Not at once: anybody can send a wrong signature, and must not make us read at each.
"""
_DOUBTFUL: Final = frozenset({401, 403, 503})
"""What is answered to wrong keys, and where keys are not set."""

_hosted: ContextVar[Parts | None] = ContextVar("parts", default=None)
_own: dict[str, tuple[float, Parts]] = {}


def observed(handler: "Callable[[Any, Any], _Answer]") -> "Callable[[Any, Any], _Answer]":
    """A function's handler, its log in the form of the home it runs in.

    On Lambda that is Powertools'. A laptop's process has set up its own, and its host tells of
    what a handler raises.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return handler
    from bot.observability import functions

    functions.set_up()
    return functions.observed(handler)


def parts(read_within: float = SECRETS_READ_AGAIN, aws_within: float | None = None) -> Parts:
    """The parts of the function that is running: its host's, or this process's own.

    The process's own secrets were read within so many seconds, and its calls to AWS may take
    `aws_within` seconds (`bot.storage.clients`). Raises `Misconfigured` where the environment does
    not fit together.
    """
    hosted = _hosted.get()
    if hosted:
        return hosted
    made_at, made = _own.get("parts", (float("-inf"), None))
    if made is None or time.monotonic() - made_at > read_within:
        made = _made_again(made, aws_within)
        _own["parts"] = (time.monotonic(), made)
    return made


def answered(
    ask: "Callable[[Parts], Answer]",
    read_within: float = SECRETS_READ_AGAIN,
    aws_within: float | None = None,
) -> "Answer":
    """What `ask` answers; asked once more where it turns away and the keys are new by now.

    See `parts` for the rest.
    """
    own = parts(read_within, aws_within)
    try:
        answer = ask(own)
    except Misconfigured:
        renewed = parts(SECRETS_DOUBTED, aws_within)
        if renewed is own:
            raise
        return ask(renewed)
    if answer.status not in _DOUBTFUL:
        return answer
    renewed = parts(SECRETS_DOUBTED, aws_within)
    return answer if renewed is own else ask(renewed)


def doubting(answer: "Batch") -> "Batch":
    """A batch's answer; where some of it failed, what comes again finds the keys read anew."""
    if answer["batchItemFailures"]:
        parts(SECRETS_DOUBTED)
    return answer


def _made_again(made: Parts | None, aws_within: float | None) -> Parts:
    try:
        chosen = settings.read(_environment(aws_within, tolerant=made is None))
    except (Retryable, Misconfigured) as failure:
        if made is None:
            raise
        log.warning("The keys read before stay in use: %s", failure)
        return made
    # Equal settings keep their parts, and with them their open connections.
    if made and made.settings == chosen:
        return made
    for sentence in chosen.half_filled:
        log.warning("%s", sentence)
    return Parts(chosen, aws_within=aws_within)


@contextmanager
def hosting(given: Parts) -> Iterator[None]:
    """Within it, `parts()` gives these: how one process hosts functions of several environments."""
    token = _hosted.set(given)
    try:
        yield
    finally:
        _hosted.reset(token)


def _environment(aws_within: float | None, *, tolerant: bool) -> dict[str, str]:
    """The process's environment, with what its secrets hold; `tolerant`: one that is none is empty.

    A function that refused to start over it would burn its messages until somebody mends it.
    """
    own = dict(os.environ)
    for secret in settings.SECRETS.values():
        try:
            own |= held(secret, own, aws_within)
        except Misconfigured as error:
            if not tolerant:
                raise
            log.error("What needs it waits: %s", error)  # noqa: TRY400
    return own


def held(
    secret: settings.Secret, environment: Mapping[str, str], aws_within: float | None = None
) -> dict[str, str]:
    """The settings that a secret of this environment holds, none where it names no such secret.

    Raises what `bot.storage.secrets.read` raises.
    """
    if not environment.get(secret.id):
        return {}
    from bot.storage import secrets

    values = secrets.read(environment[secret.id], aws_within).values
    return {name: values[name] for name in secret.names if name in values}
