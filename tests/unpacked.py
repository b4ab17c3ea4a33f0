"""The package as a function finds it: unpacked, beside what Lambda's runtime brings, and alone.

Its compiled libraries are for the functions' machine. Of those, only fastText's has no twin in
Python; this machine's own build takes its place.
"""

import compileall
import importlib.metadata
import os
import py_compile
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bot.settings import HOUSE

DEPENDENCIES = "build/dependencies"
BROUGHT = (
    *("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "urllib3", "six"),
    *("awslambdaric", "snapshot-restore-py", "simplejson"),
)
"""The distributions of Lambda's runtime for Python: boto3 with its own, and its own client's."""
PYTHON = (sys.executable, "-S")
"""An interpreter that sees the standard library and PYTHONPATH, and nothing that is installed."""
FASTTEXT = "fasttext_pybind"


def unpacked(archive: zipfile.ZipFile, folder: Path) -> Path:
    """Unpacks the zip into a new folder of `folder`, and returns that."""
    task = folder / "task"
    archive.extractall(task)
    for foreign in (task / DEPENDENCIES).rglob("*.so"):
        foreign.unlink()
    if library := own_fasttext():
        (task / DEPENDENCIES / library.name).symlink_to(library)
    return task


def compiled(task: Path) -> None:
    """Compiled for this Python as it is packed for the functions': not looked at again."""
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(task, quiet=2, invalidation_mode=unchecked)


def own_fasttext() -> Path | None:
    """This machine's build of the library, None where it is not here.

    It cannot be installed beside the laptop's, so another Python has it: that which
    FASTTEXT_PREDICT_PYTHON names, or CI's in build/function-venv.
    """
    named = os.environ.get("FASTTEXT_PREDICT_PYTHON")
    python = Path(named) if named else HOUSE / "build/function-venv/bin/python"
    if not python.exists():
        return None
    code = f"import {FASTTEXT}; print({FASTTEXT}.__file__)"
    run = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return Path(run.stdout.strip())


def runtime(folder: Path) -> Path:
    """A new folder of `folder` with links to what Lambda's runtime brings."""
    made = folder / "runtime"
    made.mkdir()
    for name in BROUGHT:
        for path in _tops(name):
            (made / path.name).symlink_to(path)
    return made


def _tops(distribution: str) -> Iterator[Path]:
    """The folders and files of a distribution right below site-packages."""
    found = importlib.metadata.distribution(distribution)
    parts = {file.parts[0] for file in found.files or ()}
    for top in sorted(parts - {"..", "__pycache__"}):
        yield Path(str(found.locate_file(top)))


def environment(task: Path, brought: Path) -> dict[str, str]:
    """What `PYTHON` needs to find just these, and the model."""
    return {
        "PYTHONPATH": os.pathsep.join(map(str, (task / DEPENDENCIES, brought))),
        "MODEL_PATH": "build/model",
        "AWS_DATA_PATH": str(task / DEPENDENCIES / "aws-data"),
    }
