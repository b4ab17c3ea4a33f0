"""Whether the model still fits what comes in: figures, conclusions, and who is told of them."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import deeds, settings, tryouts
from bot.__main__ import parser
from bot.cases import Case, Channels, Label
from bot.chance import CERTAIN, DOUBTED, exceeds, shift, shift_by_chance
from bot.checkups import Checkups
from bot.classifier.archive import pack
from bot.classifier.artifact import Description
from bot.classifier.learnt import baselines, learnt, published
from bot.classifier.variants import variant_name
from bot.digests import Digests
from bot.drift import LITTLE, Baseline, Examined, Learnt, baseline_of, examined
from bot.errors import Misconfigured, Refused
from bot.hours import ALWAYS, Hours
from bot.notices import Drift, Incident
from bot.telemetry import METRIC, Metric
from bot.tweets import typed
from bot.verdicts import Verdict
from bot.weekly import WEEK, Figures, figures, from_json, to_json
from bot.wiring import Parts
from tests.examples import ANGRY, CALM, NOON, archive, case, parts, trained
from tests.fakes import MemoryCases
from tests.simulation import QUEUED
from tests.test_cases import CONSOLE

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONDAY = NOON - 3 * HOUR
"""At nine, of the second of November 2026."""
BERLIN = Hours(ZoneInfo("Europe/Berlin"), frozenset(range(5)), 9 * 60, 17 * 60)
EVEN = (0.1,) * 10
CARD = {"baseline": {"scores": list(EVEN), "unknown": 0.05, "mistakes": 0.14}}
KNOWN = Learnt("m", Baseline(EVEN, 0.05, 0.14))


def came(number: int, probability: float = 0.9, tokens: str = "a parcel", **changes: Any) -> Case:
    """A case of the last week, judged by `m`; minutes apart."""
    at = MONDAY - timedelta(minutes=number + 1)
    verdict = Verdict(probability, 0.5, tokens, changes.pop("model", "m"))
    made = case(received_at=at, decided_at=at, **{"verdict": verdict, **changes})
    return replace(made, tweet=replace(made.tweet, id=str(number), root_id=str(number)))


def said(label: bool) -> Label:
    return Label(label, "U1", NOON, "m")


def counted(found: Sequence[Case], words: frozenset[str] | None = None, **more: Any) -> Figures:
    newest = sorted(found, key=lambda one: one.received_at, reverse=True)
    return figures(newest, MONDAY - WEEK, MONDAY, {"m": words} if words else {}, **more)


def week(scores: Sequence[int] = (20,) * 10, **changes: Any) -> Figures:
    return Figures(MONDAY - WEEK, MONDAY, "m", list(scores), **changes)


class TestTheFiguresOfAWeek:
    def test_tell_how_its_scores_are_spread(self) -> None:
        found = counted([came(n, p) for n, p in enumerate((0.0, 0.05, 0.1, 0.55, 0.999, 1.0))])
        assert found.scores == [2, 1, 0, 0, 0, 1, 0, 0, 0, 2]
        assert (found.posts, found.model) == (6, "m")

    def test_are_of_what_came_within_the_week(self) -> None:
        edges = [MONDAY - WEEK - HOUR, MONDAY - WEEK, MONDAY - HOUR, MONDAY]
        found = [replace(came(n), received_at=at) for n, at in enumerate(edges)]
        assert counted(found).posts == 2

    def test_tell_which_share_of_the_words_it_does_not_know(self) -> None:
        found = [came(1, tokens="my parcel my"), came(2, tokens="my kiosk"), came(3, tokens="")]
        assert counted(found, frozenset({"my", "parcel"})).unknown_share == 0.2
        assert counted(found).unknown_share is None

    def test_leave_out_scores_of_texts_of_which_it_knows_no_word(self) -> None:
        unknown = Verdict(0.5, 0.5, "kiosk", "m", known=False)
        found = counted([came(1, verdict=unknown, label=said(False))], frozenset({"my"}))
        assert (found.posts, found.looked_at, found.unknown) == (0, 0, 1)

    @pytest.mark.parametrize(
        ("probability", "changes", "looked_at", "wrong"),
        [
            (0.9, {}, 0, 0),
            (0.9, {"label": said(True)}, 1, 0),
            (0.9, {"label": said(False)}, 1, 1),
            (0.1, {"label": said(True), "route": "reply"}, 1, 1),
            (0.1, {"label": said(False), "route": "reply"}, 1, 0),
            (0.9, {"resolved": True}, 1, 0),
            (0.1, {"resolved": True}, 0, 0),  # a rule made that card, and the model did not
            (0.1, {"resolved": True, "route": "reply"}, 0, 0),
            (0.9, {"resolved": True, "route": "skip"}, 0, 0),  # a rule kept it from people
        ],
    )
    def test_count_what_agents_found_right_and_wrong(
        self, probability: float, changes: Any, looked_at: int, wrong: int
    ) -> None:
        found = counted([came(1, probability, **changes)])
        assert (found.looked_at, found.wrong) == (looked_at, wrong)

    def test_count_a_card_that_was_dismissed_as_a_correction(self) -> None:
        found = counted([deeds.dismissed(came(1), "U1", NOON), deeds.resolved(came(2), "U1", NOON)])
        assert (found.looked_at, found.wrong) == (2, 1)

    def test_tell_how_many_mistakes_its_probabilities_let_expect(self) -> None:
        found = counted([came(n, p, label=said(True)) for n, p in enumerate((0.9, 0.6, 0.2))])
        assert found.expected == pytest.approx(0.1 + 0.4 + 0.2)

    def test_count_of_a_text_that_was_only_tried_its_label_alone(self) -> None:
        tried = replace(came(1), tweet=typed("I am angry", "tried-1"))
        found = counted([tryouts.labelled(MemoryCases(), tried, False, "U1", NOON)])
        assert (found.posts, found.looked_at, found.wrong) == (0, 1, 1)

    def test_leave_out_what_is_about_no_post_and_what_is_gone(self) -> None:
        notice = came(1, route="notice", notice=Incident("burst", NOON), verdict=None)
        assert counted([notice, came(2, erased=True), came(3, verdict=None)]) == counted([])

    def test_are_of_the_model_that_judged_last(self) -> None:
        found = counted([came(1, model="new"), came(2), came(3, model="new")])
        assert (found.model, found.posts, found.others) == ("new", 2, 1)

    def test_of_more_than_are_read_say_so(self) -> None:
        found = [came(n) for n in range(5)]
        assert not counted(found, most=5).partly
        few = counted(found, most=4)
        assert (few.posts, few.partly) == (4, True)

    def test_come_back_from_json_and_from_a_newer_releases(self) -> None:
        found = counted([came(1, label=said(False)), came(2, model="old")], frozenset({"my"}))
        record = json.loads(json.dumps({**to_json(found), "mood": "glad"}))
        assert from_json(record) == found


class TestChance:
    def test_of_an_index_is_nothing_without_a_change_and_grows_with_it(self) -> None:
        assert shift((20,) * 10, EVEN) == pytest.approx(0)
        small, large = (shift((20 - by, 20 + by) + (20,) * 8, EVEN) for by in (5, 15))
        assert 0 < small < large

    def test_of_an_index_is_as_in_its_formula(self) -> None:
        # (.7 - .5) ln(.7 / .5) + (.3 - .5) ln(.3 / .5)
        assert shift((70_000, 30_000), (0.5, 0.5)) == pytest.approx(0.16946, abs=1e-4)

    def test_of_an_index_bears_bins_that_are_empty(self) -> None:
        assert 1 < shift((200,) + (0,) * 9, (0.0,) * 9 + (1.0,)) < 100

    @pytest.mark.parametrize(("posts", "compared_with"), [(100, None), (1_000, None), (300, 400)])
    def test_exceeds_its_bound_as_seldom_as_it_says(
        self, posts: int, compared_with: int | None
    ) -> None:
        chance = Random(7)  # noqa: S311  the same draws each time

        def drawn(number: int) -> list[int]:
            found = [0] * 10
            for _ in range(number):
                found[chance.randrange(10)] += 1
            return found

        bound = shift_by_chance(posts, compared_with)
        times = 0
        for _ in range(400):
            then = drawn(compared_with) if compared_with else [1] * 10
            shares = [count / sum(then) for count in then]
            times += shift(drawn(posts), shares) > bound
        assert times <= 400 * 0.03

    @pytest.mark.parametrize(
        ("found", "of", "promised", "sigmas", "more"),
        [
            (19, 60, 0.14, CERTAIN, True),
            (12, 60, 0.14, DOUBTED, False),
            (14, 60, 0.14, DOUBTED, True),
            (14, 60, 0.14, CERTAIN, False),
            (3, 5, 0.14, CERTAIN, True),
            (2, 5, 0.14, CERTAIN, False),
            (0, 60, 0.0, DOUBTED, False),
            (200, 1_000, 0.14, CERTAIN, True),
        ],
    )
    def test_guards_a_share_that_was_counted_on_few(
        self, found: int, of: int, promised: float, sigmas: float, more: bool
    ) -> None:
        assert exceeds(found, of, promised, None, sigmas) is more

    def test_guards_more_where_the_promise_was_counted_on_few_too(self) -> None:
        assert exceeds(19, 60, 0.14, 1_000, CERTAIN)
        assert not exceeds(19, 60, 0.14, 50, CERTAIN)


class TestAWeek:
    """`week()` is as its training data were: 200 posts, scores spread evenly."""

    def look(self, known: Learnt | None = KNOWN, **changes: Any) -> Examined:
        return examined(week(**changes), known, [])

    def test_like_the_training_data_is_fine(self) -> None:
        found = self.look(words=3_000, unknown=160, looked_at=60, wrong=8, expected=6.0)
        assert (found.conclusion, found.against) == ("fine", "its training data")
        assert found.said == (
            "Agents corrected 8 of the 60 posts they judged (13%); 14% were to be expected.",
            (
                "Its scores are spread as usual (by 0.00; 0.1 is little, 0.25 much): 50% of the "
                "posts reach 0.5, 50% in its training data."
            ),
            "It does not know 5% of the words, 5% in its training data.",
            "The model fits what comes in.",
        )

    def test_of_more_corrections_than_were_promised_asks_to_retrain(self) -> None:
        found = self.look(looked_at=60, wrong=19, expected=6.0)
        assert found.conclusion == "retrain"
        assert found.said[0] == (
            "Agents corrected 19 of the 60 posts they judged (32%); 14% were to be expected."
        )
        assert "python -m bot train DATA.csv --with-labels" in found.said[-1]

    def test_of_a_few_more_is_to_be_watched(self) -> None:
        found = self.look(looked_at=60, wrong=14, expected=6.0)
        assert found.conclusion == "watch"
        assert "python -m bot labels next" in found.said[-1]

    def test_of_corrections_that_its_probabilities_let_expect_is_fine(self) -> None:
        # Agents see what is unsure: a third of that is wrong in any model that knows what it knows.
        found = self.look(looked_at=60, wrong=19, expected=20.0)
        assert found.conclusion == "fine"
        assert found.promised == pytest.approx(1 / 3)

    def test_of_few_that_agents_judged_says_so(self) -> None:
        found = self.look(looked_at=19, wrong=19, expected=1.0)
        assert (found.conclusion, found.promised) == ("fine", None)
        assert found.said[0] == "Agents judged 19 of them: too few to tell."
        assert self.look().said[0] == "Agents judged none of these posts."

    @pytest.mark.parametrize(
        ("scores", "how"),
        [
            ((26, 14) * 5, "are spread as usual"),
            ((28, 12) * 5, "have shifted (by 0.1"),
            ((35, 5) * 5, "have shifted much (by 0.6"),
        ],
    )
    def test_of_other_scores_alone_is_to_be_watched(
        self, scores: tuple[int, ...], how: str
    ) -> None:
        found = self.look(scores=scores)
        assert how in found.said[1]
        assert found.conclusion == ("fine" if "usual" in how else "watch")

    def test_of_few_posts_may_have_other_scores_by_chance(self) -> None:
        few, many = (self.look(scores=(7 * n, 3 * n) * 5) for n in (2, 40))
        assert few.shift
        assert few.shift > LITTLE
        assert (few.conclusion, many.conclusion) == ("fine", "watch")

    @pytest.mark.parametrize(
        ("unknown", "conclusion"), [(150, "fine"), (230, "fine"), (250, "watch"), (600, "watch")]
    )
    def test_of_many_words_that_it_does_not_know_is_to_be_watched(
        self, unknown: int, conclusion: str
    ) -> None:
        assert self.look(words=3_000, unknown=unknown).conclusion == conclusion

    def test_of_strange_scores_and_strange_words_asks_to_retrain(self) -> None:
        strange: dict[str, Any] = {"scores": (35, 5) * 5, "words": 3_000, "unknown": 600}
        assert self.look(**strange).conclusion == "retrain"

    def test_that_agents_find_right_is_fine_unless_all_else_is_strange(self) -> None:
        right: dict[str, Any] = {"looked_at": 60, "wrong": 5, "expected": 6.0, "words": 3_000}
        assert self.look(**right, unknown=600).conclusion == "fine"
        assert self.look(**right, scores=(35, 5) * 5).conclusion == "fine"
        assert self.look(**right, scores=(35, 5) * 5, unknown=600).conclusion == "watch"

    def test_of_few_posts_is_no_reason_for_an_alarm(self) -> None:
        found = self.look(scores=(99,) + (0,) * 9, looked_at=60, wrong=60)
        assert (found.conclusion, found.against) == ("fine", None)
        assert found.said == (
            "The model judged 99 posts this week: too few to tell (100 at least).",
        )

    @pytest.mark.parametrize("known", [None, Learnt("m"), replace(KNOWN, model="another")])
    def test_is_compared_with_the_weeks_before_where_no_training_data_are_known(
        self, known: Learnt | None
    ) -> None:
        before = [week(words=900, unknown=45, looked_at=40, wrong=4)] * 4
        now = week((35, 5) * 5, words=900, unknown=180, looked_at=60, wrong=19)
        found = examined(now, known, before)
        assert (found.conclusion, found.against, found.promised) == (
            *("retrain", "the weeks before", 0.1),
        )
        assert all("in the weeks before" in one for one in found.said[1:3])

    def test_is_not_compared_with_weeks_of_another_model(self) -> None:
        before = [replace(week(), model="old"), week((5,) * 10)]
        found = examined(week(), None, before)
        assert (found.conclusion, found.against) == ("fine", None)
        assert found.said[0].startswith("Nothing tells what its training data were like")

    def test_is_compared_by_what_the_model_tells_of_itself(self) -> None:
        found = self.look(Learnt("m", Baseline(unknown=0.05)), words=3_000, unknown=600)
        assert (found.conclusion, found.shift) == ("watch", None)


class TestABaseline:
    def test_is_read_from_a_models_card(self) -> None:
        assert baseline_of(CARD["baseline"]) == KNOWN.baseline

    @pytest.mark.parametrize(
        "scores", [None, [], [0.1] * 9, [0.2] * 10, ["much"] * 10, [-1.0, 2.0] + [0.0] * 8, "0.1"]
    )
    def test_whose_scores_are_none_is_read_without_them(self, scores: Any) -> None:
        assert baseline_of({"scores": scores, "mistakes": 0.14}) == Baseline(mistakes=0.14)

    @pytest.mark.parametrize("record", [None, [], "x", {}, {"unknown": 7, "mistakes": True}])
    def test_that_is_none_is_none(self, record: Any) -> None:
        assert baseline_of(record) is None

    def test_stands_in_the_models_file_beside_its_words(self, tmp_path: Path) -> None:
        model = tmp_path / "model.tar.gz"
        pack(trained(tmp_path), Description(name="m", card=CARD), model)
        found = learnt(model)
        assert replace(found, words=None) == KNOWN
        assert found.words == frozenset(f"{ANGRY} {CALM}".split())
        unpacked = learnt(tmp_path)  # as in a function's package
        assert unpacked == found

    def test_is_missing_where_the_model_was_trained_elsewhere(self, tmp_path: Path) -> None:
        assert learnt(archive(tmp_path)).baseline is None

    def test_of_a_model_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(Misconfigured, match="There is no model at"):
            learnt(tmp_path / "model.tar.gz")

    def test_of_an_endpoint_is_what_its_publication_noted(self) -> None:
        variant = variant_name(Description(name="Own model"), "1a2b3c4d")
        note = {"variant": variant, "baseline": {"mistakes": 0.14}, "at": "2026-11-02"}
        found = published(note)
        assert found == Learnt("own-model-1a2b3c4d", Baseline(mistakes=0.14))

    @pytest.mark.parametrize("note", [None, [], {}, {"variant": "AllTraffic"}, {"variant": 7}])
    def test_of_an_endpoint_of_which_nothing_is_noted_is_none(self, note: Any) -> None:
        assert published(note) is None

    def test_of_models_that_were_published_before_is_remembered_by_their_names(self) -> None:
        earlier = {"name": "own", "model": "own-1a2b3c4d", "baseline": {"mistakes": 0.14}}
        latest = {"name": "own", "model": "own-5e6f7a8b", "baseline": {"mistakes": 0.1}}
        older = {"model": "of-a-release-that-kept-none"}
        assert baselines({**latest, "before": [earlier, older, None]}) == {
            "own": Baseline(mistakes=0.1),
            "own-5e6f7a8b": Baseline(mistakes=0.1),
            "own-1a2b3c4d": Baseline(mistakes=0.14),
        }
        assert baselines(None) == baselines({"before": "x"}) == {}

    def test_is_the_publications_or_the_files_as_the_classifier_is_chosen(
        self, tmp_path: Path
    ) -> None:
        embedded = parts(tmp_path, MODEL_PATH=str(archive(tmp_path)))
        found = embedded.learnt()
        assert found
        assert (found.model, found.words is None) == ("small", False)
        hosted = parts(tmp_path, SAGEMAKER_ENDPOINT="e")
        assert hosted.learnt() is None
        variant = variant_name(Description(name="own"), "1a2b3c4d")
        hosted.store.set_note("publication", {"variant": variant})
        assert hosted.learnt() == Learnt("own-1a2b3c4d")


def corrected(number: int = 200) -> list[Case]:
    """A week in which agents find every third card wrong."""
    return [came(n, 0.05 + (n % 10) / 10, label=said(n % 3 > 0)) for n in range(number)]


class Desk:
    """Checkups over a store in memory, of a model that promised much."""

    def __init__(
        self,
        found: Sequence[Case] = (),
        *,
        known: Learnt | None = KNOWN,
        hour: int | None = 9,
        hours: Hours = ALWAYS,
        channels: Channels = QUEUED,
    ) -> None:
        self.store = MemoryCases()
        self.store.add(found)
        self.read = 0

        def read() -> Learnt | None:
            self.read += 1
            return known

        self.checkups = Checkups(self.store, channels, hours, hour, read)

    def told(self, now: datetime) -> list[Drift]:
        notices = [made.notice for made in self.checkups.due(now)]
        assert all(isinstance(notice, Drift) for notice in notices)
        return [notice for notice in notices if isinstance(notice, Drift)]


class TestACheckup:
    def test_is_told_on_monday_at_the_digests_hour_once(self) -> None:
        desk = Desk(corrected())
        [told] = desk.told(MONDAY)
        assert (told.since, told.until) == (MONDAY - WEEK, MONDAY)
        assert (told.model, told.posts, told.conclusion) == ("m", 200, "retrain")
        for later in (MONDAY, MONDAY + HOUR, MONDAY + 6 * DAY):
            assert desk.told(later) == []
        assert desk.read == 1, "a model's file is read once a week"

    def test_is_of_the_week_before_until_that_hour(self) -> None:
        checkups = Desk().checkups
        assert checkups.week(MONDAY) == (MONDAY - WEEK, MONDAY)
        assert checkups.week(MONDAY - HOUR / 60) == (MONDAY - 2 * WEEK, MONDAY - WEEK)

    def test_has_a_card_to_be_sent_and_is_no_case_to_work_on(self) -> None:
        desk = Desk(corrected())
        [made] = desk.checkups.due(MONDAY)
        assert desk.store.get([made.id]) == {made.id: made}
        [card] = made.effects
        assert (made.id, made.route, card.kind, card.state) == (
            *("drift-20261102", "notice", "card", "pending"),
        )
        assert (made.open, made.remind_at) == (False, None)

    def test_is_done_late_where_the_bot_was_off(self) -> None:
        [told] = Desk(corrected()).told(MONDAY + 3 * DAY + HOUR)
        assert told.until == MONDAY

    def test_is_made_once_by_two_at_once(self) -> None:
        desk = Desk(corrected())
        made = desk.checkups.due(MONDAY)
        desk.store.set_note("drift", None)  # the other one has not seen this yet
        assert desk.checkups.due(MONDAY) == []
        assert len(made) == 1

    def test_without_anything_to_do_tells_nobody(self) -> None:
        fine = [came(n, 0.05 + (n % 10) / 10) for n in range(200)]
        desk = Desk(fine)
        assert desk.told(MONDAY) == []
        assert desk.store.get(["drift-20261102"]) == {}

    def test_compares_with_the_four_weeks_before_that_it_remembers(self) -> None:
        first = MONDAY - 5 * WEEK
        usual = [
            replace(one, received_at=one.received_at - back * WEEK, tweet=typed("x", f"{back}-{n}"))
            for back in range(1, 6)
            for n, one in enumerate([came(n, 0.05 + (n % 10) / 10) for n in range(50)])
        ]
        desk = Desk([*usual, *[came(n, 0.95) for n in range(200)]], known=None)
        assert [told for n in range(1, 5) for told in desk.told(first + n * WEEK)] == []
        [told] = desk.told(MONDAY)
        assert told.conclusion == "watch"
        assert "50% in the weeks before" in told.said[1]
        assert len(desk.store.note("drift")["weeks"]) == 4

    @pytest.mark.parametrize(("given", "level"), [(corrected(), 2), (corrected(90), 0), ([], 0)])
    def test_leaves_a_line_in_the_log_with_its_metric(
        self, caplog: pytest.LogCaptureFixture, given: list[Case], level: int
    ) -> None:
        caplog.set_level(logging.DEBUG, "bot")
        Desk(given).told(MONDAY)
        [line] = [record for record in caplog.records if hasattr(record, METRIC)]
        assert getattr(line, METRIC) == Metric("Drift", "None", level)
        assert line.levelno == (logging.WARNING if level else logging.INFO)

    @pytest.mark.parametrize("switched_off", [{"hour": None}, {"channels": CONSOLE}])
    def test_tells_the_log_alone_where_nobody_wants_messages_or_would_see_them(
        self, caplog: pytest.LogCaptureFixture, switched_off: dict[str, Any]
    ) -> None:
        sunday = [replace(one, received_at=one.received_at - DAY) for one in corrected()]
        assert Desk(sunday, **switched_off).told(MONDAY) == []
        assert "Agents corrected" in caplog.text

    @pytest.mark.parametrize("hour", [0, 9, 23])
    @pytest.mark.parametrize("month", [3, 10])
    def test_leaves_no_gap_when_the_clock_is_put_forward_or_back(
        self, hour: int, month: int
    ) -> None:
        desk = Desk(hour=hour, hours=BERLIN)
        first = datetime(2026, month, 14, tzinfo=UTC)
        weeks = dict.fromkeys(desk.checkups.week(first + at * HOUR) for at in range(28 * 24))
        edges = list(weeks)
        assert len(edges) == 5
        assert all(one[1] == following[0] for one, following in pairwise(edges))
        assert {
            (end.astimezone(BERLIN.zone).weekday(), end.astimezone(BERLIN.zone).hour)
            for _, end in edges
        } == {(0, hour)}


def test_housekeeping_makes_a_checkup_after_the_digest_and_not_with_it(tmp_path: Path) -> None:
    bot = Parts(
        settings.read({"DATA_DIR": str(tmp_path), "MODEL_PATH": str(archive(tmp_path))}),
        clock=lambda: MONDAY,
    )
    desk = Desk(corrected())
    housekeeping = replace(
        bot.housekeeping,
        store=desk.store,
        digests=Digests(desk.store, QUEUED, ALWAYS, 9, lambda _day: None),
        checkups=desk.checkups,
    )
    found = []
    for _ in range(3):
        housekeeping.work()
        found.append({one.id for one in desk.store.newest() if one.notice})
    assert found == [
        {"digest-20261102"},
        {"digest-20261102", "drift-20261102"},
        {"digest-20261102", "drift-20261102"},
    ]
    tasks = [json.loads(message.body)["case"] for message in bot.cards.receive(10)]
    assert tasks == ["digest-20261102", "drift-20261102"]


class TestTheVerb:
    """Of the bot at noon of that Monday."""

    def work(self, folder: Path, *given: str, card: Any = None, **environment: str) -> int:
        model = folder / "model.tar.gz"
        pack(trained(folder), Description(name="m", card=card or {}), model)
        own = {"DATA_DIR": str(folder), "MODEL_PATH": str(model), **environment}
        arguments = parser().parse_args(["drift", *given])
        code: int = arguments.work(arguments, own)
        return code

    def rows(self, capsys: pytest.CaptureFixture[str]) -> list[Any]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    @pytest.fixture(autouse=True)
    def noon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.local.drift_verb.Parts", lambda own: Parts(own, lambda: NOON))

    def test_tells_week_by_week_and_that_it_is_time_to_retrain(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        parts(tmp_path).store.add(corrected())
        assert self.work(tmp_path, "--json", card=CARD) == 1
        rows = self.rows(capsys)
        assert [row["since"][:10] for row in rows] == [
            *("2026-11-02", "2026-10-26", "2026-10-19", "2026-10-12", "2026-10-05"),
        ]
        assert [row["posts"] for row in rows] == [0, 200, 0, 0, 0]
        assert (rows[1]["conclusion"], rows[1]["against"]) == ("retrain", "its training data")
        assert (rows[1]["words"], rows[1]["unknown"]) == (400, 200)
        assert (rows[0]["conclusion"], rows[0]["against"]) == ("cannot tell", None)

    def test_tells_people_why(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        found = corrected()
        sure = [one if n % 10 > 6 else replace(one, label=None) for n, one in enumerate(found)]
        parts(tmp_path).store.add(sure)
        self.work(tmp_path, "--weeks", "1", card=CARD)
        header, now, last, _, week, *said = capsys.readouterr().out.splitlines()
        assert header.split()[-1] == "conclusion"
        assert now.endswith("cannot tell")
        assert header.split()[-3:-1] == ["corrected", "expected"]
        assert last.split()[-6:] == ["20", "of", "60", "(33%)", "15%", "retrain"]
        assert week == "The week from 2026-10-26:"
        assert said[0].startswith("  Agents corrected ")

    def test_compares_with_the_weeks_before_where_the_model_tells_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        found = corrected()
        earlier = [
            replace(one, received_at=one.received_at - 2 * WEEK, tweet=typed("x", f"earlier-{n}"))
            for n, one in enumerate(found)
        ]
        parts(tmp_path).store.add([*found, *earlier])
        assert self.work(tmp_path, "--json", "--weeks", "1") == 0
        _, row = self.rows(capsys)
        assert (row["against"], row["conclusion"]) == ("the weeks before", "fine")

    def test_takes_an_endpoints_words_and_training_from_a_file(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        of_endpoint = [
            replace(one, verdict=replace(one.verdict, model="own-1a2b3c4d"))  # type: ignore[type-var]
            for one in corrected()
        ]
        parts(tmp_path).store.add(of_endpoint)
        hosted: dict[str, Any] = {"SAGEMAKER_ENDPOINT": "e", "card": CARD}
        assert self.work(tmp_path, "--json", **hosted) == 0
        assert self.rows(capsys)[1]["words"] is None
        model = str(tmp_path / "model.tar.gz")
        assert self.work(tmp_path, "--json", "--model", model, **hosted) == 1
        row = self.rows(capsys)[1]
        assert (row["words"], row["conclusion"]) == (400, "retrain")

    def test_knows_what_a_model_promised_that_another_has_replaced(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store = parts(tmp_path).store
        store.add(
            [replace(one, verdict=replace(one.verdict, model="old")) for one in corrected()]  # type: ignore[type-var]
        )
        assert self.work(tmp_path, "--json") == 0
        assert self.rows(capsys)[1]["conclusion"] == "cannot tell"
        store.set_note("publication", {"name": "m", "before": [{"name": "old", **CARD}]})
        for environment in ({}, {"SAGEMAKER_ENDPOINT": "e"}):
            assert self.work(tmp_path, "--json", card=CARD, **environment) == 1
            row = self.rows(capsys)[1]
            assert (row["model"], row["against"]) == ("old", "its training data")

    @pytest.mark.parametrize("weeks", ["0", "53"])
    def test_refuses_no_weeks_and_too_many(self, tmp_path: Path, weeks: str) -> None:
        with pytest.raises(Refused, match="1 to 52"):
            self.work(tmp_path, "--weeks", weeks)
