"""The ways in which something fails.

Three of them concern a call to an outside system and are told apart everywhere: it will never
work, it may work later, or it may have worked already. `bot.web` maps what is below to HTTP,
`bot.batches` to the queue.
"""

from typing import Literal, Self

Neighbour = Literal["classifier", "slack", "x", "storage"]
"""Whom we call: `storage` is the store of cases, the queues and the secrets."""


class Failure(Exception):
    """A call to an outside system did not bring what it should; the message is one sentence.

    `neighbour` is whose failure it is, where that was said.
    """

    neighbour: Neighbour | None = None

    def of(self, neighbour: Neighbour) -> Self:
        """The same failure, and whose it is."""
        self.neighbour = neighbour
        return self


class Permanent(Failure):
    """The call will never work as it stands: asking again is useless."""

    def __init__(self, message: str, *, person: bool = True, mendable: bool = False) -> None:
        """`person`: whether somebody should know; False where nobody can do anything through us.

        `mendable`: whether people can mend what it fails by, so that it works afterwards; until
        then every call of that kind fails.
        """
        super().__init__(message)
        self.person = person
        self.mendable = mendable


class Retryable(Failure):
    """The call surely had no effect and may work later."""

    def __init__(self, message: str, after: float | None = None, *, shared: bool = False) -> None:
        """`after`: seconds to wait as the neighbour asked, None where it did not say.

        `shared`: whether every other call of that kind would fail too until then.
        """
        super().__init__(message)
        self.after = after
        self.shared = shared


class Unknown(Failure):
    """The call went out and its answer was lost: it may have had its effect."""


class Refused(ValueError):
    """Input that cannot be worked with; the message says what is wrong and what to do."""


class Newer(Refused):
    """What a newer release wrote, before it was rolled back: this one leaves it as it is."""


class Conflict(Exception):
    """A case changed under our hands more often than we tried again."""


class Misconfigured(Exception):
    """The settings do not fit together; `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems
