import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import fasttext
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.classifier.archive import pack, unpack
from bot.classifier.artifact import BINARY, DESCRIPTION, Description, vocabulary
from bot.classifier.calibration import calibrated
from bot.classifier.embedded import EmbeddedClassifier
from bot.errors import Misconfigured
from bot.normalize import EMOJI, PLAIN
from bot.tweets import LONGEST_TEXT
from bot.verdicts import Verdict, judge

ROOT = Path(__file__).parents[1]
ARCHIVE = ROOT / "build" / "model.tar.gz"


@pytest.fixture(scope="module")
def starter() -> EmbeddedClassifier:
    assert ARCHIVE.is_file(), "There is no model: run make setup."
    return EmbeddedClassifier(ARCHIVE)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    unpack(ARCHIVE, folder)
    return folder / BINARY


def verdict(text: str, classifier: EmbeddedClassifier) -> Verdict:
    [found] = judge([text], classifier, None)
    return found


class TestTheStarterModel:
    @pytest.mark.parametrize(
        "text",
        [
            "I am very angry",
            "Worst service ever, I want my money back!",
            "still waiting for my refund, nobody answers 😡",
        ],
    )
    def test_escalates_what_is_angry(self, text: str, starter: EmbeddedClassifier) -> None:
        assert verdict(text, starter).escalate

    @pytest.mark.parametrize(
        "text",
        [
            "thanks, I am happy with your service",
            "Love the new app, well done team!",
            "what time do you open on Sunday?",
        ],
    )
    def test_leaves_what_is_calm_to_the_bot(self, text: str, starter: EmbeddedClassifier) -> None:
        assert not verdict(text, starter).escalate

    @pytest.mark.parametrize("text", ["", " \n", "!?…", "\u202e\u200f", "qqxzvk", "怒っています"])
    def test_is_not_trusted_with_a_text_it_cannot_read(
        self, text: str, starter: EmbeddedClassifier
    ) -> None:
        assert not verdict(text, starter).known
        assert verdict(text, starter).escalate

    def test_reads_emoji(self, starter: EmbeddedClassifier) -> None:
        assert verdict("😡😡", starter).known
        assert verdict("😡😡", starter).probability > verdict("😍😍", starter).probability

    @settings(deadline=None)  # the longest texts take their time on a busy machine
    @given(text=st.text())
    @example(text="angry " * (LONGEST_TEXT // 6))
    @example(text="x" * LONGEST_TEXT)
    @example(text="😡" * LONGEST_TEXT)
    @example(text="__label__1 </s>\0\n\n__label__0")
    def test_has_a_sound_answer_to_any_text(self, text: str, starter: EmbeddedClassifier) -> None:
        found = verdict(text, starter)
        assert 0 <= found.probability <= 1
        assert 0.5 <= found.confidence <= 1
        assert found.known or found.escalate

    def test_judges_a_text_alike_alone_and_among_others(self, starter: EmbeddedClassifier) -> None:
        texts = ["i am angry", "thanks", "qqxzvk", "my parcel is lost"]
        assert starter.probabilities(texts) == [
            probability for text in texts for probability in starter.probabilities([text])
        ]

    def test_says_how_it_was_made(self, starter: EmbeddedClassifier) -> None:
        assert (starter.model, starter.normalizer, starter.threshold) == ("starter", EMOJI, 0.5)

    def test_knows_the_words_that_fasttext_says_it_knows(self, unpacked: Path) -> None:
        words = set(fasttext.load_model(str(unpacked)).get_words())
        assert vocabulary(unpacked) == words - {"</s>"}
        assert len(words) > 500


class TestAnArchive:
    def test_brings_back_what_was_packed(self, unpacked: Path, tmp_path: Path) -> None:
        described = Description("mine", normalizer=EMOJI, threshold=0.4, calibration=(1.5, -0.5))
        binary = tmp_path / BINARY
        binary.write_bytes(unpacked.read_bytes())
        pack(binary, described, tmp_path / "out" / "mine.tar.gz")
        (tmp_path / "in").mkdir()
        assert unpack(tmp_path / "out" / "mine.tar.gz", tmp_path / "in") == described
        assert (tmp_path / "in" / BINARY).read_bytes() == unpacked.read_bytes()
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.tar.gz"]

    def test_that_blazingtext_wrote_is_plain_and_named_after_its_file(
        self, unpacked: Path, tmp_path: Path
    ) -> None:
        archive = written(tmp_path, {BINARY: unpacked.read_bytes()})
        classifier = EmbeddedClassifier(archive)
        assert (classifier.model, classifier.normalizer, classifier.threshold) == (
            "bad",
            PLAIN,
            None,
        )

    @pytest.mark.parametrize(
        ("files", "says"),
        [
            ({}, "is no model archive"),
            ({DESCRIPTION: b"{}"}, "is no model archive"),
            ({BINARY: b""}, "no fastText model"),
            ({BINARY: b"hello, I am no model at all"}, "no fastText model"),
            ({BINARY: b"", DESCRIPTION: b"{"}, "is no model archive"),
            ({BINARY: b"", DESCRIPTION: b"[]"}, "is no model archive"),
            ({BINARY: b"", DESCRIPTION: b'{"mood": 1}'}, "mood"),
            ({BINARY: b"", DESCRIPTION: b'{"normalizer": "x"}'}, "normalizer «x» is not known"),
            ({BINARY: b"", DESCRIPTION: b'{"version": 2}'}, "a newer release .* upgrade this one"),
            ({BINARY: b"", DESCRIPTION: b'{"version": "b"}'}, "it is no description"),
            (
                {BINARY: b"", DESCRIPTION: b'{"labels": ["a", "b"]}'},
                "its labels are a, b, and must",
            ),
            ({BINARY: b"", DESCRIPTION: b'{"calibration": [1]}'}, "is no model archive"),
        ],
    )
    def test_that_is_none_is_refused_with_why(
        self, files: dict[str, bytes], says: str, tmp_path: Path
    ) -> None:
        with pytest.raises(Misconfigured, match=says):
            EmbeddedClassifier(written(tmp_path, files))

    def test_with_a_byte_flipped_behind_its_model_is_refused(
        self, unpacked: Path, tmp_path: Path
    ) -> None:
        archive = written(tmp_path, {BINARY: unpacked.read_bytes(), DESCRIPTION: b"{}"})
        content = bytearray(archive.read_bytes())
        content[-40] ^= 0xFF
        archive.write_bytes(content)
        with pytest.raises(Misconfigured, match="is no model archive"):
            EmbeddedClassifier(archive)

    @pytest.mark.parametrize("missing", [200, 1_000, 1_000_000])
    def test_whose_model_was_cut_short_is_refused_at_start(
        self, unpacked: Path, tmp_path: Path, missing: int
    ) -> None:
        archive = written(tmp_path, {BINARY: unpacked.read_bytes()[:-missing]})
        with pytest.raises(Misconfigured, match=r"The model\.bin of bad is no whole model"):
            EmbeddedClassifier(archive)

    def test_whose_model_tells_other_labels_apart_is_refused(self, tmp_path: Path) -> None:
        lines = tmp_path / "lines.txt"
        lines.write_text("__label__good thanks a lot\n__label__bad this is bad\n" * 10)
        model = fasttext.train_supervised(str(lines), dim=2, bucket=10, verbose=0)
        model.save_model(str(tmp_path / "other.bin"))
        archive = written(tmp_path, {BINARY: (tmp_path / "other.bin").read_bytes()})
        with pytest.raises(Misconfigured, match=r"tells __label__\w+, __label__\w+ apart instead"):
            EmbeddedClassifier(archive)

    @pytest.mark.parametrize("kept", [0, 10, 1000, 100_000])
    def test_that_was_cut_short_is_refused(self, kept: int, tmp_path: Path) -> None:
        cut = tmp_path / "cut.tar.gz"
        cut.write_bytes(ARCHIVE.read_bytes()[:kept])
        with pytest.raises(Misconfigured, match=r"cut\.tar\.gz is no model archive"):
            EmbeddedClassifier(cut)

    def test_that_lies_unpacked_is_the_same_model(
        self, starter: EmbeddedClassifier, tmp_path: Path
    ) -> None:
        subprocess.run(["tar", "-xzf", ARCHIVE, "-C", tmp_path], check=True)  # noqa: S607
        own = EmbeddedClassifier(tmp_path)
        texts = ["i am very angry", "thanks", "qqxzvk"]
        assert own.probabilities(texts) == starter.probabilities(texts)
        assert (own.model, own.normalizer, own.threshold) == (
            starter.model,
            starter.normalizer,
            starter.threshold,
        )

    @pytest.mark.parametrize("record", ["{", "[]", '{"weather": 1}', '{"normalizer": "none"}'])
    def test_that_lies_unpacked_beside_a_wrong_description_is_refused(
        self, record: str, tmp_path: Path
    ) -> None:
        (tmp_path / DESCRIPTION).write_text(record)
        with pytest.raises(Misconfigured, match=r"model\.json describes no model"):
            EmbeddedClassifier(tmp_path)

    def test_that_lies_unpacked_without_a_description_is_called_like_its_folder(
        self, unpacked: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "blazing"
        folder.mkdir()
        (folder / BINARY).symlink_to(unpacked)
        assert EmbeddedClassifier(folder).model == "blazing"

    def test_of_which_only_the_beginning_lies_there_is_refused(
        self, unpacked: Path, tmp_path: Path
    ) -> None:
        (tmp_path / BINARY).write_bytes(unpacked.read_bytes()[:2000])
        with pytest.raises(Misconfigured, match="not a whole one"):
            EmbeddedClassifier(tmp_path)

    def test_that_is_missing_is_told_with_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(Misconfigured, match="name another file, or run make setup"):
            EmbeddedClassifier(tmp_path / "none.tar.gz")


def written(folder: Path, files: dict[str, bytes]) -> Path:
    archive = folder / "bad.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive


shares = st.floats(-0.1, 1.1)
slopes: Any = st.floats(0, 1e6)
offsets: Any = st.floats(-1e6, 1e6)


class TestCalibration:
    @given(shares, slopes, offsets)
    def test_gives_a_probability_whatever_its_numbers(
        self, raw: float, slope: float, offset: float
    ) -> None:
        assert 0 <= calibrated(raw, slope, offset) <= 1

    @given(st.floats(1e-6, 1 - 1e-6))
    def test_of_slope_one_and_no_offset_changes_nothing(self, raw: float) -> None:
        assert calibrated(raw, 1, 0) == pytest.approx(raw, abs=1e-9)

    @given(shares, shares, st.floats(0, 100), st.floats(-100, 100))
    def test_never_turns_an_order_around(
        self, one: float, other: float, slope: float, offset: float
    ) -> None:
        lower, higher = sorted([one, other])
        assert calibrated(lower, slope, offset) <= calibrated(higher, slope, offset)


def test_this_process_runs_the_package_that_trains() -> None:
    assert hasattr(fasttext, "train_supervised"), sys.executable
