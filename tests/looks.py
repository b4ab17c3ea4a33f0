"""Golden files of what Slack shows besides cards: a folder for each kind of it.

After a wanted change: `UPDATE_GOLDEN=1 python -m pytest`, the test file, and read the diff.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"


def assert_as_before(kind: str, look: str, made: Mapping[str, Any]) -> None:
    """It looks as its golden file says."""
    file = GOLDEN / kind / f"{look}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", "utf-8")
    assert made == json.loads(file.read_text("utf-8"))


def kept(kind: str) -> set[str]:
    """The looks that have a golden file."""
    return {file.stem for file in (GOLDEN / kind).glob("*.json")}
