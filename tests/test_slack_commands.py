"""What `/classify` and `/triage` answer, and what their buttons do."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot import cases, deeds
from bot.cases import Case, Label
from bot.errors import Permanent, Refused, Retryable, Unknown
from bot.ports import Outgoing
from bot.tryouts import REASON, tweet_of
from bot.tweets import Author
from bot.verdicts import Verdict
from tests.examples import ANGRY, CALM, NOON, archive, case
from tests.fakes import WordClassifier
from tests.standins.server import Fault
from tests.test_cards import tweeted
from tests.workspace import (
    ADMIN,
    AGENT,
    OTHER,
    Message,
    Unreachable,
    Workspace,
    buttons,
    shown,
    workspace,
)

NO_ADMIN = f"Only those in SLACK_ADMINS may do that, and <@{AGENT}> is not among them"
RIVER = case().tweet.author
CALMED = case(CALM, route="reply")
"""A post that the bot answered: no card was made of it."""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        yield made


def answered(office: Workspace, text: str, command: str = "/triage", who: str = AGENT) -> Message:
    """The one answer to a command, which nobody but its caller sees."""
    before = len(office.whispers())
    answer = office.does(office.typed(text, command, who))
    assert answer["body"] == "", "an answer that the queue brings"
    [told] = office.whispers()[before:]
    assert told["response_type"] == "ephemeral"
    return told


def pressed(office: Workspace, button: str, place: Message, who: str = AGENT) -> Message:
    """What comes of a button under such an answer."""
    before = len(office.whispers())
    office.does(office.pressed(button, office.slack.ephemeral(place), who))
    [told] = office.whispers()[before:]
    return told


class TestClassify:
    @pytest.mark.parametrize("text", ["", "   ", "help", " help "])
    def test_alone_explains_itself_at_once(self, office: Workspace, text: str) -> None:
        answer = office.asked(office.typed(text))
        assert "/classify TEXT" in answer["body"]
        assert office.queued() == []

    def test_is_queued_with_what_its_answer_needs(self, office: Workspace) -> None:
        assert office.asked(office.typed(f"  {ANGRY} "))["body"] == ""
        [response] = office.slack.responses
        url = f"{office.slack.url}/response/{response}"
        asked = {"do": "classify", "text": ANGRY, "who": AGENT, "place": ""}
        assert office.queued() == [{**asked, "response_url": url}]

    @pytest.mark.parametrize(("text", "escalate"), [("I am angry", "yes"), ("thanks", "no")])
    def test_answers_its_caller_alone(self, office: Workspace, text: str, escalate: str) -> None:
        told = answered(office, text, "/classify")
        assert told["text"].startswith(f"Escalate: {escalate}")
        assert "95%" in told["text"]
        assert buttons(told) == ["right", "wrong", "share"]
        assert office.slack.messages == []
        assert list(office.bot.store.newest()) == [], "a text that is tried is no case"

    def test_tells_what_moved_it_and_what_the_bot_would_answer(self, tmp_path: Path) -> None:
        with workspace(tmp_path, MODEL_PATH=str(archive(tmp_path))) as office:
            del office.bot.classifier
            told = answered(office, CALM, "/classify")
        assert "Against:" in shown(told)
        assert "happy" in shown(told)
        assert "read as: thanks i am happy with my parcel" in shown(told)
        assert "The bot would" in shown(told)

    def test_goes_by_the_rules_too(self, office: Workspace) -> None:
        told = answered(office, "thanks, my lawyer will write", "/classify")
        assert told["text"].startswith("Escalate: yes")
        assert "It threatens legal steps" in shown(told)

    @pytest.mark.parametrize(
        "failure",
        [
            Permanent("The model cannot read it."),
            Retryable("The endpoint does not answer now."),
            Unknown("The answer was lost."),
        ],
    )
    def test_tells_at_once_when_the_model_is_down(
        self, office: Workspace, failure: Exception
    ) -> None:
        office.bot.classifier = WordClassifier(failures=[failure])
        told = answered(office, ANGRY, "/classify")
        assert told["text"] == f"It could not be judged. {failure}"
        assert office.bot.actions.depth() == (0, 0)

    def test_refuses_what_no_post_could_be(self, office: Workspace) -> None:
        told = answered(office, "x" * 25_001, "/classify")
        assert "a post on X has at most 25,000" in told["text"]

    def test_is_answered_later_when_slack_asks_to_slow_down(self, office: Workspace) -> None:
        office.slack.faults.append(Fault("status", 429, where="/response/"))
        office.asked(office.typed(ANGRY))
        assert office.works() == 1
        assert office.bot.actions.depth() == (1, 0)


class TestAVerdictThatSomebodyJudges:
    def kept(self, office: Workspace, text: str) -> Case:
        return office.case(tweet_of(text).root_id)

    @pytest.mark.parametrize(
        ("text", "button", "escalate"),
        [
            ("I am angry", "right", True),
            ("I am angry", "wrong", False),
            ("thanks", "right", False),
            ("thanks", "wrong", True),
            ("thanks, says my lawyer", "right", True),
            ("thanks, says my lawyer", "wrong", False),
        ],
    )
    def test_is_kept_with_who_said_what_when_of_which_model(
        self, office: Workspace, text: str, button: str, escalate: bool
    ) -> None:
        told = pressed(office, button, answered(office, text, "/classify"))
        label = self.kept(office, text).label
        assert label
        assert (label.escalate, label.who, label.at, label.model) == (
            escalate,
            AGENT,
            NOON,
            "words",
        )
        needs = "a person" if escalate else "nobody"
        assert told["text"] == f"Noted: it needs {needs}. That is kept as a label."
        assert told["replace_original"] is False

    def test_is_nobodys_case(self, office: Workspace) -> None:
        pressed(office, "right", answered(office, "I am angry", "/classify"))
        kept = self.kept(office, "I am angry")
        assert (kept.effects, kept.open, kept.reasons) == ((), False, (REASON,))
        assert office.slack.messages == []

    def test_is_kept_once_and_the_last_word_holds(self, office: Workspace) -> None:
        verdict = answered(office, "I am angry", "/classify")
        for button, who in (("right", AGENT), ("right", OTHER), ("wrong", OTHER)):
            pressed(office, button, verdict, who)
        label = self.kept(office, "I am angry").label
        assert label
        assert (label.escalate, label.who) == (False, OTHER)
        assert len(list(office.bot.store.newest())) == 1

    def test_is_shared_where_it_was_asked_for(self, office: Workspace) -> None:
        told = pressed(office, "share", answered(office, "I am angry", "/classify"))
        assert told["response_type"] == "in_channel"
        assert f"<@{AGENT}>" in shown(told)
        assert "Escalate: yes" in told["text"]
        assert buttons(told) == []
        assert list(office.bot.store.newest()) == []

    @pytest.mark.parametrize(("button", "escalate"), [("right", True), ("wrong", False)])
    def test_is_kept_while_the_model_is_down(
        self, office: Workspace, button: str, escalate: bool
    ) -> None:
        verdict = answered(office, "I am angry", "/classify")
        office.bot.classifier.failures.append(Retryable("It is down."))  # type: ignore[attr-defined]
        assert pressed(office, button, verdict)["text"].startswith("Noted: it needs ")
        kept = self.kept(office, "I am angry")
        assert (kept.verdict, kept.effects, kept.open, kept.reasons) == (None, (), False, (REASON,))
        assert kept.label
        label = kept.label
        assert (label.escalate, label.who, label.at, label.model) == (escalate, AGENT, NOON, None)

    def test_cannot_be_shared_while_the_model_is_down(self, office: Workspace) -> None:
        verdict = answered(office, "I am angry", "/classify")
        office.bot.classifier.failures.append(Retryable("It is down."))  # type: ignore[attr-defined]
        assert pressed(office, "share", verdict)["text"] == "It could not be judged. It is down."
        assert list(office.bot.store.newest()) == []

    @pytest.mark.parametrize("value", ["", "{", "[]", '{"text": 5}'])
    def test_is_refused_where_the_button_is_damaged(self, office: Workspace, value: str) -> None:
        place = office.slack.ephemeral()
        office.does(office.slack.button("right", value, place, now=time.time()))
        assert "damaged or of another release" in office.whisper()


class TestTriage:
    @pytest.mark.parametrize("text", ["", "help", "  "])
    def test_alone_explains_itself_at_once(self, office: Workspace, text: str) -> None:
        answer = office.asked(office.typed(text, "/triage"))
        assert "threshold 0.6" in answer["body"]
        assert office.queued() == []

    @pytest.mark.parametrize(
        ("word", "hint"),
        [("stauts", "did you mean status?"), ("opne", "did you mean open?"), ("xyzzy", "use ")],
    )
    def test_hints_at_what_a_word_may_have_meant(
        self, office: Workspace, word: str, hint: str
    ) -> None:
        told = answered(office, f"{word} now")
        assert told["text"].startswith(f"I do not know «{word}»")
        assert hint in told["text"]

    def test_shows_foreign_words_as_they_are(self, office: Workspace) -> None:
        told = answered(office, "<!channel> *now*")
        assert "&lt;!channel&gt;" in told["text"]

    @pytest.mark.parametrize("text", ["STATUS", "status", " status  please ", "status\n"])
    def test_status_tells_how_it_stands(self, office: Workspace, text: str) -> None:
        office.carded(case())
        told = answered(office, text)
        assert "Last hour: 1 tweet, 1 for a person (100%)" in shown(told)
        assert "1 open case, 1 of them unclaimed." in shown(told)
        assert "Model: words, which answers." in shown(told)
        assert "Threshold: 0.5,  the model's own." in shown(told)
        assert "Automatic replies are not held back." in shown(told)

    def test_status_tells_who_turned_what(self, office: Workspace) -> None:
        office.bot.pause.pause(ADMIN, NOON)
        office.bot.thresholds.choose(0.7, ADMIN, NOON)
        office.bot.store.add([deeds.claimed(case(), OTHER, NOON)])
        told = answered(office, "status")
        assert "1 open case, 0 of them unclaimed." in shown(told)
        assert f"Threshold: 0.7,  set by  <@{ADMIN}>" in shown(told)
        assert f"Automatic replies are paused  by  <@{ADMIN}>" in shown(told)
        assert "Queues: nothing waiting." in shown(told), "but for the command itself"

    def test_status_tells_how_much_waits_and_is_dead(self, office: Workspace) -> None:
        office.bot.tweets.send([Outgoing("{}")] * 3)
        office.bot.actions.send([Outgoing("{")])
        while not office.bot.actions.depth()[1]:
            office.works()
            office.clock.wait(600)
        told = shown(answered(office, "status"))
        assert "Queues: 3 of tweets waiting." in told
        assert "Dead letters: 1 of actions." in told

    def test_that_fails_is_answered_later(self, office: Workspace) -> None:
        office.asked(office.typed("open", "/triage"))
        office.bot.store = Unreachable()
        assert office.works() == 1
        assert office.bot.actions.depth() == (1, 0)
        assert office.whispers() == []


class TestTriageOpen:
    def test_lists_what_waits_and_what_waits_for_oneself(self, office: Workspace) -> None:
        own = tweeted(case("Where is my money?"), id="7", root_id="7")
        others = tweeted(case("Who answers me?"), id="8", root_id="8")
        office.carded(case())
        office.carded(deeds.claimed(own, AGENT, NOON))
        office.carded(deeds.claimed(others, OTHER, NOON))
        told = shown(answered(office, "open"))
        assert "3 open cases waiting for a person" in told
        assert "My parcel never came!" in told
        assert "its card" in told
        for text in ("open mine", "open  Mine", "OPEN\tmine"):
            mine = shown(answered(office, text))
            assert "1 open case with you" in mine
            assert "Where is my money?" in mine
            assert "parcel" not in mine

    def test_says_so_where_nobody_waits(self, office: Workspace) -> None:
        assert answered(office, "open")["text"] == "No case is open: all is done."
        assert answered(office, "open mine")["text"] == "You have no open case."

    def test_knows_no_others(self, office: Workspace) -> None:
        assert "I do not know «open yours»" in answered(office, "open yours")["text"]


class TestThePause:
    def test_is_for_admins(self, office: Workspace) -> None:
        told = answered(office, "pause", who=ADMIN)
        assert "paused" in told["text"]
        paused = office.bot.pause.paused()
        assert paused
        assert (paused.who, paused.at) == (ADMIN, NOON)
        assert "no longer paused" in answered(office, "resume", who=ADMIN)["text"]
        assert office.bot.pause.paused() is None

    @pytest.mark.parametrize("text", ["pause", "resume", "threshold 0.6", "threshold usual"])
    def test_and_the_threshold_are_for_nobody_else(self, office: Workspace, text: str) -> None:
        office.bot.pause.pause(ADMIN, NOON)
        office.bot.thresholds.choose(0.7, ADMIN, NOON)
        assert answered(office, text)["text"].startswith(NO_ADMIN)
        assert office.bot.pause.paused()
        assert office.bot.thresholds() == 0.7


class TestTheThreshold:
    @pytest.fixture
    def judged(self, office: Workspace) -> Workspace:
        for number, probability in enumerate((0.1, 0.55, 0.58, 0.9), 1):
            verdict = Verdict(probability, 0.5, "some words", "words")
            made = tweeted(case(f"Post {number}", verdict=verdict), id=str(number))
            office.bot.store.add([tweeted(made, root_id=str(number))])
        return office

    def test_is_asked_about_with_what_it_would_have_changed(self, judged: Workspace) -> None:
        question = answered(judged, "threshold 0.6", who=ADMIN)
        assert "Threshold 0.6?" in shown(question)
        assert "It is 0.5 now." in shown(question)
        assert "2 no longer for a person" in shown(question)
        assert "more for a person" not in shown(question)
        assert buttons(question) == ["threshold", "leave"]
        assert judged.bot.thresholds() is None, "it is not set before somebody says yes"

    def test_is_set_by_a_press(self, judged: Workspace) -> None:
        question = answered(judged, "threshold 0,6", who=ADMIN)
        told = pressed(judged, "threshold", question, ADMIN)
        assert told["replace_original"] is True
        assert told["text"] == "From now on a tweet escalates at 0.6 or more."
        chosen = judged.bot.thresholds.chosen()
        assert chosen
        assert (chosen.value, chosen.who, chosen.at) == (0.6, ADMIN, NOON)
        assert "Escalate: yes" in answered(judged, "I am angry", "/classify")["text"]

    def test_holds_at_once_for_what_is_tried(self, office: Workspace) -> None:
        pressed(office, "threshold", answered(office, "threshold 0.97", who=ADMIN), ADMIN)
        assert "Escalate: no" in answered(office, "I am angry", "/classify")["text"]

    def test_stays_by_another(self, judged: Workspace) -> None:
        question = answered(judged, "threshold 0.6", who=ADMIN)
        told = pressed(judged, "leave", question, ADMIN)
        assert (told["text"], told["replace_original"]) == ("The threshold stays as it is.", True)
        assert judged.bot.thresholds() is None

    def test_is_set_by_admins_whoever_sees_the_question(self, judged: Workspace) -> None:
        question = answered(judged, "threshold 0.6", who=ADMIN)
        told = pressed(judged, "threshold", question, AGENT)
        assert told["text"].startswith(NO_ADMIN)
        assert told["replace_original"] is False
        assert judged.bot.thresholds() is None

    def test_goes_back_to_the_usual(self, office: Workspace) -> None:
        office.bot.thresholds.choose(0.7, ADMIN, NOON)
        assert "again" in answered(office, "threshold usual", who=ADMIN)["text"]
        assert office.bot.thresholds() is None

    @pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "much", "0.5 0.6"])
    def test_is_a_number_from_0_to_1(self, office: Workspace, value: str) -> None:
        told = answered(office, f"threshold {value}", who=ADMIN)
        assert told["text"].startswith("A threshold is a number from 0 to 1")
        assert office.bot.thresholds() is None

    def test_may_be_looked_at_by_everybody(self, office: Workspace) -> None:
        assert "Threshold: 0.5" in shown(answered(office, "threshold"))

    @pytest.mark.parametrize("value", ["", "2", "nan", "x"])
    def test_is_not_set_by_a_damaged_button(self, office: Workspace, value: str) -> None:
        place = office.slack.ephemeral()
        office.does(office.slack.button("threshold", value, place, user=ADMIN, now=time.time()))
        assert office.whisper().startswith("A threshold is a number from 0 to 1")
        assert office.bot.thresholds() is None


class TestFind:
    def test_tells_of_a_post_by_its_id(self, office: Workspace) -> None:
        office.carded(deeds.claimed(case(), OTHER, NOON))
        told = shown(answered(office, f"find {case().id}"))
        assert f"claimed by  <@{OTHER}>" in told
        assert "its card" in told
        assert "see it on X" in told

    def test_tells_what_became_of_one_that_was_erased(self, office: Workspace) -> None:
        office.bot.store.add([cases.erased(case(), NOON)])
        told = shown(answered(office, f"find {case().id}"))
        assert "deleted" in told
        assert "parcel" not in told

    @pytest.mark.parametrize("handle", ["@river_example", "river_example", "@River_Example"])
    def test_tells_of_an_author_by_the_handle(self, office: Workspace, handle: str) -> None:
        other = tweeted(case("Not me"), id="7", root_id="7", author=Author("78", "other"))
        office.bot.store.add([case(), other])
        told = answered(office, f"find {handle}")
        assert "My parcel never came!" in shown(told)
        assert "Not me" not in shown(told)
        assert buttons(told) == []

    def test_shows_the_newest_of_many(self, office: Workspace) -> None:
        office.bot.store.add(
            [
                tweeted(
                    case(f"Post {n} of mine", received_at=NOON + timedelta(minutes=n)),
                    id=str(n),
                    root_id=str(n),
                )
                for n in range(1, 13)
            ]
        )
        told = shown(answered(office, "find @river_example"))
        assert told.index("Post 12 of") < told.index("Post 3 of")
        assert "Post 2 of" not in told

    @pytest.mark.parametrize("text", ["find 404", "find @nobody"])
    def test_tells_that_there_is_none(self, office: Workspace, text: str) -> None:
        assert answered(office, text)["text"].startswith("No case")

    def test_alone_tells_what_to_type_behind_it(self, office: Workspace) -> None:
        assert "find @river_example" in answered(office, "find")["text"]

    def test_offers_to_unmute_whoever_is_muted(self, office: Workspace) -> None:
        office.does(office.chosen("mute", office.carded(case())))
        found = answered(office, "find @river_example")
        assert buttons(found) == ["unmute"]
        told = pressed(office, "unmute", found)
        assert told["text"] == "What @river_example writes makes cards again."
        assert told["replace_original"] is True
        assert not office.bot.mutes.muted(RIVER), "by no name, the id included"
        assert buttons(answered(office, "find @river_example")) == []

    def test_offers_to_let_the_bot_answer_whoever_is_opted_out(self, office: Workspace) -> None:
        office.does(office.chosen("opt out", office.carded(case())))
        found = answered(office, "find @river_example")
        assert buttons(found) == ["opt in"]
        told = pressed(office, "opt in", found)
        assert told["text"] == "The bot may answer @river_example again."
        assert not office.bot.opt_outs.opted_out(RIVER), "by no name, the id included"

    def test_does_not_offer_it_where_the_author_asked_to_be_left_alone(
        self, office: Workspace
    ) -> None:
        office.bot.opt_outs.add(RIVER, NOON)
        office.does(office.chosen("opt out", office.carded(case())))
        found = answered(office, "find @river_example")
        assert buttons(found) == []
        assert "they asked for it, so nobody here can undo it." in found["text"]

    def test_refuses_it_where_the_author_has_asked_since(self, office: Workspace) -> None:
        office.does(office.chosen("opt out", office.carded(case())))
        found = answered(office, "find @river_example")
        office.bot.opt_outs.add(RIVER, NOON)
        told = pressed(office, "opt in", found, ADMIN)
        assert told["text"].startswith("@river_example asked the bot to be quiet, which X's rules")
        assert told["replace_original"] is False
        assert office.bot.opt_outs.opted_out(RIVER) == "author"

    @pytest.mark.parametrize(
        "word", ["@" + "x" * 51, "1" * 101, "x" * 3_000, "@", "@a b", "*river*", "<!channel>"]
    )
    def test_refuses_what_is_neither_an_id_nor_a_handle(self, office: Workspace, word: str) -> None:
        assert answered(office, f"find {word}")["text"].startswith("That is neither an id nor")

    def test_makes_a_card_of_what_was_missed(self, office: Workspace) -> None:
        office.bot.store.add([CALMED])
        before = answered(office, "find @river_example")
        assert buttons(before) == ["missed", "needless"]
        told = pressed(office, "missed", before)
        assert told["replace_original"] is True
        assert f"waits for a person  · “{CALM}”" in shown(told)
        assert f"<@{AGENT}>  says that it needs a person" in shown(told)
        assert buttons(told) == [], "whatever more is to be said is said on the card"
        after = office.case(CALMED.id)
        assert after.label == Label(True, AGENT, NOON, "starter")
        assert after.open
        assert office.card(CALMED.id)["text"].startswith("Needs a person.")
        assert "its card" in shown(answered(office, f"find {CALMED.id}"))

    @pytest.mark.parametrize("words", ["find @river_example", f"find {case().id}"])
    def test_takes_that_nobody_was_needed(self, office: Workspace, words: str) -> None:
        office.bot.store.add([CALMED])
        told = pressed(office, "needless", answered(office, words))
        assert told["replace_original"] is True
        assert f"<@{AGENT}>  says that it needs nobody" in shown(told)
        assert buttons(told) == ["missed", "needless"], "another may know better"
        after = office.case(CALMED.id)
        assert after.label == Label(False, AGENT, NOON, "starter")
        assert (after.route, after.effects, office.slack.messages) == ("reply", (), [])

    def test_takes_a_press_that_comes_again_after_others_once(self, office: Workspace) -> None:
        office.bot.store.add([CALMED])
        found = answered(office, "find @river_example")
        press = office.pressed("needless", office.slack.ephemeral(found))
        office.does(press)
        pressed(office, "missed", found, OTHER)
        office.does(press)
        assert office.case(CALMED.id).label == Label(True, OTHER, NOON, "starter")

    def test_shows_what_was_said_although_the_list_does_not_know_it_yet(
        self, office: Workspace
    ) -> None:
        office.bot.store.add([CALMED])
        changed = deeds.labelled(CALMED, AGENT, NOON, escalate=False)
        told = office.bot.clerk.triage.find("@river_example", changed)
        assert f"<@{AGENT}>  says that it needs nobody" in shown(told)

    def test_tells_that_what_was_labelled_is_gone(self, office: Workspace) -> None:
        office.bot.store.add([CALMED])
        found = answered(office, "find @river_example")
        with office.bot.database.writing() as connection:
            connection.execute("DELETE FROM cases")
        told = pressed(office, "missed", found)
        assert told["text"].startswith("This case is no longer here")
        assert told["replace_original"] is False

    @pytest.mark.parametrize("value", ["", "{", '{"case": 5}', '{"case": "1"}'])
    def test_refuses_a_damaged_label(self, office: Workspace, value: str) -> None:
        place = office.slack.ephemeral()
        office.does(office.slack.button("missed", value, place, now=time.time()))
        assert "damaged or of another release" in office.whisper()

    def test_offers_both(self, office: Workspace) -> None:
        office.bot.mutes.mute(RIVER, AGENT, NOON)
        office.bot.opt_outs.add(RIVER, NOON, AGENT)
        assert buttons(answered(office, "find @river_example")) == ["unmute", "opt in"]


def test_a_button_of_another_release_is_refused(office: Workspace) -> None:
    with pytest.raises(Refused, match="of another release"):
        office.bot.clerk.triage.pressed("dance", "", AGENT)
