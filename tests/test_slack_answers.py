"""What `/classify` and `/triage` answer, and what their buttons bring back."""

import json
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from bot import cases, deeds, tryouts
from bot.cases import Case, Effect
from bot.errors import Refused
from bot.notices import Incident
from bot.probes import AUTHOR
from bot.slack.looks.answers import (
    MISSED,
    MOST_FOUND,
    MOST_OPEN,
    NEEDLESS,
    classify_help,
    found_answer,
    hint,
    judged,
    labelled,
    open_answer,
    said,
    shared_answer,
    status_answer,
    threshold_question,
    told,
    triage_help,
    verdict_answer,
)
from bot.slack.looks.blocks import heard
from bot.slack.looks.cards import card_link
from bot.standing import Counts, Status
from bot.thresholds import Changed, Chosen
from bot.twitter.optouts import OptedOutBy
from bot.twitter.pause import Paused
from bot.verdicts import Verdict, Weight
from tests.examples import NOON, case
from tests.looks import assert_as_before, kept
from tests.standins import slack_blocks
from tests.test_cards import (
    CHANNEL,
    HOSTILE,
    JUDGED,
    MOVED,
    any_case,
    any_verdict,
    assert_inert,
    assert_slack_takes,
    carded,
    elements,
    nodes,
    quotes,
    replied,
    tweeted,
)
from tests.test_cards import said as read

NOW = NOON + timedelta(hours=4, minutes=2)
TEXT = "My parcel, NEVER came!"
MOVING = replace(JUDGED, words=MOVED)
CALM = Verdict(0.12, 0.5, "thanks i am happy", "starter")
REASON = "The model thinks it needs a person (91% confident)."
SORRY = "Sorry to hear that. Which parcel is it?"


def link(one: Case) -> str | None:
    return card_link(one, CHANNEL)


def numbered(number: int, **changes: Any) -> Case:
    """A case with an id of its own that came in so many minutes after noon."""
    at = NOON + timedelta(minutes=number)
    return tweeted(case(received_at=at, **changes), id=str(number), root_id=str(number))


def listed(found: list[Case], *, mine: bool = False) -> dict[str, Any]:
    return open_answer(found, mine, link, NOW)


def found(
    those: list[Case],
    handle: str | None = None,
    *,
    muted: bool | None = None,
    opted_out: OptedOutBy | None = None,
) -> dict[str, Any]:
    return found_answer(those, link, muted, opted_out, handle, NOW)


QUIET = Status(
    at=NOW,
    counts=Counts(),
    queues={"tweets": (0, 0), "cards": (0, 0)},
    open_cases=0,
    unclaimed=0,
    model="starter",
    threshold=0.5,
    threshold_by="model",
)
BUSY = Status(
    at=NOW,
    counts=Counts(
        hour={"escalate": 1, "reply": 3},
        day={"escalate": 61, "reply": 1_200, "skip": 151},
        last_at=NOON,
        floor=True,
    ),
    queues={"tweets": (12, 0), "cards": (3, 2), "replies": (0, 1)},
    open_cases=7,
    unclaimed=4,
    model="starter",
    threshold=0.62,
    threshold_by=Chosen(0.62, "U0AGENT", NOON),
    classifier_up=False,
    paused=Paused("W0OTHER", NOON),
    incident=Incident("classifier", NOON, waiting=12),
    cost=12_345_678,
    budget_left=7_654_322,
    reads_left=1,
)
SKIPPED = numbered(4, route="skip")
FOUND = [
    carded(numbered(1)),
    carded(deeds.claimed(numbered(2), "U0AGENT", NOON)),
    deeds.resolved(numbered(3), "U0AGENT", NOON),
    replace(replied("sent"), route="reply"),
    SKIPPED,
    cases.erased(numbered(5), NOON),
]
MORE = tuple(numbered(n, verdict=replace(JUDGED, probability=0.55)) for n in range(5))
FEWER = (numbered(9, verdict=CALM),)

LOOKS = {
    "classify_help": classify_help(),
    "command_yes": verdict_answer(TEXT, MOVING, unsure=False, answer=None, reasons=(REASON,)),
    "command_no": verdict_answer("Thanks!", CALM, unsure=False, answer=SORRY),
    "command_unsure": verdict_answer(
        "hm", Verdict(0.45, 0.5, "hm", "starter"), unsure=True, answer=None, reasons=("Muted.",)
    ),
    "command_unknown": verdict_answer(
        "😡", Verdict(0.5, 0.5, "", "starter", False), unsure=False, answer=None
    ),
    "command_by_rule": verdict_answer(
        "Thanks, the toaster burns", CALM, unsure=False, answer=None,
        reasons=("Danger («burns»)",), route="escalate",
    ),
    "command_too_long_for_buttons": verdict_answer("a " * 1_500, CALM, unsure=False, answer=None),
    "command_shared": shared_answer(TEXT, MOVING, "U0AGENT", reasons=(REASON,)),
    "command_shared_with_its_answer": shared_answer("Thanks!", CALM, "U0AGENT", answer=SORRY),
    "triage_help": triage_help(),
    "hint": hint("statsu"),
    "hint_without_a_guess": hint("<!here> fly me to the moon, and quickly"),
    "status_of_a_quiet_bot": status_answer(QUIET),
    "status_of_a_busy_bot": status_answer(BUSY),
    "status_with_the_setting": status_answer(
        replace(QUIET, threshold_by="setting", classifier_up=True, cost=0)
    ),
    "open": listed([carded(numbered(2)), numbered(1, verdict=None), deeds.claimed(
        numbered(3, unsure=True), "W0OTHER", NOW)]),
    "open_mine": listed([deeds.claimed(numbered(1), "U0AGENT", NOW)], mine=True),
    "open_none": listed([]),
    "open_none_of_mine": listed([], mine=True),
    "threshold": threshold_question(0.62, 0.5, Changed(200, MORE, FEWER)),
    "threshold_that_changes_nothing": threshold_question(0.501, None, Changed(1, (), ())),
    "found_by_handle": found(FOUND, "@river_example", muted=True, opted_out="agent"),
    "found_quiet_by_own_word": found([], "@river_example", muted=False, opted_out="author"),
    "found_by_id": found([carded(numbered(1))]),
    "found_without_a_card": found([SKIPPED]),
    "found_and_labelled": found([deeds.labelled(SKIPPED, "U0AGENT", NOW, escalate=False)]),
    "found_none": found([]),
    "found_none_of_a_handle": found([], "@nobody", muted=False),
    "said": said("Automatic replies go out again."),
    "told": told("U0AGENT claimed it first, at 12:30 UTC: ask them, or release it."),
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_an_answer_looks_as_it_did(look: str) -> None:
    assert_as_before("answers", look, LOOKS[look])
    assert_slack_takes(LOOKS[look])
    assert_inert(LOOKS[look])


def test_every_golden_file_is_looked_at() -> None:
    assert kept("answers") == set(LOOKS)


class TestAnyText:
    @pytest.mark.parametrize("text", HOSTILE)
    def test_slack_takes_a_verdict_on_any_text(self, text: str) -> None:
        moved = tuple(Weight(word, 0.2) for word in (*HOSTILE[:3], "x" * 900))
        verdict = replace(JUDGED, tokens=text, words=moved)
        for message in (
            verdict_answer(text, verdict, unsure=True, answer=text, reasons=(text,) * 20),
            shared_answer(text, verdict, "U0AGENT", answer=text, reasons=(text,) * 20),
            hint(text),
            said(text),
            status_answer(replace(BUSY, model=text)),
        ):
            assert_slack_takes(message)
            assert_inert(message)

    def test_slack_takes_any_cases(self) -> None:
        for seed in range(150):
            dice = Random(seed)  # noqa: S311
            made = [any_case(dice) for _ in range(dice.choice((1, 3, 40)))]
            verdict = any_verdict(dice) or JUDGED
            for message in (
                listed(made, mine=dice.random() < 0.5),
                found(made, dice.choice(HOSTILE), muted=True, opted_out="agent"),
                found(made),
                threshold_question(dice.random(), 0.5, Changed(200, tuple(made), tuple(made))),
                verdict_answer(made[0].tweet.text, verdict, unsure=False, answer=None),
            ):
                assert_slack_takes(message)
                assert_inert(message)

    @pytest.mark.parametrize("text", HOSTILE)
    def test_slack_takes_any_sentence(self, text: str) -> None:
        assert slack_blocks.problems(told(text)) == []
        assert 0 < len(told(text)["text"]) <= 3_900


class TestAVerdict:
    def test_says_what_it_says_to_those_who_listen(self) -> None:
        assert LOOKS["command_yes"]["text"].startswith(
            "Escalate: yes The model is quite sure: 91% that it needs a person. "
            "My parcel, NEVER came! For a person: never Against: my parcel"
        )

    def test_marks_the_words_that_moved_it(self) -> None:
        [quote] = quotes(LOOKS["command_yes"])
        styles = {part["text"]: part.get("style") for part in quote}
        assert styles["NEVER"] == {"bold": True}
        assert styles["My parcel"] == {"italic": True}

    @pytest.mark.parametrize(
        ("verdict", "route", "headline"),
        [
            (JUDGED, None, "Escalate: yes"),
            (CALM, None, "Escalate: no"),
            (CALM, "escalate", "Escalate: yes"),
            (JUDGED, "reply", "Escalate: no"),
            (JUDGED, "skip", "Escalate: no"),
        ],
    )
    def test_the_rules_have_the_last_word(
        self, verdict: Verdict, route: Any, headline: str
    ) -> None:
        shown = read(verdict_answer(TEXT, verdict, unsure=False, answer=None, route=route))
        assert shown.startswith(headline)

    def test_says_what_the_bot_would_answer_or_that_it_would_not(self) -> None:
        assert f"The bot would answer:{SORRY}" in read(LOOKS["command_no"])
        assert "A person would see it: the bot would not answer." in read(LOOKS["command_yes"])
        assert "would" not in read(LOOKS["command_shared"])

    @pytest.mark.parametrize(
        "text", [*[text for text in HOSTILE if len(text) < 900], "é" * 1_900, "😡" * 900, '"' * 900]
    )
    def test_its_buttons_bring_the_text_back(self, text: str) -> None:
        pressed = elements(verdict_answer(text, CALM, unsure=False, answer=None))
        assert [element["action_id"] for element in pressed] == ["right", "wrong", "share"]
        assert [judged(element) for element in pressed] == [(text, False)] * 3
        assert not set(pressed[0]["value"]) & set("&<>")

    @pytest.mark.parametrize("text", ["x" * 2_000, "😡" * 1_000, "&" * 400, '"' * 1_000])
    def test_a_text_that_no_button_can_carry_has_none(self, text: str) -> None:
        message = verdict_answer(text, CALM, unsure=False, answer=None)
        assert elements(message) == []
        assert "too long to be called right or wrong" in read(message)

    @pytest.mark.parametrize(
        "action",
        [
            {},
            {"value": None},
            {"value": ""},
            {"value": "hello"},
            {"value": "1"},
            {"value": "{}"},
            {"value": '{"text": 1}'},
            {"value": '{"text": null}'},
            {"value": '["text"]'},
            {"value": {"text": "x"}},
        ],
    )
    def test_a_button_of_another_kind_is_refused(self, action: dict[str, Any]) -> None:
        with pytest.raises(Refused, match="once more"):
            judged(action)

    def test_what_is_shared_has_no_buttons_and_says_who_asked(self) -> None:
        assert elements(LOOKS["command_shared"]) == []
        assert LOOKS["command_shared"]["text"].startswith("<@U0AGENT> asked about: Escalate: yes")


class TestHints:
    @pytest.mark.parametrize(
        ("word", "meant"),
        [
            ("statsu", "did you mean status?"),
            ("STATUS!", "did you mean status?"),
            ("thresold", "did you mean threshold?"),
            ("resum", "did you mean resume?"),
            ("fly", "use status, open, find, pause, resume, threshold, help."),
        ],
    )
    def test_a_word_that_is_near_is_named(self, word: str, meant: str) -> None:
        assert read(hint(word)) == f"I do not know «{word}»: {meant}"

    def test_every_word_of_the_help_is_explained(self) -> None:
        shown = read(triage_help())
        for word in ("status", "open mine", "find @handle", "pause", "resume", "threshold 0.6"):
            assert word in shown


class TestTheStatus:
    def test_of_a_busy_bot(self) -> None:
        shown = read(LOOKS["status_of_a_busy_bot"])
        for sentence in (
            "Last hour: 4 tweets, 1 for a person (25%), 3 for the bot, 0 skipped.",
            "61 for a person (4%), 1,200 for the bot, 151 skipped.",
            ", 4 h 2 min ago.",
            "7 open cases, 4 of them unclaimed.",
            "Queues: 12 of tweets, 3 of cards waiting.",
            "Dead letters: 2 of cards, 1 of replies.",
            "The classifier does not answer, since ",
            "Model: starter, which does not answer now.",
            "Threshold: 0.62, set by ",
            "Automatic replies are paused by ",
            "X this month: $12.35; left: $7.65, 1 post to read.",
        ):
            assert sentence in shown
        text = LOOKS["status_of_a_busy_bot"]["text"]
        assert "set by <@U0AGENT> 2026-11-02 12:00 UTC." in text
        assert "paused by <@W0OTHER> since 2026-11-02 12:00 UTC." in text

    def test_of_a_quiet_one(self) -> None:
        shown = read(LOOKS["status_of_a_quiet_bot"])
        for sentence in (
            "Last hour: no tweets.",
            "No tweet has come yet.",
            "No case is open.",
            "Queues: nothing waiting.",
            "Model: starter.",
            "Threshold: 0.5, the model's own.",
            "Automatic replies are not held back.",
        ):
            assert sentence in shown
        for nothing in ("Dead", "X this month", "since"):
            assert nothing not in shown


class TestLists:
    def test_the_longest_waiting_comes_first_and_the_rest_is_counted(self) -> None:
        message = listed([carded(numbered(n)) for n in reversed(range(30))])
        shown = read(message)
        assert "30 open cases waiting for a person" in shown
        assert shown.count("its card") == MOST_OPEN
        assert shown.index("4 h 2 min · 91% that") < shown.index("4 h 1 min · 91% that")
        assert "… and 10 more." in shown

    def test_what_is_found_comes_newest_first_with_what_became_of_it(self) -> None:
        shown = read(LOOKS["found_by_handle"])
        for sentence in (
            "The newest cases of @river_example:",
            "waits for a person",
            "claimed by ",
            "resolved by ",
            "the bot's answer is public",
            "skipped",
            "deleted",
        ):
            assert sentence in shown
        assert shown.index("3 h 57 min ago") < shown.index("4 h 1 min ago")
        many = read(found([numbered(n) for n in range(40)], "@river_example"))
        assert many.count("see it on X") == MOST_FOUND
        assert "… and 30 more." in many

    @pytest.mark.parametrize(
        "made",
        [
            SKIPPED,
            numbered(4, route="reply"),
            numbered(4, route="skip", effects=(Effect("card", "failed"),)),
            deeds.labelled(SKIPPED, "U0AGENT", NOW, escalate=False),
        ],
    )
    def test_what_has_no_card_can_be_labelled_either_way(self, made: Case) -> None:
        for handle in (None, "@river_example"):
            offered = elements(found([carded(numbered(1)), made], handle))
            assert [one["action_id"] for one in offered] == [MISSED, NEEDLESS]
            assert {labelled(one) for one in offered} == {("4", handle or "4")}

    @pytest.mark.parametrize(
        "made",
        [
            carded(numbered(4)),
            carded(numbered(4, route="reply")),
            numbered(4, route="skip", effects=(Effect("card", "pending"),)),
            cases.erased(SKIPPED, NOW),
            replace(SKIPPED, reasons=(tryouts.REASON,)),
            tweeted(SKIPPED, author=AUTHOR, source="webhook"),
        ],
        ids=["escalated", "answer failed", "on its way", "erased", "tried", "smoke test"],
    )
    def test_what_has_one_or_is_no_post_is_not_labelled_there(self, made: Case) -> None:
        assert elements(found([made])) == []

    def test_who_labelled_it_is_told(self) -> None:
        assert "says that it needs nobody" in read(LOOKS["found_and_labelled"])
        assert "<@U0AGENT> says that it needs nobody" in LOOKS["found_and_labelled"]["text"]

    @pytest.mark.parametrize(
        ("muted", "opted_out", "ids"),
        [
            (True, None, ["unmute"]),
            (False, "agent", ["opt in"]),
            (True, "agent", ["unmute", "opt in"]),
            (False, "author", []),
            (True, "author", ["unmute"]),
            (False, None, []),
            (None, None, []),
        ],
    )
    def test_what_agents_did_to_an_author_can_be_undone(
        self, muted: bool | None, opted_out: OptedOutBy | None, ids: list[str]
    ) -> None:
        offered = elements(found([], "@river_example", muted=muted, opted_out=opted_out))
        assert [element["action_id"] for element in offered] == ids
        assert {element["value"] for element in offered} <= {"@river_example"}

    def test_nothing_is_offered_for_what_is_no_handle(self) -> None:
        assert elements(found([], "@" + "x" * 3_000, muted=True, opted_out="agent")) == []


class TestTheThreshold:
    def test_shows_three_examples_each_way_and_asks(self) -> None:
        shown = read(LOOKS["threshold"])
        assert "It is 0.5 now. Tried on the newest judged cases (200):" in shown
        assert "5 more for a person, such as" in shown
        assert "1 no longer for a person, such as" in shown
        assert shown.count("(0.55)") == 3
        assert shown.count("(0.12)") == 1

    def test_the_button_sets_exactly_what_was_asked_for(self) -> None:
        for value in (0.62, 0.123456789012, 1.0, 1e-07):
            [yes, no] = elements(threshold_question(value, 0.5, Changed(200, (), ())))
            assert (yes["action_id"], float(yes["value"]), yes["style"]) == (
                *("threshold", value), "primary",
            )  # fmt: skip
            assert no["action_id"] == "leave"
            assert "style" not in no


class TestSentences:
    @pytest.mark.parametrize(
        ("sentence", "text"),
        [
            ("U0AGENT claimed it first.", "<@U0AGENT> claimed it first."),
            ("Ask U0AGENT or W0OTHER", "Ask <@U0AGENT> or <@W0OTHER>"),
            ("Ask (UABCDEFGH)", "Ask (<@UABCDEFGH>)"),
            ("At 12:30 UTC, the URL of XU0AGENT", "At 12:30 UTC, the URL of XU0AGENT"),
            ("Set USERS and X_USER_ID", "Set USERS and X_USER_ID"),
            ("UPDATED with a U2F key", "UPDATED with a U2F key"),
            ("<!here> & <@U0AGENT>", "&lt;!here&gt; &amp; &lt;@<@U0AGENT>&gt;"),
            ("", "—"),
        ],
    )
    def test_people_are_mentioned_and_all_else_is_escaped(self, sentence: str, text: str) -> None:
        assert told(sentence)["text"] == text

    def test_nobody_is_mentioned_by_a_plain_one(self) -> None:
        message = said("<@U0AGENT> & U0AGENT")
        assert message["text"] == "&lt;@U0AGENT&gt; &amp; U0AGENT"
        assert [node for node in nodes(message) if node.get("type") == "user"] == []

    def test_what_is_heard_is_cut_between_mentions_and_entities(self) -> None:
        for most in range(1, 60):
            text = heard(told("Ask U0AGENT & W0OTHER & all the others")["blocks"], most)
            assert len(text) <= most
            assert_inert({"text": text.removesuffix("…"), "blocks": []})


def test_answers_are_plain_json_without_what_only_the_sender_knows() -> None:
    for message in LOOKS.values():
        assert json.loads(json.dumps(message)) == message
        assert message.keys() == {"text", "blocks"}
