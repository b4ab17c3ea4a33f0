"""What Slack refuses in blocks, modals and Home tabs.

Fields, kinds and limits: docs.slack.dev/reference/block-kit and /reference/views. Slack answers
`invalid_blocks` with pointers; a message whose texts pass about 13,000 characters is refused
whatever its blocks (`msg_blocks_too_long`, whose measure is documented nowhere).

Stricter than Slack where Slack would take what nobody can use: an interactive element needs its
`action_id`, options of one menu differ in `value`, a list is never empty, a message has no inputs.
Kinds of blocks and elements that the bot does not send are refused as unsupported.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from tests.standins.slack_shapes import (
    Check,
    Problems,
    address,
    array,
    at,
    boolean,
    fields,
    kinds,
    one_of,
    ruled,
    string,
    whole,
)

MESSAGE_CHARACTERS = 13_000
Json = dict[str, Any]


def problems(message: Mapping[str, Any]) -> list[str]:
    """What Slack would refuse in a message's blocks, with its pointers."""
    return list(MESSAGE({"blocks": message.get("blocks", [])}, ""))


def view_problems(view: object) -> list[str]:
    """What Slack would refuse in a modal or a Home tab."""
    return list(VIEW(view, "/view"))


def characters(node: object) -> int:
    """How much text there is in it."""
    if isinstance(node, dict):
        own = node.get("text")
        rest = sum(characters(value) for value in node.values())
        return rest + (len(own) if isinstance(own, str) else 0)
    return sum(map(characters, node)) if isinstance(node, list) else 0


def elements(block: Mapping[str, Any]) -> Iterator[Json]:
    """The interactive elements of one block."""
    found = [*block.get("elements", []), block.get("accessory"), block.get("element")]
    return (each for each in found if isinstance(each, dict) and "action_id" in each)


# Text, "composition objects".


def plain(most: int) -> Check:
    """A text object in which nothing is markup."""
    return kinds(plain_text=fields({"text": string(most)}, {"emoji": boolean}))


def words(most: int) -> Check:
    """A text object of either kind."""
    return kinds(
        plain_text=fields({"text": string(most)}, {"emoji": boolean}),
        mrkdwn=fields({"text": string(most)}, {"verbatim": boolean}),
    )


STYLE = one_of("primary", "danger")
CONFIRM = fields(
    {"title": plain(100), "text": plain(300), "confirm": plain(30), "deny": plain(30)},
    {"style": STYLE},
)
CHOICE = {"text": plain(75), "value": string(150)}
OPTION = fields(CHOICE, {"description": plain(75)})
MARKED_OPTION = fields({**CHOICE, "text": words(75)}, {"description": words(75)})
LINKED_OPTION = fields(CHOICE, {"description": plain(75), "url": address()})
GROUP = fields({"label": plain(75), "options": array(OPTION, 100)})


# Elements.


def _options(element: Json) -> list[Json]:
    groups = element.get("option_groups", [element])
    return [option for group in groups for option in group.get("options", [])]


def _differing(element: Json) -> Problems:
    values = [option["value"] for option in _options(element)]
    if len(values) != len(set(values)):
        yield "options must differ in value"


def _chosen(element: Json) -> Problems:
    initial = element.get("initial_options", [element.get("initial_option")])
    if any(one is not None and one not in _options(element) for one in initial):
        yield "initial_option must be one of the options"


def _either(element: Json) -> Problems:
    if ("options" in element) == ("option_groups" in element):
        yield "must define either options or option_groups"


def _lengths(element: Json) -> Problems:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if least > most:
        yield "min_length must not be more than max_length"
    if len(element.get("initial_value", "")) > most:
        yield "initial_value must not be longer than max_length"


ACTION = {"action_id": string(255)}
FOCUS: dict[str, Check] = {"focus_on_load": boolean}
BUTTON = fields(
    {**ACTION, "text": plain(75)},
    {
        "value": string(2000),
        "url": address(),
        "style": STYLE,
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
OVERFLOW = ruled(
    fields({**ACTION, "options": array(LINKED_OPTION, 5)}, {"confirm": CONFIRM}), _differing
)
SELECT = ruled(
    fields(
        ACTION,
        {
            **FOCUS,
            "options": array(OPTION, 100),
            "option_groups": array(GROUP, 100),
            "initial_option": OPTION,
            "placeholder": plain(150),
            "confirm": CONFIRM,
        },
    ),
    _either,
    _differing,
    _chosen,
)
RADIO_BUTTONS = ruled(
    fields(
        {**ACTION, "options": array(MARKED_OPTION, 10)},
        {**FOCUS, "initial_option": MARKED_OPTION, "confirm": CONFIRM},
    ),
    _differing,
    _chosen,
)
CHECKBOXES = ruled(
    fields(
        {**ACTION, "options": array(MARKED_OPTION, 10)},
        {**FOCUS, "initial_options": array(MARKED_OPTION, 10), "confirm": CONFIRM},
    ),
    _differing,
    _chosen,
)
TEXT_INPUT = ruled(
    fields(
        ACTION,
        {
            **FOCUS,
            "initial_value": string(3000, 0),
            "multiline": boolean,
            "min_length": whole(0, 3000),
            "max_length": whole(1, 3000),
            "placeholder": plain(150),
            "dispatch_action_config": fields(
                {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)}
            ),
        },
    ),
    _lengths,
)
IMAGE = fields({"image_url": address(), "alt_text": string(2000)})
MENUS = {
    "overflow": OVERFLOW,
    "static_select": SELECT,
    "radio_buttons": RADIO_BUTTONS,
    "checkboxes": CHECKBOXES,
}


# Rich text: docs.slack.dev/reference/block-kit/blocks/rich-text-block and the elements it names.

TOKENS = (
    *("day_divider_pretty", "date_num", "date_slash", "date_long", "date_long_full"),
    *("date_long_pretty", "date", "date_pretty", "date_short", "date_short_pretty"),
    *("time", "time_secs", "ago"),
)
DATE_FORMAT = re.compile(rf"[^{{}}]*(\{{({'|'.join(TOKENS)})\}}[^{{}}]*)+")


def _styled(*names: str) -> dict[str, Check]:
    return {"style": fields({}, dict.fromkeys(("bold", "italic", "strike", *names), boolean))}


TEXTUAL = _styled("code", "underline")
MENTIONED = _styled("highlight", "client_highlight", "unlink")
TEXT = fields({"text": string(MESSAGE_CHARACTERS)}, TEXTUAL)
LINK = fields(
    {"url": address()},
    {**TEXTUAL, "text": string(MESSAGE_CHARACTERS), "unsafe": boolean},
)
INLINE = kinds(
    text=TEXT,
    link=LINK,
    user=fields({"user_id": string(20, 3, re.compile(r"[UW][A-Z0-9]+"))}, MENTIONED),
    channel=fields({"channel_id": string(20, 3, re.compile(r"[CDG][A-Z0-9]+"))}, MENTIONED),
    usergroup=fields({"usergroup_id": string(20, 3, re.compile(r"S[A-Z0-9]+"))}, MENTIONED),
    broadcast=fields({"range": one_of("here", "channel", "everyone")}, MENTIONED),
    emoji=fields(
        {"name": string(100, 1, re.compile(r"[^:\s]+"))},
        {**TEXTUAL, "unicode": string(100), "skin_tone": whole(1, 6)},
    ),
    date=fields(
        {"timestamp": whole(0, 2**33), "format": string(300, 1, DATE_FORMAT)},
        {**MENTIONED, **TEXTUAL, "url": address(), "fallback": string(300)},
    ),
)
MANY = 3_000
"""Nowhere does Slack say how many elements a rich text may have."""
BORDER: dict[str, Check] = {"border": one_of(0, 1)}
SECTION = fields({"elements": array(INLINE, MANY)})
RICH_TEXT = kinds(
    rich_text_section=SECTION,
    rich_text_quote=fields({"elements": array(INLINE, MANY)}, BORDER),
    rich_text_preformatted=fields({"elements": array(kinds(text=TEXT, link=LINK), MANY)}, BORDER),
    rich_text_list=fields(
        {
            "style": one_of("bullet", "ordered"),
            "elements": array(kinds(rich_text_section=SECTION), MANY),
        },
        {**BORDER, "indent": whole(0, 8), "offset": whole(0, 3000)},
    ),
)


# Blocks.


def _filled(block: Json) -> Problems:
    if "text" not in block and "fields" not in block:
        yield "must define either text or fields"


def _action_ids_differ(block: Json) -> Problems:
    ids = [element["action_id"] for element in elements(block)]
    if len(ids) != len(set(ids)):
        yield "action_id must be unique within its block"


ID = {"block_id": string(255)}
BLOCKS = {
    "header": fields({"text": plain(150)}, ID),
    "section": ruled(
        fields(
            {},
            {
                **ID,
                "text": words(3000),
                "fields": array(words(2000), 10),
                "accessory": kinds(button=BUTTON, image=IMAGE, **MENUS),
                "expand": boolean,
            },
        ),
        _filled,
    ),
    "context": fields(
        {
            "elements": array(
                kinds(
                    # 2,000 as in a section's fields: the longest of which Slack is known to take.
                    plain_text=fields({"text": string(2000)}, {"emoji": boolean}),
                    mrkdwn=fields({"text": string(2000)}, {"verbatim": boolean}),
                    image=IMAGE,
                ),
                10,
            )
        },
        ID,
    ),
    "actions": ruled(
        fields({"elements": array(kinds(button=BUTTON, **MENUS), 25)}, ID), _action_ids_differ
    ),
    "rich_text": fields({"elements": array(RICH_TEXT, MANY)}, ID),
    "image": fields(
        {"image_url": address(), "alt_text": string(2000)}, {**ID, "title": plain(2000)}
    ),
    "divider": fields({}, ID),
}
INPUT = fields(
    {
        "label": plain(2000),
        "element": kinds(
            plain_text_input=TEXT_INPUT,
            static_select=SELECT,
            radio_buttons=RADIO_BUTTONS,
            checkboxes=CHECKBOXES,
        ),
    },
    {**ID, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
)


# Messages and views.


def _block_ids_differ(blocks: list[Json]) -> Problems:
    ids = sorted(block["block_id"] for block in blocks if "block_id" in block)
    yield from (f"block_id must be unique: {a}" for a, b in pairwise(ids) if a == b)


def _one_focus(view: Json) -> Problems:
    found = (element for block in view["blocks"] for element in elements(block))
    if sum(element.get("focus_on_load", False) for element in found) > 1:
        yield "only one element may have focus_on_load"


def _submittable(view: Json) -> Problems:
    if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
        yield "missing required field: submit, as there are inputs"


VIEW_BLOCKS = {"blocks": ruled(array(kinds(**BLOCKS, input=INPUT), 100), _block_ids_differ)}
VIEW_FIELDS = {"private_metadata": string(3000, 0), "callback_id": string(255)}
MESSAGE = fields({"blocks": ruled(array(kinds(**BLOCKS), 50, 0), _block_ids_differ)})
VIEW = kinds(
    modal=ruled(
        fields(
            {**VIEW_BLOCKS, "title": plain(24)},
            {
                **VIEW_FIELDS,
                "submit": plain(24),
                "close": plain(24),
                "clear_on_close": boolean,
                "notify_on_close": boolean,
            },
        ),
        _one_focus,
        _submittable,
    ),
    home=ruled(fields(VIEW_BLOCKS, VIEW_FIELDS), _one_focus),
)


def metadata_problems(metadata: object) -> list[str]:
    """What is wrong with a message's metadata: docs.slack.dev/messaging/message-metadata."""

    def simple(value: Any, pointer: str) -> Problems:
        if not isinstance(value, str | int | float):
            yield at("must be a string, a number or a boolean", pointer)

    def payload(value: Any, pointer: str) -> Problems:
        if not isinstance(value, dict):
            yield at("must be an object", pointer)
            return
        for name, child in value.items():
            yield from simple(child, f"{pointer}/{name}")

    name = string(255, 1, re.compile(r"\w+"))
    return list(fields({"event_type": name, "event_payload": payload})(metadata, "/metadata"))
