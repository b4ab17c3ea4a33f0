"""Shapes of JSON, checked as Slack checks them: each problem with a pointer to its place."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Problems = Iterator[str]
Check = Callable[[Any, str], Problems]
"""Takes a value and the pointer to it."""
Rule = Callable[[Any], Iterator[str]]
"""What a value of the right shape may still break; says so without a pointer."""

NOTHING: Mapping[str, Check] = {}
ADDRESS = re.compile(r"https?://\S+")


def at(problem: str, pointer: str) -> str:
    """A problem in Slack's words: `must be a string [json-pointer:/blocks/0/text]`."""
    return f"{problem} [json-pointer:{pointer}]"


def string(most: int, least: int = 1, pattern: re.Pattern[str] | None = None) -> Check:
    """A string of that many characters."""

    def check(value: Any, pointer: str) -> Problems:
        if not isinstance(value, str):
            yield at("must be a string", pointer)
        elif len(value) < least:
            yield at(f"must be more than {least - 1} characters", pointer)
        elif len(value) > most:
            yield at(f"must be less than {most + 1} characters", pointer)
        elif pattern and not pattern.fullmatch(value):
            yield at("invalid format", pointer)

    return check


def address(most: int = 3000) -> Check:
    """A web address."""
    return string(most, 1, ADDRESS)


def boolean(value: Any, pointer: str) -> Problems:
    """`true` or `false`."""
    if not isinstance(value, bool):
        yield at("must be a boolean", pointer)


def whole(least: int, most: int) -> Check:
    """A whole number from `least` to `most`."""

    def check(value: Any, pointer: str) -> Problems:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield at(f"must be a whole number from {least} to {most}", pointer)

    return check


def one_of(*allowed: object) -> Check:
    """One of these values."""

    def check(value: Any, pointer: str) -> Problems:
        if value not in allowed or isinstance(value, bool):
            yield at(f"must be one of {', '.join(map(str, allowed))}", pointer)

    return check


def array(of: Check, most: int, least: int = 1) -> Check:
    """A list of that many items, each of that shape."""

    def check(value: Any, pointer: str) -> Problems:
        if not isinstance(value, list):
            yield at("must be an array", pointer)
            return
        if len(value) < least:
            yield at(f"no fewer than {least} items allowed", pointer)
        if len(value) > most:
            yield at(f"no more than {most} items allowed", pointer)
        for index, item in enumerate(value):
            yield from of(item, f"{pointer}/{index}")

    return check


def fields(required: Mapping[str, Check], optional: Mapping[str, Check] = NOTHING) -> Check:
    """An object with these fields and no others."""
    known = {**required, **optional}

    def check(value: Any, pointer: str) -> Problems:
        if not isinstance(value, dict):
            yield at("must be an object", pointer)
            return
        for name in required.keys() - value.keys():
            yield at(f"missing required field: {name}", pointer)
        for name, child in value.items():
            if name in known:
                yield from known[name](child, f"{pointer}/{name}")
            else:
                yield at(f"invalid additional property: {name}", pointer)

    return check


def kinds(**checks: Check) -> Check:
    """An object whose `type` is one of these; the rest of it is checked accordingly."""

    def check(value: Any, pointer: str) -> Problems:
        if not isinstance(value, dict):
            yield at("must be an object", pointer)
            return
        kind = value.get("type")
        if isinstance(kind, str) and kind in checks:
            rest = {name: child for name, child in value.items() if name != "type"}
            yield from checks[kind](rest, pointer)
        else:
            yield at(f"unsupported type: {kind}", f"{pointer}/type")

    return check


def ruled(shape: Check, *rules: Rule) -> Check:
    """That shape, and once it has it, these rules too."""

    def check(value: Any, pointer: str) -> Problems:
        found = list(shape(value, pointer))
        yield from found
        if not found:
            for rule in rules:
                yield from (at(problem, pointer) for problem in rule(value))

    return check
