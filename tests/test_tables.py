"""TOML files read as they are, or as packaging parsed them."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from datetime import date
from pathlib import Path

import pytest

from bot.errors import Misconfigured
from bot.settings import HOUSE
from bot.storage import tables


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text('word = "naïve"\n', "utf-8")
    return path


def test_what_was_kept_of_a_file_is_read_in_its_place(file: Path, tmp_path: Path) -> None:
    tables.keep(file, tmp_path / "kept")
    kept = tmp_path / "kept/own.json"
    assert tables.read(file, tmp_path / "kept") == {"word": "naïve"}
    kept.write_text(kept.read_text("utf-8").replace("naïve", "seen"), "utf-8")
    assert tables.read(file, tmp_path / "kept") == {"word": "seen"}


def test_what_was_kept_before_the_file_changed_counts_for_nothing(
    file: Path, tmp_path: Path
) -> None:
    tables.keep(file, tmp_path)
    file.write_text("word = 2\n")
    assert tables.read(file, tmp_path) == {"word": 2}


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b"{", b"\xff", b'{"of": 1}', b"null", b"[" * 99_999]
)
def test_what_was_kept_and_is_damaged_counts_for_nothing(
    file: Path, tmp_path: Path, damage: bytes
) -> None:
    (tmp_path / "own.json").write_bytes(damage)
    assert tables.read(file, tmp_path) == {"word": "naïve"}


@pytest.mark.parametrize("holds", [None, [], "text"])
def test_what_was_kept_and_is_no_table_counts_for_nothing(
    file: Path, tmp_path: Path, holds: object
) -> None:
    tables.keep(file, tmp_path)
    kept = json.loads((tmp_path / "own.json").read_text("utf-8"))
    (tmp_path / "own.json").write_text(json.dumps({**kept, "holds": holds}), "utf-8")
    assert tables.read(file, tmp_path) == {"word": "naïve"}


def test_a_file_with_what_json_lacks_is_parsed_each_time(file: Path, tmp_path: Path) -> None:
    file.write_text("since = 2026-01-01\n")
    tables.keep(file, tmp_path / "kept")
    assert tables.read(file, tmp_path / "kept") == {"since": date(2026, 1, 1)}


def test_a_file_that_is_no_toml_is_not_kept(file: Path, tmp_path: Path) -> None:
    file.write_text("[[")
    with pytest.raises(Misconfigured, match=r"own\.toml is not TOML"):
        tables.keep(file, tmp_path)
    assert not (tmp_path / "own.json").exists()


def test_the_package_has_both_files_parsed_as_they_are_in_it(
    archive: zipfile.ZipFile, tmp_path: Path
) -> None:
    archive.extractall(
        tmp_path, [n for n in archive.namelist() if re.match(r"build/tables|r.*toml", n)]
    )
    for name in ("rules", "replies"):
        kept = tmp_path / f"build/tables/{name}.json"
        whole = tomllib.loads((HOUSE / f"{name}.toml").read_text("utf-8"))
        assert json.loads(kept.read_text("utf-8"))["holds"] == whole
        kept.write_text(kept.read_text("utf-8").replace('"holds": {', '"holds": {"kept": true, '))
        assert tables.read(tmp_path / f"{name}.toml", kept.parent)["kept"]


def test_packaging_stops_where_one_of_them_is_wrong(tmp_path: Path) -> None:
    for folder in ("aws", "bot"):
        (tmp_path / folder).symlink_to(HOUSE / folder)
    code = (
        "import sys, pathlib, bot.settings\n"
        "bot.settings.HOUSE = pathlib.Path(sys.argv[1])\n"
        "import runpy; runpy.run_module('aws.tables', run_name='__main__')"
    )
    (tmp_path / "rules.toml").write_text("languages = 1\n")
    (tmp_path / "replies.toml").write_text('default = "xx"\n')
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    of_rules, of_replies, *_ = done.stderr.splitlines()
    assert of_rules == 'rules.toml: languages must be a list of codes, such as ["en"].'
    assert of_replies.startswith("replies.toml: default must name the language")
    assert not (tmp_path / "build").exists()
