"""Labelled posts as people and notebooks write them."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import Refused
from bot.learning.labelled import Labelled, labelled
from bot.local.files import LONGEST_LINE
from tests.labelled_files import table

REFERENCE = ("tweet_id", "author_id", "created_at", "in_reply_to", "text", "escalate")
WRITTEN = datetime(2017, 10, 31, 23, 36, 20, tzinfo=UTC)


@pytest.mark.parametrize("column", ["escalate", "label", " Escalate "])
@pytest.mark.parametrize(
    ("yes", "no"),
    [("True", "False"), ("1", "0"), ("YES", " no "), ("True ", "f"), ("1.0", "0.0"), ("y", "n")],
)
def test_a_label_may_be_named_and_written_in_many_ways(
    tmp_path: Path, column: str, yes: str, no: str
) -> None:
    file = table(tmp_path / "d.csv", [("help me", yes), ("hello", no)], ("text", column))
    assert labelled([file]) == [Labelled("help me", True), Labelled("hello", False)]


def test_the_references_table_works_as_it_is(tmp_path: Path) -> None:
    row = (1, 2, "Tue Oct 31 23:36:20 +0000 2017", "", "where is it, please", "True")
    [found] = labelled([table(tmp_path / "inbound.csv", [row], REFERENCE)])
    assert found == Labelled("where is it, please", True, WRITTEN)


def test_json_lines_say_the_same_as_a_table(tmp_path: Path) -> None:
    rows = [
        {"text": "help", "escalate": True, "created_at": WRITTEN.isoformat(), "lang": "EN"},
        {"text": "hello", "label": 0},
    ]
    file = tmp_path / "d.jsonl"
    file.write_text("\n\n".join(map(json.dumps, rows)))
    assert labelled([file]) == [
        Labelled("help", True, WRITTEN, "en"),
        Labelled("hello", False),
    ]


def test_several_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    files = [table(tmp_path / f"{n}.csv", [(f"text {n}", n % 2)]) for n in range(3)]
    assert [row.text for row in labelled(files)] == ["text 0", "text 1", "text 2"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_columns_may_be_parted_as_a_spreadsheet_does_it(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "d.csv"
    file.write_text(f"escalate{delimiter}text\n1{delimiter}late, again\n")
    assert labelled([file]) == [Labelled("late, again", True)]


def test_a_text_may_hold_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    text = 'You said "soon",\nand then\r\nnothing 😡'
    assert labelled([table(tmp_path / "d.csv", [(text, "yes")])]) == [Labelled(text, True)]


def test_rows_of_different_encodings_are_all_read(tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    rows = [
        b"text,escalate\n",
        "café closed,1\n".encode(),
        "café open,0\n".encode("cp1252"),
    ]
    file.write_bytes(b"\xef\xbb\xbf" + b"".join(rows))
    assert [row.text for row in labelled([file])] == ["café closed", "café open"]


def test_what_a_spreadsheet_saves_as_unicode_is_read(tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    file.write_bytes("text\tescalate\nnaïve 😡\t1\n".encode("utf-16"))
    assert labelled([file]) == [Labelled("naïve 😡", True)]


def test_empty_rows_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    file.write_text("text,escalate\n\n ,\nhelp,1\n,,\n")
    assert labelled([file]) == [Labelled("help", True)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            "hello,maybe",
            "row 4 (line 4): escalate says «maybe», and must say yes or no, True or False",
        ),
        ("hello,2", "row 4 (line 4): escalate says «2»"),
        ("hello,", "row 4 (line 4): escalate says nothing"),
        ("hello", "row 4 (line 4): escalate says nothing"),
        ('"hello"x,1', "row 4 (line 4): It is not CSV"),
        ('"hello,1', "row 4 (line 4): It is not CSV"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_by_its_number(
    tmp_path: Path, row: str, says: str
) -> None:
    file = tmp_path / "d.csv"
    file.write_text(f"text,escalate\nhelp,1\nthanks,0\n{row}\nmore,1\n")
    with pytest.raises(Refused) as refused:
        labelled([file])
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ("tweet,escalate", "no column named text; it has tweet, escalate"),
        ("text,urgent", "no column named escalate or label; it has text, urgent"),
        ("", "no column named text; it has none"),
    ],
)
def test_a_missing_column_is_named(tmp_path: Path, columns: str, says: str) -> None:
    file = tmp_path / "d.csv"
    file.write_text(f"{columns}\nhello,1\n")
    with pytest.raises(Refused, match=says):
        labelled([file])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: it is not JSON"),
        ("[1]", "line 2: it is no JSON object"),
        ('{"escalate": 1}', "line 2: it has no text"),
        ('{"text": 5, "escalate": 1}', "line 2: it has no text"),
        ('{"text": "a", "escalate": null}', "line 2: escalate says nothing"),
    ],
)
def test_a_line_that_is_no_labelled_post_is_refused_by_its_number(
    tmp_path: Path, line: str, says: str
) -> None:
    file = tmp_path / "d.jsonl"
    file.write_text('{"text": "help", "escalate": 1}\n' + line)
    with pytest.raises(Refused, match=says):
        labelled([file])


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_of_an_endless_line_no_more_is_read_than_a_post_can_have(
    tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"d.{suffix}"
    file.write_text("text,escalate\n" if suffix == "csv" else "")
    with file.open("a") as more:
        more.writelines("x" * LONGEST_LINE for _ in range(20))
    told: list[int] = []
    with pytest.raises(Refused, match=r"row 2 \(line 2\)|line 1: it is not JSON"):
        labelled([file], told.append)
    assert sum(told) <= LONGEST_LINE + 20


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"gone\.csv cannot be read"):
        labelled([tmp_path / "gone.csv"])


def test_half_a_character_does_no_harm_where_it_is_written_again(tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    file.write_text(json.dumps({"text": "cut \ud83d", "escalate": True}))
    [found] = labelled([file])
    assert found.text.encode() == "cut \ufffd".encode()


def test_a_pipe_is_refused_rather_than_read_in_part() -> None:
    read, write = os.pipe()
    os.write(write, b"text,escalate\nhelp,1\n")
    os.close(write)
    try:
        with pytest.raises(Refused, match="is no file but a pipe"):
            labelled([Path(f"/dev/fd/{read}")])
    finally:
        os.close(read)
