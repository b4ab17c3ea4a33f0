"""Cards as Slack blocks: golden files for how they look, Slack's own limits for any text.

After a wanted change: `UPDATE_GOLDEN=1 python -m pytest tests/test_cards.py`, and read the diff.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.cases import Case
from bot.slack.cards import LONGEST_TEXT, card, escaped, verdict_answer
from bot.tweets import Author
from bot.verdicts import Verdict, Weight
from tests.examples import case
from tests.standins import slack_blocks

GOLDEN = Path(__file__).parent / "golden"
ENTITY = re.compile("&(amp|lt|gt);")

# What authors of posts may try: commands, markup, links, reversed writing, sheer length.
HOSTILE = [
    "<!channel> <!here> <!everyone> @channel",
    "<@U0AGENT> <#C0SUPPORT|x> <https://evil.example|your bank>",
    "<script>alert(1)</script> & &amp; &lt;",
    "*bold* _it_ ~gone~ `code` ```block``` > quote",
    "\u202egnol si siht\u202c \u2067abc\u2069",
    "\0\x1b[31m\r\n\t\u2028\ufeff",
    "👩‍👩‍👧‍👦" * 3_000,
    "&" * 25_000,
    "<" * 25_000,
    "x" * 25_000,
    "",
    " ",
]
texts = st.sampled_from(HOSTILE) | st.text(max_size=400) | st.text("&<>;amp lt@!", max_size=9_000)
authors = st.builds(
    Author,
    handle=st.none() | st.sampled_from([text for text in HOSTILE if text]) | st.text(min_size=1),
)
reasons = st.lists(texts, max_size=60).map(tuple)
moving = st.builds(
    Weight, st.sampled_from(["x", "amp", "lt", "channel here", "a"]), st.sampled_from([0.4, -0.1])
)


def tweeted(changed: Case, **fields: Any) -> Case:
    return replace(changed, tweet=replace(changed.tweet, **fields))


JUDGED = Verdict(0.91, 0.5, "my parcel never came", "starter")
MOVED = (Weight("never", 0.25), Weight("my parcel", -0.08))

LOOKS: dict[str, dict[str, Any]] = {
    "open": card(case()),
    "unsure": card(case(unsure=True)),
    "with_words_that_moved_it": card(
        case("My parcel, NEVER came!", verdict=replace(JUDGED, words=MOVED))
    ),
    "claimed": card(case(assignee="U0AGENT")),
    "claimed_at_the_console": card(case(assignee="the console")),
    "resolved": card(case(assignee="U0AGENT", resolved=True)),
    "goes_on": card(case(thread="1", assignee="U0AGENT"), case(assignee="U0AGENT")),
    "goes_on_unclaimed": card(case(thread="1"), case(assignee="U0AGENT")),
    "erased": card(
        tweeted(
            case(
                erased=True,
                resolved=True,
                reasons=("Its author deleted it, or its erasure was asked for.",),
            ),
            text="",
            author=Author(),
        )
    ),
    "without_words": card(tweeted(case(reasons=("It has no words to judge.",)), text="")),
    "not_judged": card(case(verdict=None)),
    "from_a_file": card(tweeted(case(), id="file-3", root_id="file-3", author=Author())),
    "hostile": card(case(HOSTILE[0] + HOSTILE[1])),
    "command_yes": verdict_answer(
        "I am angry", Verdict(0.8, 0.5, "i am angry", "starter"), unsure=False
    ),
    "command_unsure": verdict_answer("hm", Verdict(0.45, 0.5, "hm", "starter"), unsure=True),
    "command_unknown": verdict_answer("😡", Verdict(0.5, 0.5, "", "starter", False), unsure=False),
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_a_card_looks_as_it_did(look: str) -> None:
    file = GOLDEN / f"{look}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(LOOKS[look], indent=2, ensure_ascii=False) + "\n", "utf-8")
    assert LOOKS[look] == json.loads(file.read_text("utf-8"))


def test_every_golden_file_is_looked_at() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(LOOKS)


@given(
    text=texts,
    author=authors,
    why=reasons,
    who=st.none() | st.text(min_size=1, max_size=40),
    words=st.lists(moving, max_size=12).map(tuple),
    joins=st.booleans(),
)
@example(
    text="x" * 25_000,
    author=Author(handle="y" * 25_000),
    why=("z" * 25_000,) * 60,
    who=None,
    words=(),
    joins=False,
)
@example(
    text="a b " * 6_000, author=Author(), why=(), who=None, words=(Weight("a", 0.5),), joins=True
)
def test_slack_takes_a_card_whatever_the_post_says(
    text: str,
    author: Author,
    why: tuple[str, ...],
    who: str | None,
    words: tuple[Weight, ...],
    *,
    joins: bool,
) -> None:
    made = case(text, reasons=why, verdict=replace(JUDGED, words=words))
    if joins:
        made, head = replace(made, thread="1"), case(assignee=who)
    else:
        made, head = replace(made, assignee=who), None
    message = card(tweeted(made, author=author), head)
    assert_slack_takes(message)
    assert_inert(message)


@pytest.mark.parametrize(("weight", "style"), [(0.00001, "bold"), (-0.00001, "italic")])
def test_a_word_is_bold_where_it_spoke_for_a_person_and_slanted_where_against(
    weight: float, style: str
) -> None:
    verdict = replace(JUDGED, words=(Weight("never", weight),))
    shown = nodes(card(case("It never came", verdict=verdict))["blocks"])
    assert [node for node in shown if "style" in node and node["type"] == "text"] == [
        {"type": "text", "text": "never", "style": {style: True}}
    ]


def test_a_card_shows_all_of_a_post_whatever_is_marked_in_it() -> None:
    verdict = replace(JUDGED, words=(Weight("parcel", 0.2), Weight("came", -0.2)))
    for text in (HOSTILE[1], "My parcel! It came, it never came."):
        blocks = card(case(text, verdict=verdict))["blocks"]
        [quote] = [node for node in nodes(blocks) if node.get("type") == "rich_text_quote"]
        assert "".join(part["text"] for part in quote["elements"]) == text


@given(text=texts, tokens=texts, model=st.text(min_size=1, max_size=60))
def test_slack_takes_the_answer_to_any_command(text: str, tokens: str, model: str) -> None:
    verdict = Verdict(0.5, 0.5, tokens, model)
    message = verdict_answer(text or "?", verdict, unsure=True)
    assert_slack_takes(message)
    assert_inert(message)


@given(text=texts, most=st.integers(20, 100))
@example(text="a" * 15 + "&&&&", most=20)
def test_an_escaped_text_is_cut_between_entities(text: str, most: int) -> None:
    shown = escaped(text, most)
    assert len(shown) <= most
    whole = escaped(text, 10**6)
    assert shown == whole or whole.startswith(shown.removesuffix("…"))
    assert_escaped(shown)


def test_an_escaped_text_is_the_text_itself_where_it_is_plain() -> None:
    assert escaped("Wo ist mein Päckchen? 😡") == "Wo ist mein Päckchen? 😡"
    assert escaped("a & b < c > d &amp;") == "a &amp; b &lt; c &gt; d &amp;amp;"


def test_a_card_says_how_many_reasons_it_leaves_out() -> None:
    shown = json.dumps(card(case(reasons=tuple(f"reason {n}" for n in range(13)))))
    assert "reason 9" in shown
    assert "reason 10" not in shown
    assert "and 3 more." in shown


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("U0AGENT", {"type": "user", "user_id": "U0AGENT"}),
        ("Ursula", {"type": "text", "text": "Ursula"}),
        ("the console", {"type": "text", "text": "the console"}),
    ],
)
def test_a_card_names_whoever_claimed_it(who: str, shown: dict[str, str]) -> None:
    assert shown in nodes(card(case(assignee=who))["blocks"])


def test_only_an_open_case_has_buttons_and_one_of_them_stands_out() -> None:
    [buttons] = [block for block in card(case())["blocks"] if block["type"] == "actions"]
    assert [button["action_id"] for button in buttons["elements"]] == ["claim", "resolve", "open"]
    assert [button.get("style") for button in buttons["elements"]] == ["primary", None, None]
    closed = card(case(resolved=True))["blocks"]
    assert all(block["type"] != "actions" for block in closed)


def assert_slack_takes(message: dict[str, Any]) -> None:
    assert slack_blocks.problems(message) == []
    assert slack_blocks.characters(message["blocks"]) <= slack_blocks.MESSAGE_CHARACTERS
    assert len(message["text"]) <= LONGEST_TEXT
    for node in nodes(message["blocks"]):
        assert node.get("text") != "", "Slack refuses an empty text"
        assert node.get("elements") != [], "Slack refuses an empty list"


def assert_inert(message: dict[str, Any]) -> None:
    """Nothing in it is read as markup, so nothing in it can notify or link."""
    assert_escaped(message["text"])
    kinds = {node.get("type") for node in nodes(message["blocks"])}
    assert kinds.isdisjoint({"mrkdwn", "markdown", "link", "broadcast", "usergroup", "channel"})


def assert_escaped(text: str) -> None:
    rest = ENTITY.sub("", text)
    assert not set(rest) & set("&<>")


def nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every object in it."""
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from nodes(value)
