from collections.abc import Iterator

import pytest
from hypothesis import settings

from bot import amazon, wiring

pytest_plugins = ["tests.packaged"]  # its fixtures, for whoever looks at the package

# A deadline would assert a time, and a busy machine would break it.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def let_files_go() -> Iterator[None]:
    """Else a thousand tests keep a thousand databases open, and select() takes no more files."""
    yield
    wiring._database.cache_clear()


@pytest.fixture(autouse=True)
def forget_whose_aws_it_was() -> Iterator[None]:
    """Each test has an environment of its own, and a session remembers region and keys."""
    amazon.session.cache_clear()
    yield
    amazon.session.cache_clear()
