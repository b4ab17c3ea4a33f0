"""Our TOML files, and what packaging makes of them for functions.

To parse one takes a function a twentieth of its cold start, so the package has each as JSON too,
with the hash of what it was made of: as Python does with bytecode, one that is of something else
counts for nothing.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from bot.errors import Misconfigured
from bot.settings import HOUSE

PARSED: Final = HOUSE / "build/tables"
"""Where what was made of them lies, by the files' names."""


def read(path: Path, parsed: Path = PARSED) -> dict[str, Any]:
    """What a TOML file holds. Raises `Misconfigured` where it is not there or is none."""
    try:
        source = path.read_bytes()
    except OSError:
        problem = f"There is no file {path}: see RULES_PATH and REPLIES_PATH."
        raise Misconfigured([problem]) from None
    kept = _kept(parsed / f"{path.stem}.json", source)
    return _parsed(source, path) if kept is None else kept


def keep(path: Path, parsed: Path = PARSED) -> None:
    """Parses it for those who read it later. Raises `Misconfigured` as `read` does.

    One with what JSON lacks, such as a date, is left for them to parse.
    """
    source = path.read_bytes()
    made = {"of": _digest(source), "holds": _parsed(source, path)}
    with suppress(TypeError):
        text = json.dumps(made, ensure_ascii=False)
        parsed.mkdir(parents=True, exist_ok=True)
        (parsed / f"{path.stem}.json").write_text(text, "utf-8")


def _kept(path: Path, source: bytes) -> dict[str, Any] | None:
    try:
        kept = json.loads(path.read_bytes())
        holds = kept["holds"] if kept["of"] == _digest(source) else None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return holds if isinstance(holds, dict) else None


def _digest(source: bytes) -> str:
    return hashlib.sha256(source).hexdigest()


def _parsed(source: bytes, path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415  a function has no need of it

    try:
        return tomllib.loads(source.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured([f"{path.name} is not TOML: {error}."]) from None
