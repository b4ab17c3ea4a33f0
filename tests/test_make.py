import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.settings import HOUSE

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
pytestmark = needs_make


def make(folder: Path, *arguments: str) -> Any:
    # The tests themselves may run under make, which tells its children so.
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAG"))
    }
    return subprocess.run(
        ["make", *arguments],  # noqa: S607  whichever make is there
        cwd=folder,
        env=own,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    shutil.copy(HOUSE / "Makefile", folder)
    return folder


def python(folder: Path, script: str) -> str:
    file = folder / "some python"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return f"PYTHON={file}"


def test_a_missing_python_is_one_sentence(clone: Path) -> None:
    done = make(clone, "run", "PYTHON=no-such-python")
    assert done.returncode == 2
    assert done.stdout == (
        "no-such-python is not here: install Python 3.11 or newer, or name one with PYTHON=…\n"
    )


def test_too_old_a_python_is_one_sentence(clone: Path) -> None:
    old = python(clone, 'case "$2" in *platform*) echo 3.8.10;; *) exit 1;; esac')
    done = make(clone, "run", old)
    assert done.returncode == 2
    assert "is 3.8.10, and Tweet Escalator needs Python 3.11 or newer" in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_a_python_without_venv_is_one_sentence(clone: Path) -> None:
    bare = python(clone, 'case "$2" in *ensurepip*) exit 1;; esac')
    done = make(clone, "run", bare)
    assert done.returncode == 2
    assert "apt-get install python3-venv" in done.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_sentence(clone: Path) -> None:
    clone.chmod(0o555)
    done = make(clone, "run")
    clone.chmod(0o755)
    assert done.returncode == 2
    assert done.stdout == (
        "This folder cannot be written: clone the project where you may write.\n"
    )


@pytest.fixture
def packaged(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone that was set up and packaged once, and cannot be now."""
    made = (".venv/installed", "build/model.tar.gz", "build/dependencies.stamp", "node_modules/x")
    wanted = ("requirements-local.txt", "package-lock.json", "bot/normalize.py")
    for name in (*wanted, "bot/learning/corpus.csv", *made, "aws/dependencies.sh"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).touch()
    (clone / "node_modules").touch()
    (clone / "aws/dependencies.sh").write_text('echo "rules.toml is wrong."\nexit 1\n')
    for name in ("npm", "told"):
        (clone / name).write_text('#!/bin/sh\necho "$@"\n')
        (clone / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(clone), prepend=os.pathsep)
    return clone


def test_what_cannot_be_packaged_is_not_deployed(packaged: Path) -> None:
    done = make(packaged, "deploy", "VENV=./told", "STAGE=eu")
    assert (done.returncode, done.stdout) == (2, "rules.toml is wrong.\n")


@pytest.mark.parametrize("verb", ["rollback", "remove"])
def test_what_cannot_be_packaged_is_rolled_back_and_removed(packaged: Path, verb: str) -> None:
    done = make(packaged, verb, "VENV=./told", "STAGE=eu")
    assert (done.returncode, done.stdout) == (0, f"-m bot {verb} --stage eu\n")
