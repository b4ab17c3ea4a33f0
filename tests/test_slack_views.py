"""The modals in which an agent writes what becomes public, and what is read of them again."""

import json
from random import Random
from typing import Any

import pytest

from bot.cases import erased
from bot.deeds import claimed
from bot.errors import Refused
from bot.slack.looks.views import (
    ANSWER,
    asked,
    confirmed,
    errors,
    preview_view,
    reply_view,
    said_view,
)
from bot.tweets import Author
from bot.twitter.lengths import weighted_length
from tests.examples import NOON, case
from tests.looks import assert_as_before, kept
from tests.standins import slack_blocks
from tests.test_cards import HOSTILE, any_case, assert_inert, nodes, replied, tweeted

TEXT = "Sorry to hear that.\nWhich parcel is it?"
X_POST = tweeted(case(), source="webhook", answer=True)
FAMILY = "👩‍❤️‍💋‍👨"
FULL = {
    "letters": "x" * 280,
    "ampersands": "&" * 280,
    "quotes and backslashes": '"\\' * 140,
    "lines": "x\n" * 139 + "x",
    "families": FAMILY * 140,
    "a long link": "https://example.com/" + "a?&" * 200,
}
"""Texts that X takes, and that grow in JSON, in UTF-16 or by Slack's escaping."""
LOOKS = {
    "reply": reply_view(X_POST, TEXT, account="acme"),
    "reply_without_a_draft": reply_view(X_POST, ""),
    "reply_to_a_file": reply_view(case(), TEXT),
    "reply_after_one_that_failed": reply_view(
        replied("failed", "U0AGENT", problem="X refuses it."), TEXT
    ),
    "reply_after_one_that_may_be_public": reply_view(replied("unknown"), TEXT),
    "reply_to_a_case_of_another": reply_view(claimed(X_POST, "W0OTHER", NOON), TEXT, who="U0AGENT"),
    "preview": preview_view(X_POST, TEXT, account="@acme"),
    "preview_with_a_link": preview_view(X_POST, "See https://example.com/help"),
    "preview_without_a_handle": preview_view(tweeted(X_POST, author=Author(name="Kim")), TEXT),
    "preview_for_a_file": preview_view(case(), TEXT),
    "preview_hostile": preview_view(X_POST, HOSTILE[0] + HOSTILE[1] + HOSTILE[3]),
    "said": said_view("Reply", "U0AGENT claimed it first, at 12:30 UTC: ask them, or release it."),
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_modal_looks_as_it_did(look: str) -> None:
    assert_as_before("views", look, LOOKS[look])
    assert_slack_takes(LOOKS[look])


def test_every_golden_file_is_looked_at() -> None:
    assert kept("views") == set(LOOKS)


class TestAnyText:
    def test_slack_takes_a_form_for_any_case_and_draft(self) -> None:
        for seed in range(300):
            dice = Random(seed)  # noqa: S311
            made = any_case(dice)
            if made.erased:
                continue
            made = tweeted(made, answer=dice.random() < 0.5)
            for draft in dice.sample(HOSTILE, k=2):
                assert_slack_takes(reply_view(made, draft, account=draft[:60]))
            assert_slack_takes(preview_view(made, dice.choice(HOSTILE)[:200], account="acme"))

    @pytest.mark.parametrize("text", HOSTILE)
    def test_slack_takes_any_sentence_and_any_error(self, text: str) -> None:
        assert slack_blocks.view_problems(said_view(text, text)) == []
        [sentence] = errors(text)["errors"].values()
        assert 0 < len(sentence) <= 2_000

    @pytest.mark.parametrize("text", FULL.values(), ids=FULL)
    def test_whatever_x_takes_is_carried_to_the_second_form_and_back(self, text: str) -> None:
        assert weighted_length(text) <= 280
        assert asked(submitted(reply_view(X_POST, ""), text)) == (X_POST.id, text)
        view = preview_view(X_POST, text)
        assert_slack_takes(view)
        assert confirmed(view) == (X_POST.id, text)
        assert not set(view["private_metadata"]) & set("&<>")

    def test_a_text_that_slack_could_not_carry_is_refused_beside_the_field(self) -> None:
        for text in ("x" * 3_000, "😡" * 1_500, "&" * 600):
            with pytest.raises(Refused, match="shorten it"):
                asked(submitted(reply_view(X_POST, ""), text))
            with pytest.raises(Refused, match="shorten it"):
                preview_view(X_POST, text)


class TestTheForm:
    def test_begins_with_the_draft(self) -> None:
        [field] = fields(reply_view(X_POST, TEXT))
        assert field["initial_value"] == TEXT
        assert "initial_value" not in fields(reply_view(X_POST, ""))[0]

    def test_takes_more_characters_than_x_counts_in_a_link(self) -> None:
        [field] = fields(reply_view(X_POST, "x" * 5_000))
        assert field["max_length"] == len(field["initial_value"]) == 1_000

    def test_shows_the_post_and_what_became_of_an_answer_before(self) -> None:
        made = replied("failed", "U0AGENT", problem="X refuses it.")
        shown = said(reply_view(made, ""))
        assert "My parcel never came!" in shown
        assert "The last answer failed: X refuses it." in shown
        assert "The bot's answer failed: it broke." in said(
            reply_view(replied("failed", problem="it broke."), "")
        )
        assert "public already" in said(reply_view(replied("sent"), ""))
        assert "may be public already" in said(reply_view(replied("sending"), ""))

    def test_tells_who_else_has_the_case_and_since_when(self) -> None:
        view = LOOKS["reply_to_a_case_of_another"]
        [found] = [node for node in nodes(view) if node.get("type") == "user"]
        assert found["user_id"] == "W0OTHER"
        [since] = [node for node in nodes(view) if node.get("type") == "date"]
        assert since["timestamp"] == NOON.timestamp()
        assert " has it since ." in said(view)

    @pytest.mark.parametrize("who", [None, "U0AGENT"])
    def test_tells_nobody_of_their_own_case_or_of_one_that_is_free(self, who: str | None) -> None:
        made = claimed(X_POST, who, NOON) if who else X_POST
        assert "has it" not in said(reply_view(made, "", who="U0AGENT"))

    def test_is_not_offered_for_a_post_that_is_gone(self) -> None:
        with pytest.raises(Refused, match="nothing to answer"):
            reply_view(erased(X_POST, NOON), TEXT)

    def test_says_where_the_answer_is_only_recorded(self) -> None:
        for view in (reply_view(case(), TEXT), preview_view(case(), TEXT)):
            assert "came from a file: the answer is recorded, not sent." in said(view)
            assert "public" not in said(view)


class TestThePreview:
    def test_shows_the_text_exactly(self) -> None:
        text = "Sorry,  @sam :smile: *really*\n\n<!here> & so on"
        [shown] = [
            n for n in nodes(preview_view(X_POST, text)) if n.get("type", "").endswith("quote")
        ]
        assert shown["elements"] == [{"type": "text", "text": text}]

    @pytest.mark.parametrize(
        ("text", "figures"),
        [
            ("Hello", "5 of 280 characters as X counts them · costs $0.010"),
            ("See https://example.com/a", "27 of 280 characters as X counts them · costs $0.200"),
            ("😡", "2 of 280 characters as X counts them · costs $0.010"),
        ],
    )
    def test_counts_as_x_does_and_says_what_it_costs(self, text: str, figures: str) -> None:
        assert figures in said(preview_view(X_POST, text))

    def test_says_under_whose_post_and_in_whose_name(self) -> None:
        shown = said(preview_view(X_POST, TEXT, account="acme"))
        assert "This will be public, under @river_example's post, in the name of @acme:" in shown

    def test_carries_what_sending_needs_and_nothing_else(self) -> None:
        carried = json.loads(preview_view(X_POST, TEXT)["private_metadata"])
        assert carried == {"case": X_POST.id, "text": TEXT}


class TestWhatIsReadAgain:
    def test_blanks_around_an_answer_are_left_out(self) -> None:
        view = submitted(reply_view(X_POST, TEXT), "  Hello \n")
        assert asked(view) == (X_POST.id, "Hello")

    def test_an_empty_field_is_an_empty_text(self) -> None:
        assert asked(submitted(reply_view(X_POST, TEXT), None)) == (X_POST.id, "")

    @pytest.mark.parametrize(
        "changes",
        [
            {"private_metadata": None},
            {"private_metadata": ""},
            {"private_metadata": "{"},
            {"private_metadata": "[" * 100_000},
            {"private_metadata": "[]"},
            {"private_metadata": "null"},
            {"private_metadata": '"case"'},
            {"private_metadata": "{}"},
            {"private_metadata": '{"case": 1, "text": "x"}'},
            {"private_metadata": '{"case": "a case", "text": "x"}'},
            {"private_metadata": ["case"]},
        ],
    )
    def test_what_is_damaged_is_refused_in_one_sentence(self, changes: dict[str, Any]) -> None:
        view = submitted(preview_view(X_POST, TEXT), "Hello") | changes
        for read in (asked, confirmed):
            with pytest.raises(Refused, match="once more"):
                read(view)

    @pytest.mark.parametrize(
        "state",
        [
            None,
            {},
            {"values": None},
            {"values": []},
            {"values": {}},
            {"values": {"answer": None}},
            {"values": {"answer": {}}},
            {"values": {"answer": {"text": "Hello"}}},
            {"values": {"answer": {"text": {}}}},
            {"values": {"answer": {"text": {"value": 1}}}},
            {"values": {"answer": {"text": {"value": ["Hello"]}}}},
        ],
    )
    def test_so_is_one_without_its_field(self, state: Any) -> None:
        with pytest.raises(Refused, match="press Reply once more"):
            asked({**reply_view(X_POST, TEXT), "state": state})

    def test_a_form_that_carries_nothing_is_refused(self) -> None:
        views: list[dict[str, Any]] = [{}, {"state": {}}, said_view("Reply", "Gone.")]
        for view in views:
            for read in (asked, confirmed):
                with pytest.raises(Refused):
                    read(view)

    def test_the_text_cannot_be_sent_from_the_first_form(self) -> None:
        with pytest.raises(Refused):
            confirmed(submitted(reply_view(X_POST, TEXT), TEXT))


def test_an_error_stands_beside_the_field() -> None:
    [block] = [b for b in reply_view(X_POST, "")["blocks"] if b["type"] == "input"]
    assert errors("It is empty.") == {
        "response_action": "errors",
        "errors": {block["block_id"]: "It is empty."},
    }


def test_people_are_mentioned_and_utc_is_not() -> None:
    users = [n["user_id"] for n in nodes(LOOKS["said"]) if n.get("type") == "user"]
    assert users == ["U0AGENT"]
    assert "at 12:30 UTC" in said(LOOKS["said"])


def submitted(view: dict[str, Any], text: str | None) -> dict[str, Any]:
    """What Slack sends of it."""
    field = {"type": "plain_text_input", "value": text}
    return {**view, "state": {"values": {ANSWER: {"text": field}}}}


def fields(view: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in nodes(view["blocks"]) if node.get("type") == "plain_text_input"]


def said(view: dict[str, Any]) -> str:
    found = (node.get("text") for node in nodes(view["blocks"]))
    return "".join(text for text in found if isinstance(text, str))


def assert_slack_takes(view: dict[str, Any]) -> None:
    assert slack_blocks.view_problems(view) == []
    assert_inert({"text": "", "blocks": view["blocks"]})
