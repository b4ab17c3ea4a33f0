"""A model made of labelled posts, with its calibration, threshold and card."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.__main__ import main
from bot.cases import Label
from bot.classifier.archive import unpack
from bot.classifier.artifact import BINARY
from bot.classifier.calibration import calibrated
from bot.classifier.embedded import EmbeddedClassifier
from bot.errors import Refused
from bot.learning.labelled import Labelled, labelled
from bot.learning.metrics import Judged, figures
from bot.learning.training import aims, card, choosing, fitting, splitting
from bot.learning.training.choosing import WAYS, chosen
from bot.learning.training.examples import Example, prepared
from bot.learning.training.fitting import REFERENCE, fit, usual, write
from bot.learning.training.scaling import platt, scaled
from bot.learning.training.train import Plan, Surroundings, Trained, examined, train
from bot.learning.verbs import train as train_verb
from bot.normalize import EMOJI, PLAIN
from bot.storage.sqlite import Database, SqliteCases
from tests.examples import case
from tests.labelled_files import posts, posts_file, table

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
AROUND = Surroundings(lambda: NOW, lambda: 0.0)
SOURCE = card.Source("posts.csv", "ab" * 32)

judgements = st.lists(
    st.tuples(st.floats(0.001, 0.999), st.booleans()), min_size=2, max_size=40
).filter(lambda said: len({truth for _, truth in said}) == 2)


def judged(said: list[tuple[float, bool]]) -> Judged:
    return Judged(np.array([p for p, _ in said]), np.array([truth for _, truth in said]))


@pytest.fixture(scope="module")
def made() -> Trained:
    return train(posts(), [SOURCE], Plan(name="mine"), AROUND)


class TestTheArtifact:
    def test_tells_apart_what_it_has_learnt(self, made: Trained, tmp_path: Path) -> None:
        made.pack(tmp_path / "model.tar.gz")
        model = EmbeddedClassifier(tmp_path / "model.tar.gz")
        angry, calm = model.probabilities(["you lost my parcel", "thank you so much"])
        assert angry is not None
        assert calm is not None
        assert angry > 0.5 > calm
        assert (model.model, model.normalizer, model.threshold) == ("mine", EMOJI, 0.5)

    def test_is_the_same_file_for_the_same_rows_and_seed(
        self, made: Trained, tmp_path: Path
    ) -> None:
        again = train(posts(), [SOURCE], Plan(name="mine"), AROUND)
        for name, one in (("one", made), ("two", again)):
            one.pack(tmp_path / name)
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def test_holds_a_card_without_any_text(self, made: Trained) -> None:
        story = made.description.card
        assert story["made"] == "2026-11-02T09:00:00+00:00"
        assert story["data"]["files"] == [{"name": "posts.csv", "sha256": "ab" * 32}]
        assert (story["data"]["rows"], story["data"]["escalate"]) == (160, 0.5)
        assert story["settings"]["by"] == "usual"
        assert story["figures"]["f1"] > 0.9
        assert story["figures"]["rows"] == 160
        assert sum(story["baseline"]["scores"]) == pytest.approx(1, abs=0.001)
        assert set(story["baseline"]) == {"scores", "unknown", "mistakes"}
        assert story["failures"]
        assert "parcel" not in json.dumps(story)

    def test_says_when_its_rows_were_written_and_in_which_languages(self) -> None:
        rows = [
            replace(row, at=NOW - timedelta(days=number), language="en" if number % 4 else "de")
            for number, row in enumerate(posts())
        ]
        told = train(rows, [SOURCE], Plan(), AROUND).description.card["data"]
        assert (told["from"], told["until"]) == ("2026-05-27", "2026-11-02")
        assert told["languages"] == {"en": 120, "de": 40}

    def test_of_several_files_has_one_fingerprint(self) -> None:
        one, other = SOURCE, card.Source("more.csv", "cd" * 32)
        assert card.of_all([one]) == one.sha256
        assert card.of_all([one, other]) not in {
            one.sha256,
            card.of_all([other, one]),
        }


class TestExamples:
    def test_a_text_that_comes_again_is_learnt_once(self) -> None:
        rows = [*posts(), *posts()[:8], Labelled("You LOST my parcel, number 0!", escalate=True)]
        ready = prepared(rows, EMOJI)
        assert (len(ready.examples), ready.repeated, ready.disputed) == (160, 9, 0)
        assert {one.weight for one in ready.examples} == {1.0}

    def test_over_which_people_disagree_the_heavier_side_holds(self) -> None:
        text = posts()[0].text
        rows = [*posts(), Labelled(text, escalate=False, weight=3)]
        ready = prepared(rows, EMOJI)
        said = next(one for one in ready.examples if one.tokens == text)
        assert (said.escalate, said.weight, ready.disputed) == (False, 3, 1)

    def test_without_a_word_are_none(self) -> None:
        ready = prepared([*posts(), Labelled("…", escalate=True)], EMOJI)
        assert (len(ready.examples), ready.empty) == (160, 1)

    def test_sorted_by_label_are_shuffled(self) -> None:
        rows = sorted(posts(), key=lambda row: row.escalate)
        found = [one.escalate for one in prepared(rows, EMOJI).examples]
        assert found not in (sorted(found), sorted(found, reverse=True))

    def test_that_weigh_more_are_shown_more_often(self, tmp_path: Path) -> None:
        shown = tmp_path / "shown.txt"
        write([Example("help", True, 3.0), Example("hello", False, 0.2)], shown)
        assert shown.read_text() == "__label__1 help\n" * 3 + "__label__0 hello\n"

    @pytest.mark.parametrize(
        ("rows", "says"),
        [
            (posts()[:12], "12 rows hold 12 different texts, and a model needs 50"),
            ([row for row in posts() if row.escalate], "Of 80 different texts 0 say False"),
            (
                [row for row in posts() if row.escalate][:60] + posts()[4:8],
                "Of 64 different texts 4 say False",
            ),
            (posts(5) * 9, "360 rows hold 40 different texts"),
        ],
    )
    def test_too_few_of_them_or_on_one_side_only_are_refused(
        self, rows: list[Labelled], says: str
    ) -> None:
        with pytest.raises(Refused, match=says):
            train(rows, [SOURCE], Plan(), AROUND)


class TestSettings:
    def test_show_a_small_file_more_often(self) -> None:
        assert [usual(rows)["epoch"] for rows in (100, 5_000, 15_000, 10**6)] == [100, 30, 10, 5]

    def test_of_the_reference_are_blazing_texts(self) -> None:
        examples = prepared(posts(), PLAIN).examples
        found = fit(
            examples, chosen("reference", examples, 0, 0, lambda: 0.0, print), 0
        ).f.getArgs()
        assert (found.lr, found.epoch, found.wordNgrams, found.dim) == (0.05, 10, 2, 10)
        assert (found.bucket, found.minCount, found.maxn) == (2_000_000, 5, 0)

    def test_that_are_searched_are_those_that_rank_best(self) -> None:
        examples, said = prepared(posts(8), EMOJI).examples, list[str]()
        found = chosen("search", examples, 0, 1, lambda: 0.0, said.append)
        scores = [float(line.split()[1]) for line in said]
        tried = list(choosing.candidates(len(examples)))
        assert len(scores) == len(tried)
        assert found == tried[scores.index(max(scores))]

    def test_are_searched_no_longer_than_was_said(self) -> None:
        moments, said = iter(range(0, 10_000, 40)), list[str]()
        examples = prepared(posts(10), EMOJI).examples
        chosen("search", examples, 0, 1, lambda: float(next(moments)), said.append)
        assert len(said) == 2

    def test_can_be_left_to_fasttext(self) -> None:
        examples = prepared(posts(), EMOJI).examples
        found = chosen("autotune", examples, 0, 1 / 60, lambda: 0.0, print)
        assert set(REFERENCE) < set(found)
        assert fit(examples, {**found, "bucket": 1000}, 0).f.getArgs().lr == found["lr"]

    def test_left_to_fasttext_keep_within_its_usual_memory(self) -> None:
        examples = prepared(posts(), EMOJI).examples
        found = chosen("autotune", examples, 0, 0.01, lambda: 0.0, lambda _: None)
        assert (found["dim"], found["bucket"]) == (fitting.USUAL["dim"], fitting.USUAL["bucket"])

    def test_for_which_fasttext_has_no_time_are_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def late(*_: object, **__: object) -> None:
            raise RuntimeError("Didn't have enough time to train once")

        monkeypatch.setattr(choosing, "fit", late)
        with pytest.raises(Refused, match="give it more with --minutes"):
            chosen("autotune", prepared(posts(), EMOJI).examples, 0, 0.01, lambda: 0.0, print)

    def test_have_the_names_that_the_command_line_knows(self) -> None:
        assert train_verb.WAYS == WAYS


class TestMeasuring:
    def test_never_asks_a_model_for_what_it_has_learnt(self) -> None:
        """Labels that are nothing but chance can be learnt by heart, and not foreseen."""
        drawn = np.random.default_rng(0).integers(0, 2, 400)
        rows = [Labelled(f"word{n} thing{n * 7}", bool(side)) for n, side in enumerate(drawn)]
        found = train(rows, [SOURCE], Plan(), AROUND).description
        assert found.metrics["roc_auc"] < 0.65
        assert found.card["baseline"]["unknown"] > 0.9

    def test_of_much_data_leaves_a_fifth_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.learning.training.train.MOST_ALONE", 100)
        said: list[str] = []
        around = Surroundings(lambda: NOW, lambda: 0.0, said.append)
        story = train(posts(), [SOURCE], Plan(), around).description.card
        assert story["figures"]["rows"] == 32
        assert story["measured"] == "on the 20% of it that was not learnt from"
        assert said == ["fitted"]

    def test_uses_every_core_for_much_data(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fitting, "MOST_ALONE", 100)
        monkeypatch.setattr(fitting, "cpu_count", lambda: 3)
        assert fit(prepared(posts(), EMOJI).examples, usual(160), 0).f.getArgs().thread == 3

    def test_of_much_data_asks_for_others_than_the_search_did(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.learning.training.train.MOST_ALONE", 10)
        monkeypatch.setattr(choosing, "MOST_ALONE", 10)
        drawn: list[int] = []
        divided = choosing.divided

        def watched(examples: list[Example], seed: int) -> tuple[list[Example], list[Example]]:
            drawn.append(seed)
            return divided(examples, seed)

        monkeypatch.setattr(choosing, "divided", watched)
        train(posts(), [SOURCE], Plan(settings="search", minutes=1e-9), AROUND)
        assert len({*drawn}) == 2

    def test_tells_of_each_model_that_is_done(self) -> None:
        said: list[str] = []
        train(posts(), [SOURCE], Plan(), Surroundings(lambda: NOW, lambda: 0.0, said.append))
        assert said == [*["a fold"] * 5, "fitted"]

    def test_on_a_test_set_is_of_the_very_model(self, made: Trained) -> None:
        asked = [Labelled(f"i am so furious {n}", escalate=n < 30) for n in range(60)]
        found = examined(made, asked).description
        assert found.card["test"]["rows"] == 60
        assert (found.card["test"]["recall"], found.card["test"]["precision"]) == (1, 0.5)
        assert replace(found, card={}) == replace(made.description, card={})

    def test_names_the_lengths_it_is_weak_at(self) -> None:
        short = [Example("a b", True)] * 40
        long = [Example("a b c d e f", True)] * 160
        said = Judged(np.array([0.1] * 40 + [0.9] * 160), np.ones(200, bool))
        [weak, *_] = card.failures([*short, *long], said, 0.5)
        assert weak == (
            "Of posts of 1 to 4 words it finds 0% of those that need a person, of all 80%."
        )


class TestCalibration:
    def test_leaves_nearly_alone_what_keeps_its_word(self) -> None:
        slope, offset = platt(
            judged([(p / 20, n < p) for p in range(1, 20) for n in range(20)] * 20)
        )
        assert slope == pytest.approx(1, abs=0.05)
        assert offset == pytest.approx(0, abs=0.05)

    def test_calms_a_model_that_is_too_sure(self) -> None:
        said = [(0.99, n < 80) for n in range(100)] + [(0.01, n < 20) for n in range(100)]
        scaling = platt(judged(said))
        assert calibrated(0.99, *scaling) == pytest.approx(0.8, abs=0.02)
        assert calibrated(0.01, *scaling) == pytest.approx(0.2, abs=0.02)

    def test_is_not_thrown_off_by_a_single_answer_far_from_all_others(self) -> None:
        scaling = platt(judged([(0.000001, False)] + [(0.4, n < 45) for n in range(50)]))
        assert calibrated(0.4, *scaling) == pytest.approx(0.9, abs=0.02)

    @given(judgements)
    def test_of_many_at_once_is_that_of_each(self, said: list[tuple[float, bool]]) -> None:
        scaling = (0.7, -0.3)
        found = scaled(judged(said), scaling).probabilities
        assert list(found) == pytest.approx([calibrated(p, *scaling) for p, _ in said])


def cost(said: list[tuple[float, bool]], threshold: float, miss: float) -> float:
    misses = sum(truth and p < threshold for p, truth in said)
    return miss * misses + sum(not truth and p >= threshold for p, truth in said)


rough = st.lists(
    st.tuples(st.integers(1, 99).map(lambda n: n / 100), st.booleans()), min_size=2, max_size=40
).filter(lambda said: len({truth for _, truth in said}) == 2)


class TestAims:
    @given(rough, st.sampled_from([0.2, 1, 3, 10]))
    def test_least_cost_is_the_least_of_all_lines(
        self, said: list[tuple[float, bool]], miss: float
    ) -> None:
        found = cost(said, aims.cheapest(miss).threshold(judged(said)), miss)
        assert found == pytest.approx(min(cost(said, at / 200, miss) for at in range(201)))

    @given(rough, st.sampled_from([0.5, 0.95, 1]))
    def test_a_recall_is_reached_by_as_few_cards_as_can_be(
        self, said: list[tuple[float, bool]], recall: float
    ) -> None:
        found = aims.reaching(recall).threshold(judged(said))
        assert figures(judged(said), found).recall >= recall
        higher = min((p for p, _ in said if p >= found), default=1.0) + 0.005
        assert figures(judged(said), higher).recall < recall

    @given(rough, st.integers(1, 50))
    def test_a_number_of_cards_is_never_exceeded(
        self, said: list[tuple[float, bool]], cards: int
    ) -> None:
        found = aims.at_most(cards, 50).threshold(judged(said))
        few = len(said) * cards / 50
        assert sum(p >= found for p, _ in said) <= few
        below = max((p for p, _ in said if p < found), default=None)
        assert below is None or sum(p >= below for p, _ in said) > few

    def test_without_one_the_threshold_is_a_half(self) -> None:
        assert aims.usual().threshold(judged([(0.3, True), (0.2, False)])) == 0.5

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda: aims.cheapest(0),
            lambda: aims.reaching(95),
            lambda: aims.reaching(0),
            lambda: aims.at_most(0, 10),
            lambda: aims.at_most(3, 0),
        ],
    )
    def test_that_cannot_be_are_refused(self, wrong: Callable[[], object]) -> None:
        with pytest.raises(Refused):
            wrong()

    def test_posts_a_day_are_counted_by_their_dates(self) -> None:
        rows = [Labelled("a", True, NOW + timedelta(hours=6 * n)) for n in range(41)]
        assert aims.posts_a_day(rows) == pytest.approx(4.1)
        with pytest.raises(Refused, match="--posts-a-day"):
            aims.posts_a_day([Labelled("a", True)])


class TestATestSet:
    @pytest.mark.parametrize("seed", [0, 1])
    def test_shares_no_text_with_what_is_learnt(self, seed: int) -> None:
        rows = [*posts(), *[replace(row, text=row.text.upper()) for row in posts()]]
        seen, asked = splitting.stratified(rows, 0.25, EMOJI, seed)
        assert len(seen) + len(asked) == len(rows)
        assert {row.text.lower() for row in seen}.isdisjoint(row.text.lower() for row in asked)
        assert sum(row.escalate for row in asked) == len(asked) / 2 == 40

    def test_of_another_seed_is_another(self) -> None:
        one, other = (splitting.stratified(posts(), 0.25, EMOJI, seed)[1] for seed in (0, 1))
        assert one != other

    def test_of_the_newest_is_later_than_all_that_is_learnt(self) -> None:
        rows = [replace(row, at=NOW - timedelta(hours=n)) for n, row in enumerate(posts())]
        again = replace(rows[0], at=NOW - timedelta(days=99))
        seen, asked = splitting.newest([*rows, again], 0.25, EMOJI)
        assert max(row.at for row in seen if row.at) < min(row.at for row in asked if row.at)
        assert len(asked) == 40
        assert again not in seen

    def test_of_the_newest_needs_to_know_when(self) -> None:
        with pytest.raises(Refused, match="160 of 160 rows have no created_at"):
            splitting.newest(posts(), 0.2, EMOJI)

    @pytest.mark.parametrize("share", [0, 1, 20])
    def test_is_a_share(self, share: float) -> None:
        with pytest.raises(Refused, match="between 0 and 1"):
            splitting.stratified(posts(), share, EMOJI, 0)

    def test_of_too_little_is_refused(self) -> None:
        with pytest.raises(Refused, match="too few to set 20% aside"):
            splitting.stratified(posts()[3:5], 0.2, EMOJI, 0)

    def test_is_kept_as_it_was(self, tmp_path: Path) -> None:
        rows = [Labelled('a "b", c\nd 😡', True, NOW, "en"), Labelled("e", False)]
        splitting.write(rows, tmp_path / "test.csv")
        assert labelled([tmp_path / "test.csv"]) == rows


class TestTheVerb:
    @pytest.fixture(autouse=True)
    def home(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
        return tmp_path

    def ran(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
        assert main(["train", *map(str, arguments), "--json"]) == 0
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    def test_learns_from_several_files(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        one = posts_file(home / "one.csv", 10)
        more = table(home / "more.csv", [(f"my parcel is late {n}", "yes") for n in range(40)])
        told = self.ran(capsys, one, more, "--output", home / "m.tar.gz")
        assert told["rows"] == 120
        files = described(home / "m.tar.gz")["card"]["data"]["files"]
        assert [file["name"] for file in files] == ["one.csv", "more.csv"]
        assert files[0]["sha256"] == hashlib.sha256(one.read_bytes()).hexdigest()

    def test_holds_a_test_set_out_and_keeps_it(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        test = home / "test.csv"
        data = posts_file(home / "d.csv")
        told = self.ran(
            capsys, data, "--output", home / "m.tar.gz", "--hold-out", 0.2, "--write-test", test
        )
        assert (told["rows"], told["test"]["rows"]) == (128, 32)
        again = self.ran(capsys, data, "--output", home / "n.tar.gz", "--test", test)
        assert (again["rows"], again["test"]) == (128, told["test"])

    def test_never_makes_a_test_set_anew(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data, test = posts_file(home / "d.csv"), table(home / "test.csv", [("kept", 1)])
        kept = test.read_bytes()
        held = ["--hold-out", "0.2", "--write-test", str(test)]
        assert main(["train", str(data), "--output", str(home / "m.tar.gz"), *held]) == 2
        assert "is there already: a test set is kept" in capsys.readouterr().err
        assert test.read_bytes() == kept

    def test_keeps_a_test_set_for_its_owner_alone(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data, test = posts_file(home / "d.csv"), home / "test.csv"
        self.ran(
            capsys, data, "--output", home / "m.tar.gz", "--hold-out", 0.2, "--write-test", test
        )
        assert test.stat().st_mode & 0o777 == 0o600

    def test_tells_two_models_apart_that_nobody_named(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        names = []
        for each in (10, 20):
            data = posts_file(home / f"{each}.csv", each)
            self.ran(capsys, data, "--output", home / "m.tar.gz")
            names.append(described(home / "m.tar.gz")["name"])
        assert all(name.startswith("own-") for name in names)
        assert names[0] != names[1]

    def test_never_holds_out_what_agents_said(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store = SqliteCases(Database(home / "data/bot.sqlite"), timedelta(days=90))
        store.add([case("a word of an agent's own", label=Label(True, "U1", NOW, "starter"))])
        rows = [
            (row.text, row.escalate, f"2026-10-{n % 28 + 1:02}") for n, row in enumerate(posts())
        ]
        data = table(home / "d.csv", rows, ("text", "escalate", "created_at"))
        held = ["--hold-out", 0.2, "--newest", "--with-labels"]
        told = self.ran(capsys, data, "--output", home / "m.tar.gz", *held)
        assert (told["rows"], told["test"]["rows"]) == (129, 32)
        assert described(home / "m.tar.gz")["card"]["data"]["agents"] == 1

    def test_draws_the_threshold_for_an_aim(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = posts_file(home / "d.csv")
        told = self.ran(capsys, data, "--output", home / "m.tar.gz", "--miss-costs", 20)
        assert told["threshold"] < 0.5
        assert "costing 20 needless cards" in described(home / "m.tar.gz")["card"]["aim"]
        assert EmbeddedClassifier(home / "m.tar.gz").threshold == told["threshold"]

    def test_by_the_reference_reads_texts_as_the_reference_does(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = posts_file(home / "d.csv")
        self.ran(capsys, data, "--output", home / "m.tar.gz", "--settings", "reference")
        assert EmbeddedClassifier(home / "m.tar.gz").normalizer == PLAIN

    def test_learns_from_what_agents_said(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store = SqliteCases(Database(home / "data/bot.sqlite"), timedelta(days=90))
        store.add([replace(case(posts()[0].text), label=Label(False, "U1", NOW, "starter"))])
        data, model = posts_file(home / "d.csv"), home / "m.tar.gz"
        self.ran(capsys, data, "--output", model, "--with-labels", "--seed", 1)
        told = described(model)["card"]["data"]
        assert (told["rows"], told["agents"], told["disputed"]) == (161, 1, 1)

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--newest"], "Say with --hold-out which share"),
            (["--cards-a-day", "5"], "say it with --posts-a-day"),
            (["--recall", "95"], "Recall is a share above 0 and up to 1"),
        ],
    )
    def test_says_what_an_option_lacks(
        self, home: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
    ) -> None:
        data = posts_file(home / "d.csv")
        assert main(["train", str(data), "--output", str(home / "m.tar.gz"), *options]) == 2
        assert says in capsys.readouterr().err

    def test_tells_a_person_how_good_it_is(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = posts_file(home / "d.csv")
        assert main(["train", str(data), "--output", str(home / "m.tar.gz")]) == 0
        wrote, measured, left = capsys.readouterr().out.splitlines()
        assert wrote.endswith("m.tar.gz, threshold 0.5 (as many right verdicts as can be).")
        assert measured.startswith("Measured by cross-validation in 5 folds: rows 160, accuracy ")
        assert left.startswith("Of 160 rows 0 said the same as others")

    def test_that_cannot_write_leaves_nothing_half(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (home / "file").write_text("")
        data = posts_file(home / "d.csv")
        assert main(["train", str(data), "--output", str(home / "file/m.tar.gz")]) == 2
        assert "cannot be written" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--minutes", "nan"], "--minutes is a number above 0"),
            (["--minutes", "0"], "--minutes is a number above 0"),
            (["--seed", "-1"], "--seed is a whole number from 0"),
            (["--seed", "2147483647"], "--seed is a whole number from 0"),
            (["--label-weight", "0"], "--label-weight is a number above 0"),
            (["--label-weight", "inf"], "--label-weight is a number above 0"),
            (["--miss-costs", "inf"], "A miss costs more than nothing"),
            (["--cards-a-day", "inf", "--posts-a-day", "inf"], "are numbers above 0"),
            (["--cards-a-day", "5", "--posts-a-day", "0"], "are numbers above 0"),
            (["--posts-a-day", "5"], "--posts-a-day goes with --cards-a-day"),
            (["--test", "d.csv", "--newest"], "--newest and --write-test go with --hold-out"),
            (["--output", ""], "--output names ., which is no file"),
            (["--output", "/dev/null"], "--output names /dev/null, which is no file"),
            (["--output", "d.csv"], "--output would write over d.csv"),
            (["--hold-out", "0.2", "--write-test", "d.csv"], "--write-test would write over"),
            (["--hold-out", "0.2", "--write-test", "m.tar.gz"], "--write-test would write over"),
            (["--test", "d.csv"], "All rows stand in the test set too"),
            (["--test", "empty.csv"], "The test set is empty"),
        ],
    )
    def test_refuses_what_makes_no_sense_and_touches_no_file(
        self,
        home: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        options: list[str],
        says: str,
    ) -> None:
        monkeypatch.chdir(home)
        data = posts_file(Path("d.csv"))
        table(Path("empty.csv"), [])
        before = data.read_bytes()
        assert main(["train", "d.csv", "--output", "m.tar.gz", *options]) == 2
        assert says in capsys.readouterr().err
        assert data.read_bytes() == before
        assert not Path("m.tar.gz").exists()

    def test_that_fails_while_writing_leaves_nothing_behind(
        self, made: Trained, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("bot.learning.training.train.pack", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made.pack(home / "new/m.tar.gz")
        assert not [*(home / "new").iterdir()]

    def test_measures_by_a_test_set_of_one_side(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = posts_file(home / "d.csv")
        asked = table(home / "asked.csv", [("you lost my parcel again", "yes")])
        assert main(["train", str(data), "--output", str(home / "m"), "--test", str(asked)]) == 0
        assert "roc_auc cannot be told" in capsys.readouterr().out

    def test_measures_by_the_very_threshold_even_where_that_is_nothing(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = self.ran(
            capsys, posts_file(home / "d.csv"), "--output", home / "m", "--hold-out", "0.25",
            "--cards-a-day", "9", "--posts-a-day", "9",
        )  # fmt: skip
        assert (told["threshold"], told["test"]["recall"], told["test"]["precision"]) == (0, 1, 0.5)


def described(archive: Path) -> dict[str, Any]:
    with tarfile.open(archive) as tar:
        file = tar.extractfile("model.json")
        assert file
        found: dict[str, Any] = json.load(file)
    return found


def test_an_archive_gives_its_binary_back(made: Trained, tmp_path: Path) -> None:
    made.pack(tmp_path / "m.tar.gz")
    assert unpack(tmp_path / "m.tar.gz", tmp_path) == made.description
    assert (tmp_path / BINARY).stat().st_size < 8_000_000
