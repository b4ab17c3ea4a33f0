"""Tweets on their way while the table is throttled, or the queue takes only a part of them."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import Retryable
from bot.incidents import Incidents
from bot.notices import Bursts
from bot.storage.dynamodb import DynamoCases
from bot.storage.sqs import SqsQueue
from bot.triage import Arrival, message, triage_batch
from bot.tweets import Tweet
from bot.twitter.events import Taken, take_events
from tests.contract.examples import NOW, Watch, bodies, identities, take
from tests.contract.surroundings import TABLE, Amazon, create_queue, create_table
from tests.contract.test_dynamodb import refused
from tests.contract.test_sqs import partly
from tests.fakes import work_off
from tests.simulation import ANGRY, QUEUED, desk
from tests.test_x_fuzz import good

TEN = [str(number) for number in range(71, 81)]


@pytest.fixture
def store(amazon: Amazon) -> DynamoCases:
    create_table(amazon.dynamodb)
    return DynamoCases(amazon.dynamodb, TABLE, timedelta(days=90), Watch(), identities())


@pytest.fixture
def tweets(amazon: Amazon) -> SqsQueue:
    return SqsQueue(amazon.sqs, create_queue(amazon.sqs, "tweets"))


@pytest.fixture
def cards(amazon: Amazon) -> SqsQueue:
    return SqsQueue(amazon.sqs, create_queue(amazon.sqs, "cards.fifo"))


class Triage:
    """The function, over a table and queues; what failed comes again at once."""

    def __init__(self, store: DynamoCases, tweets: SqsQueue, cards: SqsQueue) -> None:
        self.store, self.tweets, self.cards = store, tweets, cards
        self.failed: Counter[str] = Counter()
        incidents = Incidents(store, Bursts(), QUEUED)
        self._desk = desk(incidents=incidents, channels=QUEUED)

    def __call__(self, event: dict[str, Any]) -> Any:
        answer = triage_batch(
            event, self._desk, self.store, self.tweets, {"cards": self.cards}, NOW
        )
        again = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        records = [record for record in event["Records"] if record["messageId"] in again]
        self.failed.update(again)
        self.tweets.postpone([record["receiptHandle"] for record in records], 0)
        return answer

    def work(self) -> None:
        while self.tweets.depth()[0]:
            work_off(self.tweets, 10, self)

    def carded(self) -> Counter[str]:
        return Counter(json.loads(body)["case"] for body in bodies(take(self.cards, len(TEN))))


@pytest.fixture
def triage(store: DynamoCases, tweets: SqsQueue, cards: SqsQueue) -> Triage:
    return Triage(store, tweets, cards)


@pytest.mark.parametrize(
    ("operation", "after"),
    [("BatchGetItem", "ReceiveMessage"), ("PutItem", "PutItem"), ("GetItem", "BatchGetItem")],
)
def test_a_table_throttled_in_the_middle_of_a_batch_loses_and_doubles_none(
    triage: Triage, amazon: Amazon, operation: str, after: str
) -> None:
    for one in TEN:
        post = Tweet(one, ANGRY.text, one)
        triage.tweets.send([message(Arrival(post, NOW))])
    faults = [refused(operation, "ThrottlingException")] * 2  # the SDK repeats the call
    due = iter([faults])

    def throttle(done: str) -> None:
        if done == after:
            amazon.relay.faults.extend(next(due, []))

    amazon.relay.meanwhile = throttle
    triage.work()
    assert triage.failed
    assert {case.id for case in triage.store.newest() if not case.notice} == set(TEN)
    assert triage.carded() == dict.fromkeys(TEN, 1)
    assert triage.tweets.depth() == (0, 0)


class TestAWebhookBodyOfWhichTheQueueTookAPart:
    BODY = json.dumps({"data": [good(int(one)) for one in TEN]}).encode()

    def taken(self, tweets: SqsQueue) -> Taken:
        return take_events(self.BODY, tweets, lambda _posts, _now: None, NOW)

    def test_comes_again_from_x_and_makes_one_case_a_post(
        self, triage: Triage, amazon: Amazon
    ) -> None:
        url = amazon.sqs.get_queue_url(QueueName="tweets")["QueueUrl"]
        amazon.relay.faults.extend([partly("SendMessageBatch", [], entry3=False)] * 2)
        with pytest.raises(Retryable, match="InternalError"):
            self.taken(triage.tweets)
        # What SQS took of it is there when X brings the whole body once more.
        [_, again] = [one.json() for one in amazon.relay.calls("SendMessageBatch")]
        assert len(again["Entries"]) == 1
        first = amazon.relay.calls("SendMessageBatch")[0].json()["Entries"]
        amazon.sqs.send_message_batch(QueueUrl=url, Entries=[*first[:3], *first[4:]])
        assert self.taken(triage.tweets) == Taken(queued=10)
        triage.work()
        assert {case.id for case in triage.store.newest() if not case.notice} == set(TEN)

    def test_does_not_come_again_for_what_the_queue_never_takes(
        self, tweets: SqsQueue, amazon: Amazon, caplog: pytest.LogCaptureFixture
    ) -> None:
        amazon.relay.faults.append(partly("SendMessageBatch", [], entry3=True))
        assert self.taken(tweets).refused == 1
        [line] = [record for record in caplog.records if record.levelname == "ERROR"]
        assert "SQS never takes 1 of these messages" in line.message
