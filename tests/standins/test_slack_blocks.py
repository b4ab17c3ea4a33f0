"""What the stand-in takes for blocks and views, and what it refuses as Slack would."""

from copy import deepcopy
from typing import Any

import pytest

from tests.standins import slack_blocks
from tests.standins.slack_blocks import metadata_problems, problems, view_problems

Json = dict[str, Any]
GONE = object()


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": True}


def marked(text: str) -> Json:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def option(value: str = "v", **more: Any) -> Json:
    return {"text": plain("t" * 75), "value": value, **more}


def options(many: int) -> list[Json]:
    return [option(f"{number:0150}") for number in range(many)]


def text(words: str, **style: bool) -> Json:
    return {"type": "text", "text": words, **({"style": style} if style else {})}


CONFIRM = {
    "title": plain("t" * 100),
    "text": plain("t" * 300),
    "confirm": plain("t" * 30),
    "deny": plain("t" * 30),
    "style": "danger",
}
BUTTON = {
    "type": "button",
    "action_id": "a" * 255,
    "text": plain("t" * 75),
    "value": "v" * 2000,
    "url": "https://x.example/" + "p" * 2982,
    "style": "primary",
    "confirm": CONFIRM,
    "accessibility_label": "l" * 75,
}
OVERFLOW = {
    "type": "overflow",
    "action_id": "more",
    "options": [*options(4), option(url="https://x.example", description=plain("d" * 75))],
    "confirm": CONFIRM,
}
SELECT = {
    "type": "static_select",
    "action_id": "until",
    "options": options(100),
    "initial_option": options(100)[7],
    "placeholder": plain("p" * 150),
    "confirm": CONFIRM,
}
GROUPED = {
    "type": "static_select",
    "action_id": "grouped",
    "option_groups": [{"label": plain("g" * 75), "options": options(2)}],
}
MESSAGE = {
    "blocks": [
        {"type": "header", "text": plain("h" * 150), "block_id": "b" * 255},
        {"type": "section", "text": marked("s" * 3000), "accessory": BUTTON},
        {"type": "section", "fields": [marked("f" * 2000)] * 10, "accessory": OVERFLOW},
        {"type": "section", "text": plain("s"), "accessory": SELECT, "expand": True},
        {
            "type": "context",
            "elements": [
                {"type": "image", "image_url": "https://x.example/i", "alt_text": "i"},
                *[plain("c")] * 9,
            ],
        },
        {
            "type": "actions",
            "elements": [
                OVERFLOW,
                GROUPED,
                *[{**BUTTON, "action_id": f"a{number}"} for number in range(23)],
            ],
        },
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        text("x", bold=True, italic=True, strike=True, code=True),
                        {"type": "link", "url": "https://x.example", "text": "x", "unsafe": False},
                        {"type": "user", "user_id": "U0AGENT", "style": {"bold": True}},
                        {"type": "channel", "channel_id": "C0SUPPORT"},
                        {"type": "usergroup", "usergroup_id": "S0TEAM"},
                        {"type": "broadcast", "range": "here"},
                        {"type": "emoji", "name": "wave", "skin_tone": 2},
                        {
                            "type": "date",
                            "timestamp": 1_793_620_800,
                            "format": "{date_short_pretty}, {time}",
                            "fallback": "2 November",
                            "url": "https://x.example",
                        },
                    ],
                },
                {"type": "rich_text_quote", "elements": [text("<!channel>")], "border": 1},
                {"type": "rich_text_preformatted", "elements": [text("x")], "border": 0},
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "indent": 8,
                    "offset": 3,
                    "elements": [{"type": "rich_text_section", "elements": [text("x")]}],
                },
            ],
        },
        {"type": "image", "image_url": "https://x.example", "alt_text": "i", "title": plain("i")},
        {"type": "divider"},
    ]
}
TEXT_INPUT = {
    "type": "plain_text_input",
    "action_id": "typed",
    "initial_value": "i" * 280,
    "multiline": True,
    "min_length": 0,
    "max_length": 3000,
    "placeholder": plain("p" * 150),
    "focus_on_load": True,
    "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
}
MODAL = {
    "type": "modal",
    "title": plain("t" * 24),
    "submit": plain("s" * 24),
    "close": plain("c" * 24),
    "private_metadata": "p" * 3000,
    "callback_id": "c" * 255,
    "notify_on_close": True,
    "clear_on_close": False,
    "blocks": [
        {
            "type": "input",
            "block_id": "answer",
            "label": plain("l" * 2000),
            "hint": plain("h" * 2000),
            "optional": False,
            "dispatch_action": True,
            "element": TEXT_INPUT,
        },
        {"type": "input", "label": plain("l"), "element": SELECT},
        {
            "type": "input",
            "label": plain("l"),
            "element": {
                "type": "checkboxes",
                "action_id": "c",
                "options": [
                    option("1", description=marked("d")),
                    {**option(), "text": marked("t")},
                ],
                "initial_options": [{**option(), "text": marked("t")}],
            },
        },
        {
            "type": "input",
            "label": plain("l"),
            "element": {"type": "radio_buttons", "action_id": "r", "options": options(10)},
        },
        *[{"type": "divider"}] * 96,
    ],
}
HOME = {
    "type": "home",
    "private_metadata": "",
    "callback_id": "home",
    "blocks": MESSAGE["blocks"],
}


def changed(whole: Json, path: str, value: Any) -> Json:
    """`whole` with another value at `path` (`blocks/0/text`), or without it."""
    made = deepcopy(whole)
    *way, last = [int(step) if step.isdecimal() else step for step in path.split("/")]
    place: Any = made
    for step in way:
        place = place[step]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return made


def test_everything_is_taken_at_its_limits() -> None:
    assert problems(MESSAGE) == []
    assert view_problems(MODAL) == []
    assert view_problems(HOME) == []
    assert problems({"text": "no blocks"}) == []


MESSAGES = {
    "blocks": [{"type": "divider"}] * 51,
    "blocks/0": "header",
    "blocks/0/type": "poem",
    "blocks/0/block_id": "b" * 256,
    "blocks/0/text": GONE,
    "blocks/0/text/text": "h" * 151,
    "blocks/0/text/type": "mrkdwn",
    "blocks/0/level": 1,
    "blocks/1/text": GONE,
    "blocks/1/text/text": "",
    "blocks/1/text/verbatim": "yes",
    "blocks/1/text/emoji": True,
    "blocks/1/accessory/type": "plain_text_input",
    "blocks/1/accessory/action_id": GONE,
    "blocks/1/accessory/text": marked("t"),
    "blocks/1/accessory/text/text": "t" * 76,
    "blocks/1/accessory/value": "v" * 2001,
    "blocks/1/accessory/url": "javascript:alert(1)",
    "blocks/1/accessory/style": "default",
    "blocks/1/accessory/accessibility_label": "l" * 76,
    "blocks/1/accessory/options": [],
    "blocks/1/accessory/confirm/title": GONE,
    "blocks/1/accessory/confirm/title/text": "t" * 101,
    "blocks/1/accessory/confirm/text": marked("t"),
    "blocks/1/accessory/confirm/text/text": "t" * 301,
    "blocks/1/accessory/confirm/confirm/text": "t" * 31,
    "blocks/1/accessory/confirm/deny/text": "t" * 31,
    "blocks/1/accessory/confirm/style": "green",
    "blocks/2/fields": [plain("f")] * 11,
    "blocks/2/fields/0/text": "f" * 2001,
    "blocks/2/accessory/options": [],
    "blocks/2/accessory/options/0/value": "v" * 151,
    "blocks/2/accessory/options/0/text/text": "t" * 76,
    "blocks/2/accessory/options/0/text/type": "mrkdwn",
    "blocks/2/accessory/options/0/url": "x",
    "blocks/2/accessory/options/1": option(),
    "blocks/3/accessory/options": options(101),
    "blocks/3/accessory/options/0/url": "https://x.example",
    "blocks/3/accessory/option_groups": [],
    "blocks/3/accessory/initial_option": option(),
    "blocks/3/accessory/placeholder/text": "p" * 151,
    "blocks/4/elements": [plain("c")] * 11,
    "blocks/4/elements/0/alt_text": GONE,
    "blocks/4/elements/1/text": "c" * 2001,
    "blocks/5/elements": [],
    "blocks/5/elements/1/option_groups/0/label": GONE,
    "blocks/5/elements/1/option_groups/0/options": [],
    "blocks/5/elements/2/action_id": "more",
    "blocks/6/elements": [],
    "blocks/6/elements/0/elements": [],
    "blocks/6/elements/0/elements/0/text": "",
    "blocks/6/elements/0/elements/0/style": {"loud": True},
    "blocks/6/elements/0/elements/0/style/bold": 1,
    "blocks/6/elements/0/elements/1/url": GONE,
    "blocks/6/elements/0/elements/2/user_id": "the console",
    "blocks/6/elements/0/elements/3/channel_id": "support",
    "blocks/6/elements/0/elements/4/usergroup_id": "team",
    "blocks/6/elements/0/elements/5/range": "world",
    "blocks/6/elements/0/elements/6/name": ":wave:",
    "blocks/6/elements/0/elements/7/timestamp": 1.5,
    "blocks/6/elements/0/elements/7/format": "{weekday}",
    "blocks/6/elements/0/elements/7/fallback": "",
    "blocks/6/elements/1/border": 2,
    "blocks/6/elements/2/elements": [{"type": "user", "user_id": "U0AGENT"}],
    "blocks/6/elements/3/style": GONE,
    "blocks/6/elements/3/indent": 9,
    "blocks/6/elements/3/elements": [text("x")],
    "blocks/7/image_url": "file:///etc/passwd",
    "blocks/8/text": plain("no"),
    "blocks/8/block_id": "b" * 255,
}


@pytest.mark.parametrize("path", MESSAGES)
def test_a_message_past_a_limit_is_refused_with_a_pointer(path: str) -> None:
    found = problems(changed(MESSAGE, path, MESSAGES[path]))
    assert found
    assert all("[json-pointer:/blocks" in problem for problem in found)


@pytest.mark.parametrize(
    "blocks",
    [
        [*[{"type": "divider", "block_id": "same"}] * 2],
        [{"type": "actions", "elements": [{**BUTTON, "action_id": str(n)} for n in range(26)]}],
        [MODAL["blocks"][0]],  # type: ignore[index]  # inputs belong in views
        {"type": "divider"},
        None,
    ],
)
def test_blocks_that_do_not_go_together_are_refused(blocks: Any) -> None:
    assert problems({"blocks": blocks})


MODALS = {
    "type": "dialog",
    "title": GONE,
    "title/text": "t" * 25,
    "title/type": "mrkdwn",
    "submit": GONE,
    "submit/text": "s" * 25,
    "close/text": "c" * 25,
    "private_metadata": "p" * 3001,
    "callback_id": "c" * 256,
    "notify_on_close": "yes",
    "external_id": "x",
    "hash": "1.2",
    "blocks": [{"type": "divider"}] * 101,
    "blocks/0/label": marked("l"),
    "blocks/0/label/text": "l" * 2001,
    "blocks/0/hint/text": "h" * 2001,
    "blocks/0/element": BUTTON,
    "blocks/0/element/max_length": 3001,
    "blocks/0/element/min_length": 3001,
    "blocks/0/element/placeholder/text": "p" * 151,
    "blocks/0/element/dispatch_action_config/trigger_actions_on": ["always"],
    "blocks/1/element/focus_on_load": True,
    "blocks/3/element/options": options(11),
    "blocks/4/block_id": "answer",
}


@pytest.mark.parametrize("path", MODALS)
def test_a_modal_past_a_limit_is_refused_with_a_pointer(path: str) -> None:
    found = view_problems(changed(MODAL, path, MODALS[path]))
    assert found
    assert all("[json-pointer:/view" in problem for problem in found)


@pytest.mark.parametrize("lengths", [{"max_length": 279}, {"min_length": 9, "max_length": 8}])
def test_a_text_input_keeps_its_own_lengths(lengths: Json) -> None:
    element = {**TEXT_INPUT, **lengths}
    assert view_problems(changed(MODAL, "blocks/0/element", element))


@pytest.mark.parametrize("name", ["title", "submit", "close", "notify_on_close"])
def test_a_home_tab_has_nothing_of_a_modal(name: str) -> None:
    assert view_problems({**HOME, name: MODAL[name]})


@pytest.mark.parametrize("view", [None, [], "{}", {}, {"type": ["modal"]}])
def test_what_is_no_view_is_refused(view: object) -> None:
    assert view_problems(view)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        [],
        {"event_type": "case"},
        {"event_type": "", "event_payload": {}},
        {"event_type": "a case", "event_payload": {}},
        {"event_type": "case", "event_payload": []},
        {"event_type": "case", "event_payload": {"case": {"id": "77"}}},
        {"event_type": "case", "event_payload": {"case": None}},
        {"event_type": "case", "event_payload": {}, "more": 1},
    ],
)
def test_metadata_that_is_not_flat_is_refused(metadata: object) -> None:
    assert metadata_problems(metadata)


def test_flat_metadata_is_taken() -> None:
    payload = {"case": "77", "attempt": 2, "threaded": True}
    assert metadata_problems({"event_type": "a_case", "event_payload": payload}) == []


def test_texts_are_counted_wherever_they_stand() -> None:
    quote = {"type": "rich_text_quote", "elements": [text("ab"), text("c")]}
    blocks = [{"type": "rich_text", "elements": [quote]}, {"type": "header", "text": plain("de")}]
    assert slack_blocks.characters(blocks) == 5
