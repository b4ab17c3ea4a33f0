"""The buttons that stand under a case, wherever it is shown."""

from collections.abc import Iterator
from typing import Any

from bot.cases import Case
from bot.slack.looks.blocks import JsonObject, button, confirm


def reply(case: Case, **more: Any) -> Iterator[JsonObject]:
    """Opens the form of an answer; none where one is on its way or out."""
    answer = case.effect("reply")
    if answer is None or answer.state in {"failed", "dry-run"}:
        yield button("reply", "Reply", case.id, **more)


def resolve(case: Case) -> JsonObject:
    """Nothing more is to be done."""
    done = confirm("Resolve it?", "Nothing more is to be done. It can be reopened.", "Resolve")
    return button("resolve", "Resolve", case.id, confirm=done)


def release(case: Case) -> JsonObject:
    """Whoever has the case gives it back."""
    free = confirm("Release it?", "Whoever has it, anybody may claim it then.", "Release")
    return button("release", "Release", case.id, confirm=free)
