"""`labels` through the command line: over a laptop's file, and once over AWS."""

import csv
import json
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import cases, deeds, settings, tryouts
from bot.__main__ import main
from bot.cases import Case, Effect
from bot.learning.labelled import labelled
from bot.local import label_files
from bot.local.serverless import WIRING, load
from bot.normalize import EMOJI, PLAIN, tokens
from bot.policy import Decision
from bot.storage import clients
from bot.tweets import Author, Tweet
from bot.verdicts import Verdict
from bot.wiring import Parts, now
from tests.examples import archive
from tests.standins import aws
from tests.test_settings import AWS, SLACK

ANA = Author("11", "ana_example")
ODD = [
    '=HYPERLINK("https://example.com")',
    "@brand +1, -2 and\ttabs",
    "two\r\nlines,\nthree\rof them",
    'she said "no"',
    "'quoted' 😡 naïve",
    "\ufefffirst of all",
    " blanks around ",
]

Labels = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("model"))


@pytest.fixture
def environment(tmp_path: Path, model: Path) -> dict[str, str]:
    return {"DATA_DIR": str(tmp_path / "data"), "MODEL_PATH": str(model)}


@pytest.fixture
def labels(
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Labels:
    """Types `labels` with these words; returns the exit code and what was said where."""
    monkeypatch.setattr("bot.__main__.load_dotenv", lambda _: None)

    def typed(*words: object, **more: str) -> tuple[int, str, str]:
        for name, value in {**environment, **more}.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = main(["labels", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


@pytest.fixture
def bot(environment: dict[str, str]) -> Parts:
    return Parts(settings.read(environment))


def post(case_id: str, text: str = "thanks", probability: float = 0.06, **more: Any) -> Case:
    """A case that the model decided: escalated, or answered."""
    tweet = Tweet(case_id, text, case_id, more.pop("author", ANA), answer=True)
    escalate = probability >= 0.5
    at = now()
    return cases.opened(
        replace(tweet, **more),
        Verdict(probability, 0.5, tokens(text, EMOJI), "small"),
        Decision("escalate" if escalate else "reply", ("The model thinks so.",)),
        cases.Channels(cards_queued=False, replies="on"),
        reply_text="You are welcome.",
        received_at=at,
        now=at,
    )


def given(bot: Parts, case: Case, *words: tuple[str, bool]) -> None:
    """Keeps the case with these labels, one after the other."""
    for who, escalate in words:
        case = deeds.labelled(case, who, bot.clock(), escalate=escalate)
    bot.store.add([case])


def stored(bot: Parts, case_id: str) -> Case:
    return bot.store.get([case_id])[case_id]


def file_of(folder: Path, *rows: str) -> Path:
    file = folder / "labels.csv"
    file.write_text("\n".join(rows) + "\n", "utf-8")
    return file


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


class TestList:
    @pytest.fixture(autouse=True)
    def three_labels(self, bot: Parts) -> None:
        given(bot, post("1", "my parcel never came"), ("U1", True))
        given(bot, post("2", "thanks", 0.9), ("U2", True))
        given(bot, post("3", "thanks!"), ("U2", False))

    def test_tells_who_said_what_the_last_first(self, labels: Labels) -> None:
        code, out, _ = labels("list")
        assert code == 0
        [last, agreed, corrected] = out.splitlines()
        assert "  U1            a person  model: answer 94%     corrected" in corrected
        assert corrected.endswith("my parcel never came")
        assert "model: escalate 90%   agreed" in agreed
        assert "nobody" in last

    def test_as_json_has_all_there_is_to_know(self, labels: Labels, bot: Parts) -> None:
        _, out, _ = labels("list", "--json")
        row = lines(out)[-1]
        at = stored(bot, "1").label.at.isoformat()  # type: ignore[union-attr]
        assert row == {
            "tweet_id": "1",
            "text": "my parcel never came",
            "escalate": True,
            "who": "U1",
            "at": at,
            "model": "small",
            "said": False,
            "confidence": 0.94,
            "route": "reply",
            "correction": True,
            "conflict": False,
            "edited": False,
            "words": [{"escalate": True, "who": "U1", "at": at}],
        }

    @pytest.mark.parametrize(
        ("words", "ids"),
        [
            ("--corrections", ["1"]),
            ("--conflicts", ["3", "2"]),
            ("--by U2", ["3", "2"]),
            ("--by U2 --corrections", []),
            ("--since 2020-01-01", ["3", "2", "1"]),
            ("--since 2999-01-01T10:30", []),
        ],
    )
    def test_shows_what_is_asked_for(self, labels: Labels, words: str, ids: list[str]) -> None:
        _, out, _ = labels("list", "--json", *words.split())
        assert [row["tweet_id"] for row in lines(out)] == ids

    def test_that_shows_none_of_them_says_so(self, labels: Labels) -> None:
        told = "None of the labels is like that: `python -m bot labels list` shows them all.\n"
        assert labels("list", "--by", "U9") == (0, "", told)
        assert labels("list", "--by", "U9", "--json") == (0, "", "")

    def test_asks_for_a_day_that_is_one(self, labels: Labels) -> None:
        code, _, said = labels("list", "--since", "yesterday")
        assert (code, said.partition(":")[0]) == (2, "«yesterday» is no day")


class TestExport:
    def test_gives_training_exactly_what_was_labelled(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        for number, text in enumerate(ODD):
            written = now().replace(microsecond=0)
            case = post(str(number), text, created_at=written, lang="en")
            given(bot, case, ("U1", number % 2 == 0))
        file = tmp_path / "out.csv"
        code, out, _ = labels("export", file)
        assert code == 0
        assert out.startswith(f"Wrote {len(ODD)} labels, 4 of which need a person.")
        assert "2 of the texts for formulas" in out
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        found = labelled([file])
        assert [(one.text, one.escalate) for one in found] == [
            (text, number % 2 == 0) for number, text in enumerate(ODD)
        ]
        assert {one.language for one in found} == {"en"}
        assert all(one.at for one in found)

    def test_tells_whose_label_each_is(self, labels: Labels, bot: Parts) -> None:
        given(bot, post("17", "hello"), ("U1", True))
        code, out, said = labels("export", "-")
        assert code == 0
        at = stored(bot, "17").label.at.isoformat()  # type: ignore[union-attr]
        assert list(csv.DictReader(out.splitlines())) == [
            {
                "text": "hello",
                "escalate": "True",
                "created_at": "",
                "language": "",
                "tweet_id": "17",
                "who": "U1",
                "at": at,
                "model": "small",
            }
        ]
        assert said == "Wrote 1 labels, 1 of which need a person.\n"

    def test_leaves_contradictions_out_unless_it_is_told_to_keep_them(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        given(bot, post("1", "where is it"), ("U1", True))
        given(bot, post("2", "Where is it?"), ("U2", False))
        given(bot, post("3", "hello"), ("U1", True), ("U2", False), ("U1", True))
        given(bot, post("4", "thanks a lot"), ("U1", False))
        file = tmp_path / "out.csv"
        _, out, _ = labels("export", file, "--json")
        expected = {"file": str(file), "labels": 1, "needing": 0, "conflicts": 3}
        assert lines(out) == [{**expected, "outdated": 0, "formulas": 0}]
        assert [one.text for one in labelled([file])] == ["thanks a lot"]
        _, out, _ = labels("export", file, "--with-conflicts")
        assert "Among them are 3 that contradict others" in out
        assert len(labelled([file])) == 4

    @pytest.mark.parametrize("text", ["\n=1+1", "＝1+1"])
    def test_for_a_spreadsheet_knows_formulas_in_disguise(
        self, labels: Labels, bot: Parts, tmp_path: Path, text: str
    ) -> None:
        given(bot, post("1", text), ("U1", True))
        labels("export", tmp_path / "out.csv", "--spreadsheet")
        assert f"'{text}" in (tmp_path / "out.csv").read_text("utf-8-sig")

    def test_replaces_no_device(self, labels: Labels, bot: Parts) -> None:
        given(bot, post("1"), ("U1", True))
        code, _, said = labels("export", "/dev/null")
        assert (code, said) == (2, "/dev/null is no file: name one to be written.\n")
        assert Path("/dev/null").is_char_device()

    def test_for_a_spreadsheet_holds_no_formula_and_whole_ids_and_reads_the_same(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        long = "1985000000000000001"
        given(bot, post(long, ODD[0]), ("U1", True))
        file = tmp_path / "out.csv"
        labels("export", file, "--spreadsheet")
        assert file.read_bytes().startswith(b"\xef\xbb\xbf")
        [row] = csv.DictReader(file.read_text("utf-8-sig").splitlines())
        assert (row["text"], row["tweet_id"]) == (f"'{ODD[0]}", f"'{long}")
        for normalizer in (PLAIN, EMOJI):
            assert tokens(row["text"], normalizer) == tokens(ODD[0], normalizer)
        code, out, _ = labels("import", file, "--json")
        assert (code, lines(out)[0]["known"]) == (0, 1)

    def test_leaves_what_was_there_where_it_cannot_be_written(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        given(bot, post("1"), ("U1", True))
        folder = tmp_path / "folder"
        folder.mkdir()
        code, _, said = labels("export", folder)
        assert (code, said) == (2, f"{folder} cannot be written: Is a directory.\n")
        code, _, said = labels("export", tmp_path / "absent" / "out.csv")
        assert (code, said.count("cannot be written: No such file")) == (2, 1)
        assert sorted(one.name for one in tmp_path.iterdir()) == ["data", "folder"]

    def test_of_nothing_is_one_sentence(self, labels: Labels, tmp_path: Path) -> None:
        code, _, said = labels("export", tmp_path / "out.csv")
        assert code == 2
        assert said.startswith("There is nothing to export: of 0 labels, 0 contradict others")
        assert not (tmp_path / "out.csv").exists()


class TestImport:
    def test_labels_cases_as_an_agent_would(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        bot.store.add([post("1"), post("2", probability=0.9), post("3")])
        file = file_of(tmp_path, "tweet_id,escalate,who", "1,yes,U1", "2,0,", "3, ,")
        code, out, _ = labels("import", file, "--who", "mira")
        assert code == 0
        assert out == (
            "3 read: 2 labels set, 0 known before, 0 left as people had them, 1 without a label, "
            "0 refused.\n"
        )
        missed, alarm, left = (stored(bot, one) for one in "123")
        assert missed.label
        assert alarm.label
        assert (missed.label.escalate, missed.label.who, missed.route) == (True, "U1", "escalate")
        assert missed.effect("card"), "somebody was to see it"
        assert (alarm.label.escalate, alarm.label.who) == (False, "mira")
        assert left.label is None

    def test_twice_does_nothing_more(self, labels: Labels, bot: Parts, tmp_path: Path) -> None:
        bot.store.add([post("1"), post("2")])
        file = file_of(tmp_path, "id;escalate", "1;True", "2;False ")
        labels("import", file)
        before = stored(bot, "1"), stored(bot, "2")
        code, out, _ = labels("import", file, "--json")
        assert (code, lines(out)[0]["known"]) == (0, 2)
        assert (stored(bot, "1"), stored(bot, "2")) == before

    def test_keeps_nothing_of_a_name_that_would_steer_a_terminal(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        bot.store.add([post("1")])
        file = file_of(tmp_path, "tweet_id,escalate,who", "1,no,a\0\x1b[31mb")
        assert labels("import", file, "--quiet")[0] == 0
        label = bot.store.get(["1"])["1"].label
        assert label
        assert label.who.isprintable()

    def test_tells_of_each_bad_row_and_takes_its_neighbours(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        bot.store.add([post("1"), post("9"), cases.erased(post("5"), now())])
        bot.store.add([post("6", author=Author("66", "noa_example"))])
        bot.opt_outs.add(Author("66"), now())
        file = file_of(
            tmp_path,
            "tweet_id,escalate,who,at",
            "1,yes,,",
            "2,yes,,",
            "1.98E+18,yes,,",
            "4,perhaps,,",
            "5,yes,,",
            "6,yes,,",
            "9,yes,bot,",
            "9,yes,,2999-01-01",
            "9,yes,,soon",
            '9,"yes,,',
            "9,no,,",
        )
        code, out, said = labels("import", file, "--json")
        assert code == 1
        row = {"rows": 11, "set": 2, "known": 0, "left": 0, "empty": 0, "refused": 9}
        assert lines(out) == [row]
        for number, told in {
            3: "There is no case 2: its time may be over",
            4: "«1.98E+18» is no id of a post; a spreadsheet may have rounded it.",
            5: "escalate says «perhaps», and must say yes or no",
            6: "The post 5 was deleted or erased.",
            7: "The author of 6 opted out",
            8: "who must name a person.",
            9: "at says «2999-01-01», which is no time in the past.",
            10: "at says «soon»",
            11: "It is not CSV",
        }.items():
            assert f"labels.csv, row {number} (line {number}): {told}" in said
        label = stored(bot, "9").label
        assert label
        assert label.escalate is False

    def test_does_not_overrule_what_an_agent_said_unless_asked_to(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        given(bot, post("1"), ("U1", True))
        file = file_of(tmp_path, "tweet_id,escalate,at", "1,no,2020-01-01")
        code, out, said = labels("import", file, "--json")
        assert (code, lines(out)[0]["left"]) == (1, 1)
        assert f"U1 said on {now():%Y-%m-%d} that 1 needs a person: it stays so, unless" in said
        assert stored(bot, "1").label.who == "U1"  # type: ignore[union-attr]
        code, out, _ = labels("import", file, "--json", "--overrule")
        assert (code, lines(out)[0]["set"]) == (0, 1)
        assert stored(bot, "1").label.escalate is False  # type: ignore[union-attr]

    def test_overrules_what_was_said_before_the_file_s_own_time(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        given(bot, post("1"), ("U1", True))
        file = file_of(tmp_path, "tweet_id,escalate,at", f"1,no,{now().isoformat()}")
        code, _, _ = labels("import", file)
        assert code == 0
        assert stored(bot, "1").label.escalate is False  # type: ignore[union-attr]

    def test_settles_a_dispute_by_a_third_person_s_word(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        given(bot, post("1"), ("U1", True), ("U2", False), ("U1", True))
        file = file_of(tmp_path, "tweet_id,escalate", "1,yes")
        assert lines(labels("list", "--conflicts", "--json")[1])
        labels("import", file, "--who", "U3")
        assert not lines(labels("list", "--conflicts", "--json")[1])
        _, out, _ = labels("import", file, "--who", "U3", "--json")
        assert lines(out)[0]["known"] == 1

    def test_that_says_the_same_as_an_agent_leaves_it_the_agent_s(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        given(bot, post("1"), ("U1", True))
        before = stored(bot, "1")
        code, out, _ = labels("import", file_of(tmp_path, "id,escalate", "1,yes"), "--json")
        assert (code, lines(out)[0]["known"]) == (0, 1)
        assert stored(bot, "1") == before

    def test_of_a_text_that_was_tried_makes_no_card(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        tried = tryouts.tweet_of("where is my parcel")
        bot.store.add([replace(post("1"), tweet=tried, route="skip", reasons=(tryouts.REASON,))])
        labels("import", file_of(tmp_path, "id,escalate", f"{tried.id},yes"))
        assert stored(bot, tried.id).label
        assert stored(bot, tried.id).route == "skip"

    def test_may_only_label_and_leave_the_channel_alone(
        self, labels: Labels, bot: Parts, tmp_path: Path
    ) -> None:
        bot.store.add([post("1")])
        labels("import", file_of(tmp_path, "id,escalate", "1,yes"), "--quiet")
        case = stored(bot, "1")
        assert (case.route, case.effect("card")) == ("reply", None)
        assert case.label

    def test_floods_no_channel_unasked(self, labels: Labels, bot: Parts, tmp_path: Path) -> None:
        many = [str(number) for number in range(100, 101 + label_files.TELL_ABOVE)]
        bot.store.add([post(one) for one in many])
        bot.store.add([post("99", probability=0.9), post("98")])
        rows = [f"{one},yes" for one in many]
        file = file_of(tmp_path, "id,escalate", *rows, "98,no", "97,yes")
        code, _, said = labels("import", file, **SLACK)
        assert code == 2
        assert said.startswith("11 of these labels would post to the channel")
        assert not any(case.label for case in bot.store.newest())
        code, _, _ = labels("import", file_of(tmp_path, "id,escalate", *rows), "--tell", **SLACK)
        assert code == 0
        card = stored(bot, many[0]).effect("card")
        assert card
        assert card.state == "pending"
        assert bot.cards.depth()[0] == len(many)

    def test_needs_the_columns(self, labels: Labels, tmp_path: Path) -> None:
        code, _, said = labels("import", file_of(tmp_path, "tweet_id,label", "1,yes"))
        assert code == 2
        assert "has no column named escalate; it has tweet_id, label." in said
        code, _, said = labels("import", tmp_path / "absent.csv")
        assert (code, said.count("cannot be read: No such file")) == (2, 1)


class TestStats:
    def test_tell_a_support_lead_where_the_model_errs(self, labels: Labels, bot: Parts) -> None:
        given(bot, post("1", "my parcel never came"), ("U1", True))
        given(bot, post("2", "thanks", 0.9), ("U2", False))
        given(bot, post("3", "thanks!"), ("U2", True))
        given(bot, post("4", "a card?"), ("U1", True), ("U2", False), ("U1", True))
        _, out, _ = labels("stats")
        told = out.splitlines()
        assert told[0] == "4 labels: 3 need a person, 1 nobody."
        assert told[1].startswith(
            "missed            3 of 3 that were to be answered needed a person"
        )
        assert told[2] == "false alarms      1 of 1 that escalated needed nobody"
        assert "conflicts: 1 texts with both labels, 1 cases in dispute" in told
        assert "  «thanks!»: 3 a person, 2 nobody" in told
        assert "  «a card?» (4): U1 a person, then U2 nobody, then U1 a person" in told
        [row] = lines(labels("stats", "--json")[1])
        assert row["by"] == {
            "U1": {"labels": 2, "missed": 2, "false_alarms": 0},
            "U2": {"labels": 2, "missed": 1, "false_alarms": 1},
        }
        assert row["confidence"] == [{"from": 0.9, "labels": 4, "agreed": 0}]
        assert row["conflicts"] == {"texts": [["3", "2"]], "cases": ["4"]}

    def test_of_no_labels_are_one_line(self, labels: Labels) -> None:
        assert labels("stats") == (0, "0 labels: 0 need a person, 0 nobody.\n", "")


def test_a_list_of_no_labels_says_so_on_standard_error(labels: Labels) -> None:
    told = "Nobody has labelled a post yet: `python -m bot labels next` lists posts that want a"
    assert labels("list") == (0, "", f"{told} label.\n")


NOTHING_TO_ASK = "There is nothing to ask: no unlabelled post would teach the model much.\n"


class TestNext:
    @pytest.fixture(autouse=True)
    def two_cases(self, bot: Parts) -> None:
        bot.store.add([post("1985000000000000001", "i am happy with my parcel", 0.45)])
        # The small model of these tests knows none of these words but one.
        bot.store.add([post("2", "quixotic zanzibarian parcel")])

    def test_says_why_each_is_asked_for(self, labels: Labels) -> None:
        code, out, _ = labels("next")
        assert code == 0
        assert out.splitlines() == [
            "unsure     1985000000000000001  i am happy with my parcel",
            "           The model was unsure: 0.45 against 0.50.",
            "new words  2                    quixotic zanzibarian parcel",
            "           The model knows only 33% of its words.",
        ]
        rows = lines(labels("next", "--json", "--count", 1)[1])
        assert [(row["tweet_id"], row["why"], row["route"]) for row in rows] == [
            ("1985000000000000001", "unsure", "reply")
        ]

    def test_writes_a_table_that_comes_back_filled_in(self, labels: Labels, tmp_path: Path) -> None:
        file = tmp_path / "todo.csv"
        code, out, _ = labels("next", "--output", file)
        assert code == 0
        assert out.startswith("Wrote 2 posts: fill in escalate (yes or no), then `python -m bot")
        assert labels("import", file, "--json")[0] == 0, "what is not filled in yet is no mistake"
        rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
        write(file, [rows[0], *([one[0], "yes", *one[2:]] for one in rows[1:])])
        code, out, _ = labels("import", file, "--json")
        assert (code, lines(out)[0]["set"]) == (0, 2)
        assert labels("next") == (0, "", NOTHING_TO_ASK)
        assert labels("next", "--output", tmp_path / "more.csv") == (0, "", NOTHING_TO_ASK)
        assert not (tmp_path / "more.csv").exists()

    def test_writes_over_no_table_that_somebody_may_have_filled_in(
        self, labels: Labels, tmp_path: Path
    ) -> None:
        file = tmp_path / "todo.csv"
        file.write_text("mine")
        code, _, err = labels("next", "--output", file)
        assert (code, file.read_text()) == (2, "mine")
        assert f"{file} is there already: import it, or name another file." in err

    def test_counts_one_post_as_one(self, labels: Labels, tmp_path: Path) -> None:
        assert labels("next", "--count", 1, "--output", tmp_path / "todo.csv")[1].startswith(
            "Wrote 1 post: "
        )

    @pytest.mark.parametrize("count", ["0", "1001"])
    def test_asks_for_a_number_that_a_person_can_look_at(self, labels: Labels, count: str) -> None:
        assert labels("next", "--count", count)[0] == 2


def write(file: Path, rows: Sequence[Sequence[str]]) -> None:
    """As a spreadsheet set to a country with decimal commas does."""
    with file.open("w", newline="", encoding="utf-8-sig") as table:
        csv.writer(table, delimiter=";").writerows(rows)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What a stage's functions know of its table and queues."""
    with aws.moto_server() as url:
        known = {**aws.CREDENTIALS, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": aws.REGION}
        for name, value in {**known, "no_proxy": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        for client in (clients.dynamodb, clients.sqs):
            client.cache_clear()
        made = aws.create(url, load(WIRING), None)
        yield {name: made[name] for name in AWS}
        for client in (clients.dynamodb, clients.sqs):
            client.cache_clear()


def test_a_stage_s_cases_are_labelled_and_exported_alike(
    cloud: dict[str, str], labels: Labels, tmp_path: Path
) -> None:
    bot = Parts(settings.read(cloud))
    answered = cases.put(post("2"), Effect("reply", "sent"))
    bot.store.add([post("1", probability=0.9), answered])
    file = file_of(tmp_path, "tweet_id,escalate", "1,no", "2,yes", "3,yes")
    code, out, _ = labels("import", file, "--json", **cloud)
    assert (code, lines(out)[0]["set"], lines(out)[0]["refused"]) == (1, 2, 1)
    assert bot.cards.depth()[0] == 1, "who was missed has a card on its way"
    labels("export", tmp_path / "out.csv", "--with-conflicts", **cloud)
    assert [one.escalate for one in labelled([tmp_path / "out.csv"])] == [False, True]
