from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.ports import CaseStore
from bot.storage.dynamodb import DynamoCases
from bot.storage.sqlite import Database, SqliteCases
from bot.storage.sqs import SqsQueue
from tests.contract import surroundings
from tests.contract.examples import VISIBILITY, Bench, Watch, identities, sqlite_queue
from tests.contract.surroundings import TABLE, Amazon, create_queue, create_table
from tests.standins import aws

RETENTION = timedelta(days=10)


@pytest.fixture(scope="module")
def whole_amazon() -> Iterator[Amazon]:
    with surroundings.amazon() as made:
        yield made


@pytest.fixture
def amazon(whole_amazon: Amazon) -> Amazon:
    """The same AWS for all tests of a file, empty for each."""
    aws.reset(whole_amazon.url)
    whole_amazon.relay.start_afresh()
    return whole_amazon


@pytest.fixture(params=["sqlite", "dynamodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CaseStore:
    if request.param == "sqlite":
        return SqliteCases(Database(tmp_path / "bot.sqlite"), RETENTION)
    amazon = request.getfixturevalue("amazon")
    create_table(amazon.dynamodb)
    return DynamoCases(amazon.dynamodb, TABLE, RETENTION, Watch(), identities())


@pytest.fixture(params=["sqlite", "sqs"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    if request.param == "sqlite":
        watch, database = Watch(), Database(tmp_path / "bot.sqlite")
        return Bench(
            sqlite_queue(database, watch, fifo=False),
            sqlite_queue(database, watch, fifo=True),
            lambda _queue, _messages: watch.forward(VISIBILITY),
        )
    sqs = request.getfixturevalue("amazon").sqs
    return Bench(
        SqsQueue(sqs, create_queue(sqs, "tweets")),
        SqsQueue(sqs, create_queue(sqs, "cards.fifo")),
        lambda queue, messages: queue.postpone([message.receipt for message in messages], 0),
    )
