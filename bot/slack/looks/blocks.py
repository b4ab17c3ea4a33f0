"""Slack's blocks, as small as they are used here: pure functions to plain JSON.

Limits: Slack's "Block Kit reference". Foreign text stands only in `rich_text` and `plain_text`,
where nothing in it is a command, a link or a mention.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final

from bot.explanation import marked
from bot.verdicts import Weight

JsonObject = dict[str, Any]

LONGEST_TEXT: Final = 3_900
LONGEST_PLAIN: Final = 2_900
LONGEST_NAME: Final = 50
MOST_MARKS: Final = 60
"""Marked words of a post: each is an element of its own, and they weigh on a message's size."""
_USER: Final = re.compile(r"[UW][A-Z0-9]{2,19}")
_NAMED: Final = re.compile(r"\b[UW](?=[A-Z0-9]*[0-9]|[A-Z0-9]{8})[A-Z0-9]{6,19}\b", re.ASCII)
"""A person of Slack within a sentence, in which `UTC` and `URL` may stand too."""
_LINES: Final = {"rich_text_section", "rich_text_quote", "plain_text"}
_LATEST: Final = 2**33
"""Seconds: a moment before 1970 or after this one is told in words."""
_SIZES: Final = {"&": 5, "<": 4, ">": 4}


def is_user(who: str | None) -> bool:
    """Whether that is a person of Slack, and not somebody of the console."""
    return _USER.fullmatch(who or "") is not None


def escaped(text: str, most: int = LONGEST_TEXT) -> str:
    """`text` for a message's `text` field: inert, and cut without splitting an entity."""
    return cut(text, most).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most: int) -> str:
    """At most so many characters of it, counted as Slack keeps them: `&` is `&amp;` there."""
    if len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">")) <= most:
        return text
    sizes = list(accumulate(_SIZES.get(character, 1) for character in text[:most]))
    return text[: bisect_left(sizes, most)] + "…"


def one_line(text: str, most: int) -> str:
    """At most so many characters of it, and no line break."""
    return cut(" ".join(text.split()), most)


def plain(text: str, most: int = LONGEST_PLAIN) -> JsonObject:
    """Text in which nothing has a meaning. Slack refuses an empty one."""
    return {"type": "plain_text", "text": cut(text, most) or "—", "emoji": False}


def header(text: str) -> JsonObject:
    """A headline of at most 150 characters."""
    return {"type": "header", "text": plain(text, 150)}


def section(text: str, accessory: JsonObject | None = None) -> JsonObject:
    """A paragraph, with one element beside it."""
    block: JsonObject = {"type": "section", "text": plain(text)}
    return {**block, "accessory": accessory} if accessory else block


def context(*texts: str) -> JsonObject:
    """A small line of at most ten texts."""
    return {"type": "context", "elements": [plain(text, 1_900) for text in texts]}


def rich(*elements: JsonObject) -> JsonObject:
    """A block of `paragraph`, `quote` and `bullets`."""
    return {"type": "rich_text", "elements": list(elements)}


def paragraph(*parts: JsonObject) -> JsonObject:
    """Parts on one line: `words`, `link`, `person`, `moment`."""
    return {"type": "rich_text_section", "elements": list(parts)}


def quote(*parts: JsonObject) -> JsonObject:
    """Parts set apart as somebody else's words."""
    return {"type": "rich_text_quote", "elements": list(parts)}


def bullets(*items: JsonObject) -> JsonObject:
    """A list of paragraphs; Slack refuses an empty one."""
    return {"type": "rich_text_list", "style": "bullet", "elements": list(items)}


def words(text: str, **style: bool) -> JsonObject:
    """Text, `bold=True` or `italic=True`. Slack refuses an empty one."""
    part: JsonObject = {"type": "text", "text": text or "—"}
    return {**part, "style": style} if style else part


def link(url: str, text: str) -> JsonObject:
    """A link that says something."""
    return {"type": "link", "url": url, "text": text}


def person(who: str) -> JsonObject:
    """A person: mentioned where it is one of Slack, else by name."""
    return {"type": "user", "user_id": who} if is_user(who) else words(one_line(who, LONGEST_NAME))


def moment(at: datetime, form: str = "{date_short_pretty} {time}") -> JsonObject:
    """A time in each reader's own zone."""
    stamp, told = int(at.timestamp()), spoken(at)
    if not 0 <= stamp <= _LATEST:
        return words(told)
    return {"type": "date", "timestamp": stamp, "format": form, "fallback": told}


def spoken(at: datetime) -> str:
    """A time for whoever is not shown `moment`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def post(text: str, weights: Sequence[Weight] = (), most: int = LONGEST_PLAIN) -> JsonObject:
    """A post quoted; words that spoke for a person are bold, those against are slanted.

    Of more marked words than `MOST_MARKS` only the first are.
    """
    parts: list[JsonObject] = []
    marks = 0
    shown = text if text.strip() else "(no text)"
    for part in marked(cut(shown, most), weights):
        if part.weight is not None and marks < MOST_MARKS:
            marks += 1
            parts.append(words(part.text, **{"bold" if part.weight > 0 else "italic": True}))
        elif parts and "style" not in parts[-1]:
            parts[-1] = words(parts[-1]["text"] + part.text)
        else:
            parts.append(words(part.text))
    return quote(*parts)


def button(action: str, label: str, value: str, **more: Any) -> JsonObject:
    """A button; `style`, `url` and `confirm` as Slack knows them."""
    said = plain(label, 75)
    return {"type": "button", "action_id": action, "text": said, "value": value, **more}


def menu(action: str, *options: tuple[str, str], **more: Any) -> JsonObject:
    """The menu behind three dots: two to five pairs of a label and a value."""
    listed = [{"text": plain(label, 75), "value": value} for label, value in options]
    return {"type": "overflow", "action_id": action, "options": listed, **more}


def confirm(title: str, text: str, yes: str, no: str = "No") -> JsonObject:
    """What is asked before an element does what it does."""
    asked = {"title": plain(title, 100), "text": plain(text, 300)}
    return {**asked, "confirm": plain(yes, 30), "deny": plain(no, 30)}


def actions(block_id: str, *elements: JsonObject) -> JsonObject:
    """Elements in a row."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def sentence(text: str, most: int = LONGEST_PLAIN) -> list[JsonObject]:
    """The parts of a sentence in which people stand by their ids of Slack: they are mentioned."""
    shown, end = cut(text, most), 0
    parts: list[JsonObject] = []
    for named in _NAMED.finditer(shown):
        if named.start() > end:
            parts.append(words(shown[end : named.start()]))
        parts.append(person(named[0]))
        end = named.end()
    return [*parts, words(shown[end:])] if shown[end:] or not parts else parts


def heard(blocks: Iterable[JsonObject], most: int = LONGEST_TEXT) -> str:
    """What blocks say, for a message's `text`: inert, but for the people whom they mention."""
    said = ""
    for part in (part for block in blocks for part in _parts(block)):
        piece = _heard(part, most - len(said))
        if len(said) + len(piece) > most:
            break
        said += piece
    return said.strip() or "—"


def _parts(node: JsonObject) -> Iterator[JsonObject]:
    """Texts, people and times, with a blank behind each line; not what can be pressed."""
    inside = node.get("elements", [node["text"]] if isinstance(node.get("text"), dict) else None)
    if node["type"] == "actions":
        return
    if inside is None:
        yield node
    for part in inside or ():
        yield from _parts(part)
    if node["type"] in _LINES:
        yield words(" ")


def _heard(part: JsonObject, most: int) -> str:
    if part["type"] == "user":
        return f"<@{part['user_id']}>"
    return escaped(part.get("fallback") or part["text"], most)
