import csv
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.classifier.artifact import BINARY, unpack
from bot.classifier.embedded import EmbeddedClassifier, calibrated
from bot.classifier.training import Example, examples, platt, roc_auc, train
from bot.errors import Refused

ANGRY = ["you lost my parcel", "i am furious", "worst service ever", "refund me now"]
CALM = ["thank you so much", "what a lovely shop", "when do you open", "the app is great"]
ROWS = [
    (f"{text} number {n}", label)
    for n in range(8)
    for text, label in [*((text, "True") for text in ANGRY), *((text, "False") for text in CALM)]
]

judgements = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40).filter(
    lambda judged: len({truth for _, truth in judged}) == 2
)


def table(path: Path, rows: list[tuple[str, str]], label: str = "escalate") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", label), *rows])
    return path


class TestTraining:
    def test_makes_a_model_that_tells_the_rows_apart(self, tmp_path: Path) -> None:
        data = table(tmp_path / "data.csv", ROWS)
        described = train(data, tmp_path / "model.tar.gz", "mine")
        classifier = EmbeddedClassifier(tmp_path / "model.tar.gz")
        angry, calm = classifier.probabilities(["you lost my parcel", "thank you so much"])
        assert angry is not None
        assert calm is not None
        assert angry > 0.5 > calm
        assert (classifier.model, described.metrics["rows"]) == ("mine", 64)
        assert described.metrics["accuracy"] > 0.9
        assert described.data == hashlib.sha256(data.read_bytes()).hexdigest()

    def test_on_the_same_rows_makes_the_same_model(self, tmp_path: Path) -> None:
        data = table(tmp_path / "data.csv", ROWS)
        made = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            train(data, tmp_path / f"{name}.tar.gz", "mine")
            described = unpack(tmp_path / f"{name}.tar.gz", tmp_path / name)
            made.append((described, (tmp_path / name / BINARY).read_bytes()))
        assert made[0] == made[1]

    def test_shuffles_rows_that_are_sorted_by_label(self, tmp_path: Path) -> None:
        rows = sorted(ROWS, key=lambda row: row[1])
        found = [example.escalate for example in examples(table(tmp_path / "data.csv", rows))]
        assert found not in (sorted(found), sorted(found, reverse=True))


class TestTheTable:
    @pytest.mark.parametrize("label", ["escalate", "label"])
    @pytest.mark.parametrize(("yes", "no"), [("True", "False"), ("1", "0"), ("YES", " no ")])
    def test_may_name_and_write_its_labels_in_several_ways(
        self, label: str, yes: str, no: str, tmp_path: Path
    ) -> None:
        rows = [(text, yes if truth == "True" else no) for text, truth in ROWS]
        found = examples(table(tmp_path / "data.csv", rows, label))
        assert sum(example.escalate for example in found) == 32

    def test_is_read_with_emoji_as_words_and_without_empty_rows(self, tmp_path: Path) -> None:
        found = examples(table(tmp_path / "data.csv", [*ROWS, ("😡", "True"), ("…", "True")]))
        assert Example("enraged face", escalate=True) in found
        assert len(found) == 65

    def test_may_begin_with_the_mark_that_spreadsheets_write(self, tmp_path: Path) -> None:
        plain = table(tmp_path / "data.csv", ROWS)
        marked = tmp_path / "marked.csv"
        marked.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes())
        assert examples(marked) == examples(plain)

    @pytest.mark.parametrize(
        "row", [("hello", "maybe"), ("hello", ""), ("hello", "2"), ("hello", None)]
    )
    def test_with_a_bad_row_is_refused_by_its_number(
        self, row: tuple[str, str], tmp_path: Path
    ) -> None:
        data = table(tmp_path / "data.csv", [*ROWS[:3], row, *ROWS[3:]])
        with pytest.raises(Refused, match=r"data\.csv, row 5: it needs a text, and True or False"):
            examples(data)

    def test_without_a_column_of_texts_is_refused(self, tmp_path: Path) -> None:
        data = tmp_path / "data.csv"
        data.write_text("tweet,escalate\nhello,True\n")
        with pytest.raises(Refused, match="row 2: it needs a text"):
            examples(data)

    @pytest.mark.parametrize("rows", [[], ROWS[:49], [(text, "True") for text, _ in ROWS]])
    def test_with_too_little_in_it_is_refused(
        self, rows: list[tuple[str, str]], tmp_path: Path
    ) -> None:
        with pytest.raises(Refused, match="at least 50 rows, and both labels"):
            examples(table(tmp_path / "data.csv", rows))

    @pytest.mark.parametrize("content", [b"text,escalate\n\xff\xfe,True\n", None])
    def test_that_cannot_be_read_is_refused(self, content: bytes | None, tmp_path: Path) -> None:
        data = tmp_path / "data.csv"
        if content:
            data.write_bytes(content)
        with pytest.raises(Refused, match="cannot be read as CSV"):
            examples(data)


class TestPlatt:
    def test_leaves_what_is_calibrated_nearly_as_it_is(self) -> None:
        judged = [(p / 20, n < p) for p in range(1, 20) for n in range(20)] * 20
        slope, offset = platt(judged)
        assert slope == pytest.approx(1, abs=0.05)
        assert offset == pytest.approx(0, abs=0.05)

    def test_calms_a_model_that_is_too_sure(self) -> None:
        judged = [(0.99, n < 80) for n in range(100)] + [(0.01, n < 20) for n in range(100)]
        assert calibrated(0.99, *platt(judged)) == pytest.approx(0.8, abs=0.02)
        assert calibrated(0.01, *platt(judged)) == pytest.approx(0.2, abs=0.02)

    def test_is_not_thrown_off_by_a_single_answer_far_from_all_others(self) -> None:
        judged = [(0.000001, False)] + [(0.4, n < 45) for n in range(50)]
        assert calibrated(0.4, *platt(judged)) == pytest.approx(0.9, abs=0.02)

    @given(judgements)
    def test_always_ends_in_numbers(self, judged: list[tuple[float, bool]]) -> None:
        slope, offset = platt(judged)
        assert abs(slope) < float("inf") > abs(offset)
        assert 0 <= calibrated(0.5, slope, offset) <= 1


class TestRocAuc:
    @given(judgements)
    def test_is_the_share_of_pairs_in_the_right_order(
        self, judged: list[tuple[float, bool]]
    ) -> None:
        pairs = [
            (yes > no) + (yes == no) / 2
            for yes, truth in judged
            if truth
            for no, lie in judged
            if not lie
        ]
        assert roc_auc(judged) == pytest.approx(sum(pairs) / len(pairs))

    @given(judgements)
    def test_is_mirrored_when_the_truth_is_turned_around(
        self, judged: list[tuple[float, bool]]
    ) -> None:
        mirrored = [(probability, not truth) for probability, truth in judged]
        assert roc_auc(judged) + roc_auc(mirrored) == pytest.approx(1)
