"""Cards as Slack blocks: golden files for how they look, Slack's own limits for any text.

After a wanted change: `UPDATE_GOLDEN=1 python -m pytest tests/test_cards.py`, and read the diff.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot import cases, deeds
from bot.cases import Case, Channels, Effect, Entry, Label
from bot.errors import Refused
from bot.notices import Digest, Drift, Incident, Notice
from bot.slack.looks.blocks import LONGEST_TEXT, cut, escaped, is_user
from bot.slack.looks.cards import (
    BUTTONS,
    CARD,
    CHOICES,
    LINE,
    MENU,
    OPEN,
    Around,
    card,
    deed_of,
    line,
    mentions_somebody,
)
from bot.slack.looks.notices import lasting, top_words
from bot.tweets import Author, Media
from bot.verdicts import Verdict, Weight
from tests.examples import NOON, case
from tests.standins import slack_blocks

GOLDEN = Path(__file__).parent / "golden"
ENTITY = re.compile("&(amp|lt|gt);")
OURS = re.compile(
    r"https://x\.com/(i/status/[0-9]+|[A-Za-z0-9_]{1,15})"
    r"|https://acme\.slack\.com/archives/C0SUPPORT/p[0-9]+(\?thread_ts=[0-9.]+&cid=C0SUPPORT)?"
)
LINKED = re.compile(r"see it on X|its card|@[A-Za-z0-9_]{1,15}")
CHANNEL = "https://acme.slack.com/archives/C0SUPPORT"
SLACK = Channels(cards_queued=True, replies="on")
SOON = NOON + timedelta(minutes=4)
LATER = NOON + timedelta(hours=1)
AGENTS = ("U0AGENT", "W0OTHER")

# What authors of posts may try: commands, markup, links, reversed writing, sheer length.
HOSTILE = [
    "<!channel> <!here> <!everyone> @channel",
    "<@U0VICTIM> <#C0SUPPORT|x> <https://evil.example|your bank>",
    "<script>alert(1)</script> & &amp; &lt;",
    "*bold* _it_ ~gone~ `code` ```block``` > quote",
    "\u202egnol si siht\u202c \u2067abc\u2069",
    "\0\x1b[31m\r\n\t\u2028\ufeff",
    "👩‍👩‍👧‍👦" * 3_000,
    "&" * 25_000,
    "<" * 25_000,
    "x" * 25_000,
    "&<!channel>*_~" * 1_800,
    "",
    " ",
]
texts = st.sampled_from(HOSTILE) | st.text(max_size=400) | st.text("&<>;amp lt@!", max_size=9_000)
authors = st.builds(
    Author,
    handle=st.none() | st.sampled_from([text for text in HOSTILE if text]) | st.text(min_size=1),
    name=st.none() | texts,
)
reasons = st.lists(texts, max_size=60).map(tuple)
moving = st.builds(
    Weight, st.sampled_from(["x", "amp", "lt", "channel here", "a"]), st.sampled_from([0.4, -0.1])
)


def tweeted(changed: Case, **fields: Any) -> Case:
    return replace(changed, tweet=replace(changed.tweet, **fields))


def carded(changed: Case, outside_id: str = "1761998400.000100") -> Case:
    return cases.put(changed, Effect("card", "sent", outside_id=outside_id))


def replied(state: cases.State, by: str | None = None, **fields: Any) -> Case:
    text = "Sorry to hear that. Which parcel is it?"
    return case(effects=(Effect("reply", state, text=text, by=by, **fields),))


def noticed(notice: Notice) -> Case:
    return case("", route="notice", reasons=(), verdict=None, notice=notice)


def spoke(*words: str, text: str = "My parcel never came!", **fields: Any) -> Case:
    found = tuple(Weight(word, 0.2) for word in words)
    return case(text, verdict=replace(JUDGED, words=found), **fields)


JUDGED = Verdict(0.91, 0.5, "my parcel never came", "starter")
MOVED = (Weight("never", 0.25), Weight("my parcel", -0.08))
CLAIMED = deeds.claimed(case(), "U0AGENT", SOON)
PUBLIC = replied("sent", outside_id="1985000000000000009")
HEAD = deeds.claimed(carded(case()), "U0AGENT", NOON)
EARLIER = (
    carded(tweeted(case("Hello?"), created_at=datetime(2026, 10, 30, 9, tzinfo=UTC))),
    case("", erased=True),
    carded(
        replace(PUBLIC, tweet=case("Where is\nmy parcel?").tweet), "1761998400.0001/1761998401.2"
    ),
    tweeted(case("I asked you already."), created_at=datetime(2026, 11, 1, 9, tzinfo=UTC)),
)
MEMBERS = (
    carded(spoke("parcel", "never")),
    case("", erased=True),
    tweeted(spoke("parcel", "angry", text="So\nangry <!channel>"), author=Author()),
    spoke("never", "parcel"),
    spoke("late"),
)
BURST = Incident("burst", NOON, count=23)
DOWN = Incident("classifier", NOON, count=1, waiting=12)
DRIFT = Drift(
    since=NOON - timedelta(days=7),
    until=NOON,
    model="own-1a2b3c4d",
    posts=1_412,
    conclusion="retrain",
    said=(
        "Agents corrected 19 of the 60 posts they judged (32%); 14% were to be expected.",
        "Retrain it: `python -m bot train DATA.csv --with-labels --output model.tar.gz`.",
    ),
)
DAY = Digest(
    since=NOON - timedelta(days=1),
    until=NOON,
    received=1_412,
    escalated=61,
    answered_by_bot=1_200,
    skipped=151,
    to_claim=250.0,
    to_answer=7_530.0,
    corrected=3,
    waiting=2,
    cost=12_345_678,
)
TOLD = (
    Entry(NOON, "U0AGENT", "claimed it."),
    Entry(NOON, "bot", "The answer is public."),
    Entry(NOON, "the console", "resolved it."),
    Entry(NOON, "U0AGENT", "reopened it."),
)
CARRYING = Effect("line", "sending", token="a-token", carries=3)

LOOKS: dict[str, dict[str, Any]] = {
    "needs_a_person": card(case()),
    "unsure": card(case(verdict=replace(JUDGED, probability=0.55), unsure=True)),
    "with_words_that_moved_it": card(
        case("My parcel, NEVER came!", verdict=replace(JUDGED, words=MOVED))
    ),
    "with_media": card(tweeted(case(), media=("photo", "photo", "video"))),
    "with_earlier_tweets": card(case(), Around(earlier=EARLIER, channel_url=CHANNEL)),
    "claimed": card(CLAIMED),
    "claimed_at_the_console": card(deeds.claimed(case(), "the console", SOON)),
    "snoozed": card(deeds.snoozed(CLAIMED, LATER, "U0AGENT", SOON)),
    "marked_as_needing_nobody": card(case(label=Label(False, "U0AGENT", SOON, "starter"))),
    "marked_as_needing_a_person": card(case(label=Label(True, "U0AGENT", SOON, "starter"))),
    "author_muted_and_opted_out": card(
        deeds.noted(
            deeds.noted(case(), "U0AGENT", deeds.MUTED, SOON), "W0OTHER", deeds.OPTED_OUT, SOON
        )
    ),
    "goes_on": card(case(thread="1", assignee="U0AGENT"), Around(head=HEAD)),
    "goes_on_unclaimed": card(case(thread="1"), Around(head=HEAD)),
    "answer_on_its_way": card(replied("pending", "U0AGENT", problem="X asks to slow down.")),
    "answer_recorded": card(replied("dry-run", "U0AGENT")),
    "answer_public": card(PUBLIC),
    "answer_uncertain": card(replied("unknown", "U0AGENT", problem="The answer was lost.")),
    "answer_failed": card(replied("failed", "U0AGENT", problem="X refuses it.")),
    "bots_answer_failed": card(
        replace(replied("failed", problem="X refuses it."), route="reply")
    ),
    "resolved": card(deeds.resolved(CLAIMED, "U0AGENT", LATER)),
    "resolved_as_not_needed": card(deeds.dismissed(case(), "the console", LATER)),
    "resolved_with_a_public_answer": card(deeds.resolved(PUBLIC, "U0AGENT", LATER)),
    "erased": card(cases.erased(CLAIMED, LATER)),
    "erased_with_a_public_answer": card(cases.erased(PUBLIC, LATER)),
    "without_words": card(tweeted(case(reasons=("It has no words to judge.",)), text="")),
    "not_judged": card(case(verdict=None)),
    "no_word_known": card(case(verdict=Verdict(0.5, 0.5, "hm", "starter", known=False))),
    "from_a_file": card(tweeted(case(), id="file-3", root_id="file-3", author=Author())),
    "hostile": card(
        tweeted(case(HOSTILE[0] + HOSTILE[1]), author=Author("7", HOSTILE[1], HOSTILE[0]))
    ),
    "burst": card(noticed(BURST), Around(members=MEMBERS, channel_url=CHANNEL)),
    "burst_over": card(noticed(replace(BURST, until=NOON + timedelta(minutes=23)))),
    "classifier_down": card(noticed(DOWN)),
    "digest": card(noticed(DAY)),
    "digest_of_a_quiet_day": card(
        noticed(Digest(NOON - timedelta(days=1), NOON, 0, 0, 0, 0, None, None, 0, 0))
    ),
    "drift": card(noticed(DRIFT)),
    "drift_to_be_watched": card(noticed(replace(DRIFT, conclusion="watch"))),
    "lines": line(case(lines=TOLD), CARRYING),
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_a_card_looks_as_it_did(look: str) -> None:
    file = GOLDEN / f"{look}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(LOOKS[look], indent=2, ensure_ascii=False) + "\n", "utf-8")
    assert LOOKS[look] == json.loads(file.read_text("utf-8"))


@pytest.mark.parametrize("look", LOOKS)
def test_slack_takes_every_look(look: str) -> None:
    assert_slack_takes(LOOKS[look])
    assert_inert(LOOKS[look])


def test_every_golden_file_is_looked_at() -> None:
    stems = {file.stem for file in GOLDEN.glob("*.json")}
    assert {stem for stem in stems if not stem.startswith("command_")} == set(LOOKS)


class TestAnyText:
    """What nobody foresaw."""

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
        text="a b " * 6_000,
        author=Author(),
        why=(),
        who=None,
        words=(Weight("a", 0.5),),
        joins=True,
    )
    def test_slack_takes_a_card_whatever_the_post_says(
        self,
        text: str,
        author: Author,
        why: tuple[str, ...],
        who: str | None,
        words: tuple[Weight, ...],
        joins: bool,
    ) -> None:
        made = case(text, reasons=why, verdict=replace(JUDGED, words=words))
        if joins:
            made, head = replace(made, thread="1"), case(assignee=who)
        else:
            made, head = replace(made, assignee=who), None
        message = card(tweeted(made, author=author), Around(head=head))
        assert_slack_takes(message)
        assert_inert(message, who)

    def test_slack_takes_two_thousand_random_tweets_in_every_state(self) -> None:
        kinds = set[str]()
        dice = Random(2_000)  # noqa: S311
        others = [any_case(dice) for _ in range(200)]
        for _ in range(2_000):
            made, around = any_case(dice), any_surroundings(dice, others)
            whole = card(made, around)
            folded = card(deeds.resolved(made, any_who(dice), LATER), around)
            other = dice.choice(
                (
                    card(noticed(any_incident(dice)), replace(around, members=(made, *others[:3]))),
                    line(*any_lines(dice, made)),
                )
            )
            for message in (whole, folded, other):
                assert_slack_takes(message)
                assert_inert(message)
            kinds |= {node["type"] for node in nodes(whole["blocks"]) if "type" in node}
        assert {"user", "link", "date", "overflow", "rich_text_quote"} <= kinds

    def test_a_post_with_thousands_of_marked_words_stays_small(self) -> None:
        verdict = replace(JUDGED, words=(Weight("a", 0.5),))
        made = case("a b " * 6_000, verdict=verdict)
        assert len(json.dumps(card(made)["blocks"])) < 16_000

    @given(text=texts, most=st.integers(20, 100))
    @example(text="a" * 15 + "&&&&", most=20)
    def test_an_escaped_text_is_cut_between_entities(self, text: str, most: int) -> None:
        shown = escaped(text, most)
        assert len(shown) <= most
        whole = escaped(text, 10**6)
        assert shown == whole or whole.startswith(shown.removesuffix("…"))
        assert_escaped(shown)

    def test_an_escaped_text_is_the_text_itself_where_it_is_plain(self) -> None:
        assert escaped("Wo ist mein Päckchen? 😡") == "Wo ist mein Päckchen? 😡"
        assert escaped("a & b < c > d &amp;") == "a &amp; b &lt; c &gt; d &amp;amp;"

    def test_a_text_is_cut_only_where_it_is_too_long(self) -> None:
        assert cut("12345", 5) == "12345"
        assert cut("123456", 5) == "1234…"
        assert cut("1&3", 7) == "1&3"
        assert cut("1&34", 7) == "1&…"

    @pytest.mark.parametrize("year", [1, 1969, 2243, 9998])
    def test_a_time_that_slack_would_not_show_is_told_in_words(self, year: int) -> None:
        written = datetime(year, 5, 1, 9, 30, tzinfo=UTC)
        message = card(tweeted(case(), created_at=written))
        assert_slack_takes(message)
        assert f"{written:%Y}-05-01 09:30 UTC" in said(message)


class TestWhatACardSays:
    @pytest.mark.parametrize(("weight", "style"), [(0.00001, "bold"), (-0.00001, "italic")])
    def test_a_word_is_bold_where_it_spoke_for_a_person_and_slanted_where_against(
        self, weight: float, style: str
    ) -> None:
        verdict = replace(JUDGED, words=(Weight("never", weight),))
        [quote] = quotes(card(case("It never came", verdict=verdict)))
        assert [part for part in quote if "style" in part] == [
            {"type": "text", "text": "never", "style": {style: True}}
        ]

    def test_all_of_a_post_whatever_is_marked_in_it(self) -> None:
        verdict = replace(JUDGED, words=(Weight("parcel", 0.2), Weight("came", -0.2)))
        for text in (HOSTILE[1], "My parcel! It came, it never came.", "parcel " * 300):
            [quote] = quotes(card(case(text, verdict=verdict)))
            assert "".join(part["text"] for part in quote) == text

    @pytest.mark.parametrize("text", ["", " \n"])
    def test_that_a_post_has_no_text(self, text: str) -> None:
        [quote] = quotes(card(case(text)))
        assert quote == [{"type": "text", "text": "(no text)"}]
        assert "wrote: “(no text)”" in card(case(text))["text"]

    def test_how_many_reasons_it_leaves_out(self) -> None:
        shown = said(card(case(reasons=(*(f"reason {n}" for n in range(13)), " "))))
        assert "reason 9" in shown
        assert "reason 10" not in shown
        assert "and 3 more." in shown

    @pytest.mark.parametrize(
        ("probability", "unsure", "sentence"),
        [
            (0.9999, False, "The model is very sure: over 99% that it needs a person."),
            (0.98, False, "The model is very sure: 98% that it needs a person."),
            (0.9, False, "The model is quite sure: 90% that it needs a person."),
            (0.7, False, "The model is fairly sure: 70% that it needs a person."),
            (0.6, False, "The model is hardly sure: 60% that it needs a person."),
            (0.6, True, "The model is unsure: 60% that it needs a person."),
            (0.1, False, "The model is quite sure: 90% that it needs nobody."),
        ],
    )
    def test_how_sure_the_model_is(self, probability: float, unsure: bool, sentence: str) -> None:
        judged = replace(JUDGED, probability=probability)
        assert sentence in said(card(case(verdict=judged, unsure=unsure)))

    @pytest.mark.parametrize(
        ("who", "shown"),
        [
            ("U0AGENT", {"type": "user", "user_id": "U0AGENT"}),
            ("Ursula", {"type": "text", "text": "Ursula"}),
            ("the console", {"type": "text", "text": "the console"}),
            ("U" * 30, {"type": "text", "text": "U" * 30}),
        ],
    )
    def test_whoever_claimed_it_and_since_when(self, who: str, shown: dict[str, str]) -> None:
        message = card(deeds.claimed(case(), who, SOON))
        assert shown in nodes(message["blocks"])
        assert int(SOON.timestamp()) in dates(message)
        assert mentions_somebody(case(assignee=who), None) == (who == "U0AGENT")

    def test_times_are_shown_in_the_zone_of_whoever_reads(self) -> None:
        written = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
        assert dates(card(tweeted(case(), created_at=written))) == [int(written.timestamp())]
        assert dates(card(case())) == [int(NOON.timestamp())]

    @pytest.mark.parametrize(
        ("media", "sentence"),
        [
            (("photo",), "With a photo: look at it on X."),
            (("photo", "video", "photo"), "With 2 photos and a video: look at them on X."),
            (
                ("media", "animated_gif", "video"),
                "With an attachment, a GIF and a video: look at them on X.",
            ),
        ],
    )
    def test_what_is_attached_to_a_post(self, media: tuple[Media, ...], sentence: str) -> None:
        assert sentence in said(card(tweeted(case(), media=media)))

    def test_the_last_posts_of_a_conversation_and_how_many_there_were_before(self) -> None:
        shown = said(card(case(), Around(earlier=EARLIER)))
        assert "Hello?" not in shown
        assert "(1 more before)" in shown
        assert shown.index("(deleted)") < shown.index("Where is my parcel?")
        assert "the bot answered: “Sorry to hear that." in shown
        assert shown.index("Where is my parcel?") < shown.index("I asked you already.")

    def test_links_go_to_other_cards_where_the_channels_address_is_known(self) -> None:
        def linked(channel: str | None) -> list[str]:
            around = Around(earlier=EARLIER, channel_url=channel)
            found = nodes(card(case(), around)["blocks"])
            return [node["url"] for node in found if node.get("text") == "its card"]

        [url] = linked(CHANNEL + "/")
        assert url == f"{CHANNEL}/p17619984012?thread_ts=1761998400.0001&cid=C0SUPPORT"
        assert linked(None) == []

    def test_only_that_it_is_resolved_where_its_story_no_longer_tells_by_whom(self) -> None:
        message = card(case(resolved=True))
        assert said(message).startswith("Resolved.@river_example")
        assert message["text"].startswith("Resolved. River Example wrote")

    def test_nothing_of_an_erased_post(self) -> None:
        secret = tweeted(PUBLIC, text="My number is 555", author=Author("7", "river", "River"))
        shown = json.dumps(card(cases.erased(deeds.claimed(secret, "U0AGENT", NOON), LATER)))
        for word in ("555", "river", "River", "Sorry", "U0AGENT", "actions"):
            assert word not in shown

    def test_a_sentence_for_those_who_listen(self) -> None:
        assert card(CLAIMED)["text"] == (
            "Needs a person, claimed by <@U0AGENT>. River Example wrote: “My parcel never came!” "
            "The model is quite sure: 91% that it needs a person."
        )
        done = card(deeds.dismissed(tweeted(case(), author=Author()), "<!here>", SOON))["text"]
        assert done.startswith("Resolved by &lt;!here&gt;. Somebody wrote: “My parcel")

    @pytest.mark.parametrize("text", ["x" * 25_000, "&" * 25_000])
    def test_how_sure_the_model_is_is_heard_behind_the_longest_post(self, text: str) -> None:
        assert card(case(text))["text"].endswith("91% that it needs a person.")


class TestWhatCanBeDone:
    @pytest.mark.parametrize(
        ("made", "ids"),
        [
            (case(), ["reply", "claim", "resolve", "relabel yes", "dismiss", "open", "more"]),
            (CLAIMED, ["reply", "release", "resolve", "relabel yes", "dismiss", "open", "more"]),
            (PUBLIC, ["claim", "resolve", "relabel yes", "dismiss", "open", "more"]),
            (replied("pending"), ["claim", "resolve", "relabel yes", "dismiss", "open", "more"]),
            (replied("unknown"), ["claim", "resolve", "relabel yes", "dismiss", "open", "more"]),
            (
                replied("failed"),
                ["reply", "claim", "resolve", "relabel yes", "dismiss", "open", "more"],
            ),
            (
                replied("dry-run"),
                ["reply", "claim", "resolve", "relabel yes", "dismiss", "open", "more"],
            ),
            (
                tweeted(case(), id="file-3", root_id="file-3"),
                ["reply", "claim", "resolve", "relabel yes", "dismiss", "more"],
            ),
            (deeds.resolved(CLAIMED, "U0AGENT", LATER), ["reopen"]),
            (cases.erased(case(), LATER), []),
            (noticed(BURST), []),
        ],
    )
    def test_a_card_offers_what_its_case_allows(self, made: Case, ids: list[str]) -> None:
        assert [element["action_id"] for element in elements(card(made))] == ids

    def test_only_the_reply_stands_out_and_what_ends_a_case_is_asked_again(self) -> None:
        offered = elements(card(CLAIMED))
        assert [one["action_id"] for one in offered if "style" in one] == ["reply"]
        asked = [one["action_id"] for one in offered if "confirm" in one]
        assert asked == ["release", "resolve", "dismiss"]

    @pytest.mark.parametrize(
        ("route", "choice"),
        [("escalate", "Wrong label: it needs nobody"), ("reply", "Right: it needs nobody")],
    )
    @pytest.mark.parametrize("label", [None, True, False])
    def test_either_label_can_be_given_whatever_was_said_before(
        self, label: bool | None, route: Any, choice: str
    ) -> None:
        given = None if label is None else Label(label, "U0AGENT", SOON, None)
        made = card(case(label=given, route=route))
        [needed] = [one for one in elements(made) if one["action_id"] == "relabel yes"]
        assert needed["text"]["text"] == "Needed"
        first = options(made)[0]
        assert (first["text"]["text"], first["value"]) == (choice, "relabel no")

    def test_nothing_is_offered_about_an_author_whom_nobody_knows(self) -> None:
        values = [option["value"] for option in options(card(tweeted(case(), author=Author())))]
        assert values == ["relabel no", "snooze hour", "snooze morning"]
        known = tweeted(case(), author=Author(id="7"))
        values = [option["value"] for option in options(card(known))]
        assert values[3:] == ["mute", "opt out"]


class TestClicks:
    """`deed_of` reads what the card's own elements send."""

    @pytest.mark.parametrize("case_id", ["1985000000000000001", "file-3", "z" * 100])
    def test_every_element_of_every_card_is_understood(self, case_id: str) -> None:
        found = set()
        for one in (case(), CLAIMED, case(label=Label(False, "U0AGENT", SOON, None))):
            made = tweeted(one, root_id=case_id)
            for message in (card(made), card(deeds.resolved(made, "U0AGENT", LATER))):
                for action in clicks(message):
                    found.add(deed_of(action)[0])
                    assert deed_of(action)[1] == case_id
        assert found == {*BUTTONS, *CHOICES}

    @pytest.mark.parametrize(
        "action",
        [
            {},
            {"action_id": "claim"},
            {"action_id": "claim", "value": None},
            {"action_id": "claim", "value": "a case"},
            {"action_id": "claim", "value": ["1"]},
            {"action_id": ["claim"], "value": "1"},
            {"action_id": "explode", "value": "1"},
            {"action_id": "mute", "value": "1"},
            {"action_id": "more", "value": "1"},
            {"action_id": "more", "block_id": "case 1"},
            {"action_id": "more", "block_id": "case 1", "selected_option": "mute"},
            {"action_id": "more", "block_id": "case 1", "selected_option": {"value": "claim"}},
            {"action_id": "more", "block_id": "case", "selected_option": {"value": "mute"}},
            {"action_id": "more", "block_id": "1", "selected_option": {"value": "mute"}},
            {"action_id": "more", "block_id": None, "selected_option": {"value": "mute"}},
        ],
    )
    def test_what_no_card_sends_is_refused(self, action: dict[str, Any]) -> None:
        with pytest.raises(Refused, match="use the buttons"):
            deed_of(action)


class TestLines:
    def test_those_that_are_carried_are_told_in_order(self) -> None:
        message = line(case(lines=TOLD), CARRYING)
        assert message["text"] == (
            "<@U0AGENT> claimed it. The answer is public. the console resolved it."
        )
        [block] = message["blocks"]
        assert len(block["elements"]) == 3
        assert message["metadata"] == {
            "event_type": LINE,
            "event_payload": {"case": case().id, "line": "a-token"},
        }

    def test_they_stay_in_the_thread(self) -> None:
        assert "reply_broadcast" not in line(case(lines=TOLD), CARRYING)

    def test_one_that_was_told_of_nothing_says_so(self) -> None:
        message = line(case(), replace(CARRYING, carries=0))
        assert message["text"] == "Nothing new."
        assert_slack_takes(message)

    def test_fifty_long_ones_fit_into_one_message(self) -> None:
        entries = tuple(Entry(NOON, who, "&x" * 900) for who in ("U0AGENT", "&" * 90)) * 25
        message = line(case(lines=entries), replace(CARRYING, carries=50))
        assert_slack_takes(message)
        [block] = message["blocks"]
        assert len(block["elements"]) == 50


class TestNotices:
    def test_an_incident_shows_some_of_what_it_collected(self) -> None:
        shown = said(card(noticed(BURST), Around(members=MEMBERS)))
        assert shown.count("“My parcel never came!”") == 2
        assert "Somebody: “So angry <!channel>”" in shown
        assert "(deleted)" not in shown

    def test_the_words_that_most_often_spoke_for_a_person_come_first(self) -> None:
        against = case(verdict=replace(JUDGED, words=(Weight("thanks", -0.4),)))
        assert top_words([*MEMBERS, against, case(verdict=None)]) == [
            *("parcel", "never", "angry", "late"),
        ]
        assert len(top_words([spoke(*(f"word{n}" for n in range(12)))])) == 8

    def test_an_incident_that_is_over_says_after_how_long(self) -> None:
        over = card(noticed(replace(DOWN, until=NOON + timedelta(minutes=23))))
        assert ", after 23 min." in said(over)
        assert "wait" not in said(over)
        assert over["text"].startswith("The classifier did not answer. It began at 2026-11-02")
        assert "over after 23 min." in over["text"]

    def test_a_digest_leaves_out_what_nobody_counted(self) -> None:
        assert "$12.35 spent." in said(card(noticed(DAY)))
        shown = said(card(noticed(replace(DAY, cost=None, to_claim=None))))
        assert "$" not in shown
        assert "claimed" not in shown
        assert "2 h 6 min" in shown

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "less than a minute"),
            (29, "less than a minute"),
            (31, "1 min"),
            (3_599, "1 h"),
            (3_660, "1 h 1 min"),
            (86_400, "1 day"),
            (180_000, "2 days 2 h"),
        ],
    )
    def test_a_length_of_time_is_told_as_one_reads_it(self, seconds: float, words: str) -> None:
        assert lasting(seconds) == words


def test_a_message_tells_its_case_and_nothing_else_to_programs() -> None:
    for made in (case(), CLAIMED, noticed(DAY), cases.erased(case(), LATER)):
        message = card(made)
        assert message["metadata"] == {"event_type": CARD, "event_payload": {"case": made.id}}
        assert message["unfurl_links"] is message["unfurl_media"] is False


# Any case.


PIECES = (
    *HOSTILE[:6],
    *("parcel ", "never ", "angry ", "😡", "👩‍👩‍👧‍👦", "ك", "é", "\n", "&", "<", "_*~"),
)


def any_text(dice: Random) -> str:
    """Pieces of what people and attackers write, now and then as long as X allows."""
    written = "".join(dice.choices(PIECES, k=dice.choice((0, 1, 3, 10, 30))))
    return (written * dice.choices((1, 9, 2_000), (20, 1, 1))[0])[:25_000]


def any_who(dice: Random) -> str:
    return dice.choice((*AGENTS, "the console", any_text(dice) or "x"))


def any_author(dice: Random) -> Author:
    return Author(
        id=dice.choice((None, "77")),
        handle=dice.choice((None, "river_example", "@river", any_text(dice))),
        name=dice.choice((None, "River Example", any_text(dice))),
        followers=dice.choice((None, 0, 1, 12_400, 10**9)),
    )


def any_verdict(dice: Random) -> Verdict | None:
    words = ("parcel", "never", "angry", "channel", "x" * 300, "&" * 300, "parcel never")
    moved = tuple(
        Weight(word, dice.uniform(-1, 1)) for word in dice.sample(words, k=dice.choice((0, 0, 4)))
    )
    judged = Verdict(dice.random(), 0.5, any_text(dice), "starter", dice.random() < 0.9, moved)
    return dice.choice((None, judged, judged, judged))


def any_reply(dice: Random) -> Effect:
    return Effect(
        "reply",
        dice.choice(get_args(cases.State)),
        text=dice.choice((None, any_text(dice))),
        by=dice.choice((None, any_who(dice))),
        problem=dice.choice((None, any_text(dice))),
        outside_id=dice.choice((None, "1985000000000000009", any_text(dice))),
    )


def any_case(dice: Random) -> Case:
    """A case in any state, its author and its words unfriendly."""
    who = any_who(dice)
    made = case(
        any_text(dice),
        reasons=tuple(any_text(dice) for _ in range(dice.choice((0, 1, 13)))),
        verdict=any_verdict(dice),
        unsure=dice.random() < 0.3,
        thread=dice.choice((None, "1")),
        route=dice.choice(("escalate", "reply")),
        label=dice.choice((None, Label(dice.random() < 0.5, who, SOON, None))),
        effects=(Effect("card", "sent", outside_id=dice.choice(("1.2", "1.2/3.4"))),),
    )
    kinds = get_args(Media)
    made = tweeted(
        made,
        author=any_author(dice),
        media=tuple(dice.choices(kinds, k=dice.choice((0, 1, 4)))),
        created_at=dice.choice((None, NOON, datetime(1, 1, 1, tzinfo=UTC))),
    )
    if dice.random() < 0.5:
        made = deeds.claimed(made, who, SOON)
    if dice.random() < 0.3:
        made = deeds.snoozed(made, LATER, any_who(dice), SOON)
    if dice.random() < 0.6:
        made = cases.put(made, any_reply(dice))
    if made.tweet.author.known_by and dice.random() < 0.3:
        made = deeds.noted(made, any_who(dice), dice.choice((deeds.MUTED, deeds.OPTED_OUT)), SOON)
    return cases.erased(made, LATER) if dice.random() < 0.05 else made


def any_surroundings(dice: Random, others: list[Case]) -> Around:
    return Around(
        head=dice.choice((None, *others)),
        earlier=tuple(dice.sample(others, k=dice.choice((0, 1, 5)))),
        members=tuple(dice.sample(others, k=dice.choice((0, 2, 8)))),
        channel_url=dice.choice((None, CHANNEL)),
    )


def any_incident(dice: Random) -> Incident:
    until = dice.choice((None, LATER, NOON + timedelta(days=3)))
    count, waiting = dice.choice((0, 1, 5_000)), dice.choice((0, 1, 5_000))
    return Incident(dice.choice(("burst", "classifier")), NOON, count, (), waiting, until)


def any_lines(dice: Random, made: Case) -> tuple[Case, Effect]:
    count = dice.choice((1, 1, 3, 3, 3, 3, 3, 50))
    entries = tuple(
        Entry(NOON, dice.choice(("bot", any_who(dice))), any_text(dice) + ".") for _ in range(count)
    )
    return replace(made, lines=entries), replace(CARRYING, carries=dice.choice((1, count)))


# What is asked of every message.


def assert_slack_takes(message: dict[str, Any]) -> None:
    assert slack_blocks.problems(message) == []
    shown = [node[name] for node in nodes(message["blocks"]) for name in ("text", "fallback")
             if isinstance(node.get(name), str)]  # fmt: skip
    assert sum(len(escaped(text, 10**6)) for text in shown) <= slack_blocks.MESSAGE_CHARACTERS
    assert 0 < len(message["text"]) <= LONGEST_TEXT


def assert_inert(message: dict[str, Any], who: str | None = None) -> None:
    """Nothing foreign in it can format, notify or link."""
    agents = {*AGENTS, *([who] if is_user(who) else [])}
    mentions = "|".join(f"<@{agent}>" for agent in agents)
    assert_escaped(re.sub(mentions, "", message["text"]))
    for node in nodes(message["blocks"]):
        kind = node.get("type")
        assert kind not in {"mrkdwn", "markdown", "broadcast", "usergroup", "channel", "emoji"}
        assert kind != "user" or node["user_id"] in agents
        assert "url" not in node or OURS.fullmatch(node["url"])
        assert kind != "link" or LINKED.fullmatch(node["text"])


def assert_escaped(text: str) -> None:
    rest = ENTITY.sub("", text)
    assert not set(rest) & set("&<>")


# What stands in a message.


def nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every object in it, in order."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            waiting.extend(reversed(node))


def said(message: dict[str, Any]) -> str:
    """All that is read in its blocks; times are left out."""
    found = (node.get("text") for node in nodes(message["blocks"]))
    return "".join(text for text in found if isinstance(text, str))


def quotes(message: dict[str, Any]) -> list[list[dict[str, Any]]]:
    found = (node for node in nodes(message["blocks"]) if node.get("type") == "rich_text_quote")
    return [quote["elements"] for quote in found]


def dates(message: dict[str, Any]) -> list[int]:
    found = (node for node in nodes(message["blocks"]) if node.get("type") == "date")
    return [node["timestamp"] for node in found]


def elements(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for block in message["blocks"] for one in slack_blocks.elements(block)]


def options(message: dict[str, Any]) -> list[dict[str, Any]]:
    [menu] = [one for one in elements(message) if one["action_id"] == MENU]
    listed: list[dict[str, Any]] = menu["options"]
    return listed


def clicks(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What Slack sends of each of its elements, but the one that is only a link."""
    for block in message["blocks"]:
        for element in slack_blocks.elements(block):
            sent = {"block_id": block["block_id"], "action_id": element["action_id"]}
            if element["action_id"] == MENU:
                yield from ({**sent, "selected_option": one} for one in element["options"])
            elif element["action_id"] != OPEN:
                yield {**sent, "value": element["value"]}
