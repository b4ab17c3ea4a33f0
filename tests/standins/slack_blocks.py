"""Slack's limits for blocks and views, roughly.

Limits: docs.slack.dev/reference/block-kit and /reference/views. Slack answers `invalid_blocks`
with pointers; a message whose texts pass about 13,000 characters is refused whatever its blocks
(`msg_blocks_too_long`, documented nowhere).
"""

from collections.abc import Iterator, Mapping
from typing import Any

MESSAGE_CHARACTERS = 13_000

# For each kind of object, how long a string, a text object or a list in it may be.
LIMITS: dict[str, dict[str, int]] = {
    "message": {"blocks": 50},
    "modal": {"blocks": 100, "title": 24, "submit": 24, "close": 24, "private_metadata": 3000},
    "home": {"blocks": 100, "private_metadata": 3000},
    "section": {"text": 3000, "fields": 10},
    "header": {"text": 150},
    "context": {"elements": 10},
    "actions": {"elements": 25},
    "input": {"label": 2000, "hint": 2000},
    "button": {"text": 75, "value": 2000, "url": 3000, "accessibility_label": 75},
    "static_select": {"options": 100, "placeholder": 150},
    "overflow": {"options": 5},
    "options": {"text": 75, "value": 75, "description": 75},
    "confirm": {"title": 100, "text": 300, "confirm": 30, "deny": 30},
}
EVERYWHERE = {"block_id": 255, "action_id": 255, "callback_id": 255}
NEEDED = {
    "modal": ("title", "blocks"),
    "home": ("blocks",),
    "header": ("text",),
    "context": ("elements",),
    "actions": ("elements",),
    "button": ("text", "action_id"),
    "static_select": ("options", "action_id"),
    "options": ("text", "value"),
}
PLAIN = {("header", "text"), ("button", "text"), ("modal", "title"), ("input", "label")}
BLOCKS = {
    "actions", "context", "divider", "file", "header", "image", "input", "markdown",
    "rich_text", "section", "video",
}  # fmt: skip


def problems(surface: Mapping[str, Any], kind: str = "message") -> list[str]:
    """What Slack would refuse in a message or view, with its pointers."""
    blocks = surface.get("blocks", [])
    if not isinstance(blocks, list):
        return ["blocks must be an array [json-pointer:/blocks]"]
    return [*_strangers(blocks), *_repeated(blocks), *_walk(surface, kind, "")]


def characters(node: object) -> int:
    """How much text there is in it."""
    if isinstance(node, dict):
        own = node.get("text")
        rest = sum(characters(value) for value in node.values())
        return rest + (len(own) if isinstance(own, str) else 0)
    return sum(map(characters, node)) if isinstance(node, list) else 0


def _strangers(blocks: list[Any]) -> Iterator[str]:
    for index, block in enumerate(blocks):
        if not isinstance(block, dict) or block.get("type") not in BLOCKS:
            yield f"unsupported type [json-pointer:/blocks/{index}/type]"
        elif block["type"] == "section" and not (block.get("text") or block.get("fields")):
            yield f"missing text or fields [json-pointer:/blocks/{index}]"


def _repeated(blocks: list[Any]) -> Iterator[str]:
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_id must be unique [json-pointer:/blocks]"


def _walk(node: object, kind: str, pointer: str) -> Iterator[str]:
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from _walk(child, kind, f"{pointer}/{index}")
    elif isinstance(node, dict):
        kind = node.get("type", kind)
        yield from _own(node, kind, pointer)
        for name, child in node.items():
            yield from _walk(child, name, f"{pointer}/{name}")


def _own(node: dict[str, Any], kind: str, pointer: str) -> Iterator[str]:
    for name in NEEDED.get(kind, ()):
        if not node.get(name):
            yield f"missing required field: {name} [json-pointer:{pointer}]"
    for name, most in {**EVERYWHERE, **LIMITS.get(kind, {})}.items():
        if name in node:
            yield from _measured(node[name], most, f"{pointer}/{name}")
    for name, value in node.items():
        plain = isinstance(value, dict) and value.get("type") == "plain_text"
        if (kind, name) in PLAIN and not plain:
            yield f"must be plain_text [json-pointer:{pointer}/{name}]"


def _measured(value: object, most: int, pointer: str) -> Iterator[str]:
    if isinstance(value, list):
        if len(value) > most:
            yield f"no more than {most} items allowed [json-pointer:{pointer}]"
        return
    text = value.get("text", "") if isinstance(value, dict) else str(value)
    if not text and isinstance(value, dict):
        yield f"must be more than 0 characters [json-pointer:{pointer}]"
    if len(text) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{pointer}]"
