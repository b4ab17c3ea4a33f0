"""What the command line prints, foreign text among it."""

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import Any, TextIO


def printable(text: str) -> str:
    """`text` without what would steer a terminal; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else "\ufffd" for c in text)


def terminal(stream: TextIO | None) -> bool:
    """Whether a person sits at the stream; a closed one is None."""
    return stream is not None and stream.isatty()


def show(arguments: Namespace, row: Mapping[str, Any], plain: str) -> None:
    """Prints the row as JSON where the command line asks for that, else the plain sentence."""
    print(json.dumps(row) if arguments.json else printable(plain))  # noqa: T201
