"""What is uploaded for the functions, and that they need nothing else."""

import _imp
import ast
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.local.serverless import functions
from tests import unpacked
from tests.packaged import ROOT
from tests.test_imports import LAMBDA, USES

HANDLERS = [function.handler.removesuffix(".handler") for function in functions()]
BYTECODE = b"\xf3\r\r\n"
"""How Python 3.13's begins, whichever of its releases (CPython, Include/internal/pycore_magic)."""
UNCHECKED, CHECKED = 0b01, 0b11
"""The flags of bytecode with its source's hash (PEP 552)."""
MEGABYTE = 1_000_000


def is_ours(name: str) -> bool:
    return not name.startswith("build/")


def test_the_zip_holds_the_code_its_rules_the_model_and_the_dependencies(
    archive: zipfile.ZipFile,
) -> None:
    names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {
        "bot",
        "build",
        "handlers",
        "replies.toml",
        "rules.toml",
    }
    assert {"/".join(name.split("/")[:2]) for name in names if name.startswith("build/")} == {
        "build/dependencies",
        "build/model",
        "build/tables",
    }
    for handler in HANDLERS:
        assert f"{handler.replace('.', '/')}.py" in names


def test_the_zip_holds_nothing_of_the_laptop_nor_of_what_is_around_the_code(
    archive: zipfile.ZipFile,
) -> None:
    laptop = r"bot/local/|bot/(.*/)?__main__|bot/classifier/(.*/)?(corpus|training)"
    around = r"(tests|bench|docs|shared|node_modules|aws)/|\."
    stray = re.compile(f"{laptop}|{around}")
    assert not [name for name in archive.namelist() if stray.match(name)]
    kinds = {Path(name).suffix for name in archive.namelist() if is_ours(name)}
    assert kinds == {".py", ".pyc", ".html", ".toml"}


def test_the_zip_without_the_model_has_at_most_six_megabytes(archive: zipfile.ZipFile) -> None:
    assert archive.filename
    whole = Path(archive.filename).stat().st_size
    model = sum(one.compress_size for one in archive.infolist() if "build/model/" in one.filename)
    assert whole - model <= 6 * MEGABYTE


def test_the_zip_is_far_below_what_lambda_unpacks(archive: zipfile.ZipFile) -> None:
    assert sum(entry.file_size for entry in archive.infolist()) < 250 * 2**20 / 2


def test_every_source_comes_with_its_bytecode_for_the_functions_python(
    archive: zipfile.ZipFile,
) -> None:
    sources = [name for name in archive.namelist() if name.endswith(".py")]
    key = int.from_bytes(BYTECODE, "little")
    for name in sources:
        path = Path(name)
        packed = archive.read(str(path.parent / f"__pycache__/{path.stem}.cpython-313.pyc"))
        flags = CHECKED if is_ours(name) else UNCHECKED
        digest = _imp.source_hash(key, archive.read(name))
        assert packed[:16] == BYTECODE + flags.to_bytes(4, "little") + digest, name
    bytecode = [name for name in archive.namelist() if name.endswith(".pyc")]
    assert len(bytecode) == len(sources) > 500


def test_a_trace_of_a_function_names_files_as_lambda_has_them(archive: zipfile.ZipFile) -> None:
    packed = archive.read("handlers/__pycache__/triage.cpython-313.pyc")
    assert b"/var/task/handlers/triage.py" in packed


def test_the_dependencies_are_those_of_requirements_txt_and_boto3_is_the_runtimes(
    archive: zipfile.ZipFile,
) -> None:
    pinned = {
        line.split()[0].replace("-", "_").replace("==", "-")
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line
    }
    packed = set(
        re.findall(r"build/dependencies/([^/]+)\.dist-info/METADATA", "\n".join(archive.namelist()))
    )
    assert packed == pinned
    assert not [name for name in archive.namelist() if re.search(r"/(boto|s3transfer)", name)]


def test_the_libraries_are_built_for_python_3_13_on_arm64(archive: zipfile.ZipFile) -> None:
    libraries = [name for name in archive.namelist() if name.endswith(".so")]
    assert [name for name in libraries if "fasttext" in name]
    for name in libraries:
        assert name.endswith(".cpython-313-aarch64-linux-gnu.so")
        elf_machine = int.from_bytes(archive.read(name)[18:20], "little")
        assert elf_machine == 183, name  # EM_AARCH64


# ── The zip unpacked, with boto3 beside it and nothing else ──


class Alone:
    """Processes that see the unpacked zip, boto3 and the standard library."""

    def __init__(self, folder: Path, archive: zipfile.ZipFile) -> None:
        self.task = unpacked.unpacked(archive, folder)
        self._environment = unpacked.environment(self.task, unpacked.runtime(folder))

    def says(self, code: str, given: object = None, **environment: str) -> Any:
        """What the code prints, read as JSON; it may read `given`."""
        run = subprocess.run(
            [*unpacked.PYTHON, "-c", f"import json, sys\ngiven = json.load(sys.stdin)\n{code}"],
            cwd=self.task,
            env={**LAMBDA, **self._environment, **environment},
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def alone(archive: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Alone:
    return Alone(tmp_path_factory.mktemp("alone"), archive)


def test_what_is_installed_here_is_not_seen_by_the_zip_alone(alone: Alone) -> None:
    code = "import importlib.util as u\nprint(json.dumps([bool(u.find_spec(n)) for n in given]))"
    assert alone.says(code, ["moto", "yaml", "numpy", "handlers", "boto3"]) == [
        *(False, False, False),
        *(True, True),
    ]


WIRED = """
import importlib, importlib.util, types
if not importlib.util.find_spec("fasttext_pybind"):
    sys.modules["fasttext"] = types.ModuleType("fasttext")
from bot import settings, wiring
for handler, uses, environment in given:
    assert callable(importlib.import_module(f"handlers.{handler}").handler)
    parts = wiring.Parts(settings.read(environment))
    for name in uses.split():
        if name in ("judging", "desk") and "SAGEMAKER_ENDPOINT" not in environment:
            continue  # the model is another test's
        getattr(parts, name)
print(json.dumps([getattr(module, "__file__", None) or "" for module in sys.modules.values()]))
"""
LAPTOPS = ("bot.local.", "slack_bolt.adapter.socket_mode")
"""What the code asks for on a laptop alone."""


def test_every_handler_and_what_it_is_wired_to_loads_from_the_zip_alone(
    alone: Alone, tmp_path: Path
) -> None:
    given = [
        (handler, uses, {"DATA_DIR": str(tmp_path), **environment})
        for handler, uses, environment, _ in USES
    ]
    assert {f"handlers.{handler}" for handler, *_ in given} == set(HANDLERS)
    loaded = alone.says(WIRED, given, AWS_LAMBDA_FUNCTION_NAME="test")
    assert len([path for path in loaded if path.startswith(str(alone.task / "bot"))]) > 50


def test_everything_our_code_imports_anywhere_is_in_the_zip_or_lambdas_runtime(
    archive: zipfile.ZipFile, alone: Alone
) -> None:
    """A handler may import what it needs only in a rare case, long after it was deployed."""
    wanted = {
        name: archive.read(name).decode()
        for name in archive.namelist()
        if is_ours(name) and name.endswith(".py")
    }
    named = {module for source in wanted.values() for module in imports(source)}
    modules = sorted(module for module in named if not module.startswith(LAPTOPS))
    assert named >= {"tweepy", "emoji", "twitter_text", "slack_bolt"}
    code = """
import importlib.util
def found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
print(json.dumps([name for name in given if not found(name)]))
"""
    assert alone.says(code, modules) == []


def imports(source: str) -> Iterator[str]:
    """The modules a source imports, but for those that only its types name."""
    tree = ast.parse(source)
    typed = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for child in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in typed:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_zip_alone_knows_time_zones_emoji_and_how_long_x_finds_a_text(alone: Alone) -> None:
    """What lies in files beside the code, or is loaded in a rare case."""
    code = """
from zoneinfo import ZoneInfo
from bot.normalize import tokens
from bot.twitter.lengths import weighted_length
zone = ZoneInfo("Europe/Berlin").key
words = tokens("M\u00fcde \U0001f621", "emoji-1")
print(json.dumps([zone, words, weighted_length("x.example/" * 40)]))
"""
    zone, words, length = alone.says(code, PYTHONTZPATH="")
    assert (zone, words) == ("Europe/Berlin", "mude enraged face")
    assert length > 280


def test_the_model_answers_from_the_zip_alone(alone: Alone) -> None:
    if not unpacked.own_fasttext():
        pytest.skip(
            "The zip's fasttext-predict is another machine's, and no Python here has this one's: "
            "see FASTTEXT_PREDICT_PYTHON"
        )
    code = """
from pathlib import Path
from bot.classifier.embedded import EmbeddedClassifier
model = EmbeddedClassifier(Path("build/model"))
print(json.dumps([model.normalizer, *model.probabilities(["i am very angry", "thanks a lot"])]))
"""
    normalizer, angry, thankful = alone.says(code)
    assert normalizer == "emoji-1"
    assert thankful < 0.5 < angry
