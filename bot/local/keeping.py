"""Files that hold people's words are written whole or not at all, and for their owner alone."""

import os
import tempfile
from pathlib import Path


def keep(path: Path, content: bytes) -> None:
    """Writes the file, readable by its owner alone. Raises `OSError`."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
