from collections.abc import Iterator

import pytest
from hypothesis import settings

from bot import wiring

# A deadline would assert a time, and a busy machine would break it.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def let_files_go() -> Iterator[None]:
    """Else a thousand tests keep a thousand databases open, and select() takes no more files."""
    yield
    wiring._database.cache_clear()
