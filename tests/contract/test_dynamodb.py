"""What is particular to DynamoDB: lost answers, lost races, throttling, its time to live."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.cases import Case
from bot.errors import Conflict, Refused, Retryable
from bot.storage.dynamodb import FIRST_PAGE, IDLE_READS, RACES, DynamoCases
from tests.contract.examples import NOW, Watch, a_case, identities, tell, told
from tests.contract.surroundings import CASES_TABLE, TABLE, Amazon, create_table
from tests.standins.server import Fault

RETENTION = timedelta(days=90)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(amazon: Amazon) -> DynamoCases:
    create_table(amazon.dynamodb)
    return DynamoCases(amazon.dynamodb, TABLE, RETENTION, Watch(), identities())


def refused(operation: str, code: str = "AccessDeniedException") -> Fault:
    """An answer that the SDK does not try again."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "No."}
    return Fault(status=400, body=body, where=operation)


class TestAPutWhoseAnswerWasLost:
    def test_counts_as_success_although_its_repetition_finds_the_case_there(
        self, store: DynamoCases, amazon: Amazon
    ) -> None:
        amazon.relay.faults.append(Fault("lost", where="PutItem"))
        assert store.add([a_case("1")]) == {"1"}
        assert len(amazon.relay.calls("PutItem")) == 2
        assert store.get(["1"]) == {"1": a_case("1")}

    def test_is_not_done_twice_where_it_was_a_change(
        self, store: DynamoCases, amazon: Amazon
    ) -> None:
        store.add([a_case("1")])
        amazon.relay.faults.append(Fault("lost", where="PutItem"))
        assert told(store.change("1", tell("claimed"))) == ["claimed"]
        assert told(store.get(["1"])["1"]) == ["claimed"]
        assert len(amazon.relay.calls("PutItem")) == 3

    def test_is_told_apart_from_one_that_another_writer_was_faster_with(
        self, store: DynamoCases, amazon: Amazon
    ) -> None:
        store.add([a_case("1", assignee="U0OTHER")])
        amazon.relay.faults.append(Fault("lost", where="PutItem"))
        assert store.add([a_case("1")]) == set()
        assert store.get(["1"])["1"].assignee == "U0OTHER"

    def test_gives_the_lease_to_its_holder(self, store: DynamoCases, amazon: Amazon) -> None:
        amazon.relay.faults.append(Fault("lost", where="PutItem"))
        assert store.lease("poller", "a", NOW, NOW + RETENTION)
        assert len(amazon.relay.calls("PutItem")) == 2


class TestAChange:
    def test_gives_up_after_too_many_lost_races_and_leaves_the_winner(
        self, store: DynamoCases
    ) -> None:
        store.add([a_case("1")])
        with pytest.raises(Conflict, match="Case 1"):
            store.change("1", beaten(store, RACES))
        assert told(store.get(["1"])["1"]) == ["theirs"] * RACES

    def test_may_lose_all_races_but_the_last(self, store: DynamoCases) -> None:
        store.add([a_case("1")])
        changed = store.change("1", beaten(store, RACES - 1))
        assert told(changed) == [*["theirs"] * (RACES - 1), "ours"]

    def test_that_returns_the_same_case_writes_nothing(
        self, store: DynamoCases, amazon: Amazon
    ) -> None:
        store.add([a_case("1")])
        amazon.relay.start_afresh()
        assert store.change("1", lambda case: case) == a_case("1")
        assert amazon.relay.calls("PutItem") == []


def test_a_note_that_is_new_is_written_without_a_look(store: DynamoCases, amazon: Amazon) -> None:
    amazon.relay.start_afresh()
    assert store.change_note("count", lambda count: (count or 0) + 1, new=True) == 1
    assert amazon.relay.calls("GetItem") == []


def beaten(store: DynamoCases, times: int) -> Callable[[Case], Case]:
    """A change in whose middle another writer is faster, so many times."""
    left = [tell("theirs")] * times

    def change(case: Case) -> Case:
        if left:
            store.change(case.id, left.pop())
        return tell("ours")(case)

    return change


def test_a_case_is_read_as_its_last_writer_left_it(store: DynamoCases, amazon: Amazon) -> None:
    # moto is always consistent: what can be seen is that DynamoDB is asked to be.
    store.change("1", tell("claimed"))
    store.get(["1"])
    [single, several] = amazon.relay.calls("GetItem")
    assert single.json()["ConsistentRead"]
    assert several.json()["RequestItems"][TABLE]["ConsistentRead"]


def test_whoever_wants_only_the_newest_pays_for_few(store: DynamoCases, amazon: Amazon) -> None:
    store.add([a_case(str(number), NOW - MINUTE * number) for number in range(3 * FIRST_PAGE)])
    amazon.relay.start_afresh()
    assert next(store.newest(since=NOW - timedelta(days=2))).id == "0"
    [query] = amazon.relay.calls("Query")
    [read] = amazon.relay.calls("BatchGetItem")
    assert query.json()["Limit"] == len(read.json()["RequestItems"][TABLE]["Keys"]) == FIRST_PAGE


def test_no_day_before_the_wanted_ones_is_asked_for(store: DynamoCases, amazon: Amazon) -> None:
    amazon.relay.start_afresh()
    assert list(store.newest(since=NOW - timedelta(days=2))) == []
    assert len(amazon.relay.calls("Query")) == 3


def test_what_its_index_still_lists_as_open_is_seen_as_it_is_by_now(
    store: DynamoCases, amazon: Amazon
) -> None:
    store.add([a_case("1"), a_case("2")])
    store.change("1", lambda case: replace(case, resolved=True))
    # moto's indexes never trail: what one that does would list is listed.
    amazon.dynamodb.update_item(
        TableName=TABLE,
        Key={"id": {"S": "1"}},
        UpdateExpression="SET #open = :open",
        ExpressionAttributeNames={"#open": "open"},
        ExpressionAttributeValues={":open": {"S": "1"}},
    )
    assert [case.id for case in store.open(1)] == ["2"]


class TestTheTable:
    def test_forgets_a_case_by_its_time_to_live(self, store: DynamoCases, amazon: Amazon) -> None:
        store.add([a_case("1")])
        store.change("1", tell("claimed"))
        item = amazon.dynamodb.get_item(TableName=TABLE, Key={"id": {"S": "1"}})["Item"]
        specification = CASES_TABLE["TimeToLiveSpecification"]
        assert specification["Enabled"]
        gone_at = int((NOW + RETENTION).timestamp())
        assert item[specification["AttributeName"]] == {"N": str(gone_at)}

    def test_has_an_index_of_the_open_cases_alone(self, store: DynamoCases, amazon: Amazon) -> None:
        store.add([a_case(str(number)) for number in range(3)])
        store.add([replace(a_case("3"), route="skip")])
        store.change("0", lambda case: replace(case, resolved=True))
        listed = amazon.dynamodb.scan(TableName=TABLE, IndexName="open")["Items"]
        assert sorted(item["id"]["S"] for item in listed) == ["1", "2"]

    def test_never_forgets_a_note(self, store: DynamoCases, amazon: Amazon) -> None:
        store.set_note("cursor", "1")
        [item] = amazon.dynamodb.scan(TableName=TABLE)["Items"]
        assert CASES_TABLE["TimeToLiveSpecification"]["AttributeName"] not in item

    @pytest.mark.parametrize(
        ("write", "gone_at"),
        [
            (lambda store: store.set_note("edit-2", "1", NOW), NOW + RETENTION),
            (lambda store: store.lease("poller", "a", NOW, NOW + MINUTE), NOW + MINUTE),
        ],
    )
    def test_forgets_what_had_its_time(
        self,
        store: DynamoCases,
        amazon: Amazon,
        write: Callable[[DynamoCases], Any],
        gone_at: datetime,
    ) -> None:
        write(store)
        [item] = amazon.dynamodb.scan(TableName=TABLE)["Items"]
        assert item["expires_at"] == {"N": str(int(gone_at.timestamp()))}

    def test_leaves_nothing_to_expire(self, store: DynamoCases) -> None:
        store.add([a_case("1", NOW - 2 * RETENTION)])
        assert store.expire(NOW) == 0


@pytest.mark.parametrize("body", ["private words", '{"private": 1}'])
def test_a_record_that_nobody_can_read_hides_no_other(
    store: DynamoCases, amazon: Amazon, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    store.add([a_case(str(number), NOW - number * MINUTE) for number in range(3)])
    amazon.dynamodb.update_item(
        TableName=TABLE,
        Key={"id": {"S": "1"}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": body}},
    )
    assert [case.id for case in store.newest()] == ["0", "2"]
    assert [case.id for case in store.open(2)] == ["2", "0"]
    assert "The record of case 1 is damaged" in caplog.text
    assert "private" not in caplog.text
    with pytest.raises(Refused, match="The record of case 1 is damaged"):
        store.change("1", tell("claimed"))


class TestKeysThatDynamoDBLeftUnread:
    def test_are_asked_for_again(self, store: DynamoCases, amazon: Amazon) -> None:
        store.add([a_case("1"), a_case("2")])
        amazon.relay.faults.append(unread("1", "2"))
        assert store.get(["1", "2"]).keys() == {"1", "2"}

    def test_for_too_long_may_be_read_later(self, store: DynamoCases, amazon: Amazon) -> None:
        amazon.relay.faults.extend(unread("1") for _ in range(IDLE_READS))
        with pytest.raises(Retryable, match="throttled"):
            store.get(["1"])
        assert len(amazon.relay.calls("BatchGetItem")) == IDLE_READS

    def test_are_read_however_many_answers_they_take(
        self, store: DynamoCases, amazon: Amazon
    ) -> None:
        cases = [a_case(str(number)) for number in range(2 * IDLE_READS)]
        store.add(cases)
        ids = [case.id for case in cases]
        store.get(ids)
        [whole] = amazon.relay.calls("BatchGetItem")
        items = amazon.dynamodb.batch_get_item(**whole.json())["Responses"][TABLE]
        amazon.relay.faults.extend(
            unread(*ids[place + 1 :], items=[items[place]]) for place in range(len(ids) - 1)
        )
        assert len(store.get(ids)) == len(ids)


def unread(*case_ids: str, items: Sequence[Any] = ()) -> Fault:
    keys = [{"id": {"S": case_id}} for case_id in case_ids]
    answer = {"Responses": {TABLE: items}, "UnprocessedKeys": {TABLE: {"Keys": keys}}}
    return Fault(status=200, body=answer, where="BatchGetItem")


CALLS = [
    ("PutItem", lambda store: store.add([a_case("1")])),
    ("BatchGetItem", lambda store: store.get(["1"])),
    ("GetItem", lambda store: store.change("1", tell("claimed"))),
    ("Query", lambda store: list(store.newest())),
    ("Query", lambda store: store.open(10)),
    ("Query", lambda store: store.due(NOW, 10)),
    ("GetItem", lambda store: store.note("cursor")),
    ("PutItem", lambda store: store.set_note("cursor", 1)),
    ("BatchGetItem", lambda store: store.notes(["cursor"])),
    ("GetItem", lambda store: store.change_note("cursor", lambda _: 1)),
    ("PutItem", lambda store: store.lease("poller", "a", NOW, NOW + RETENTION)),
]
THROTTLED = ["ProvisionedThroughputExceededException", "ThrottlingException"]
THROTTLED += ["RequestLimitExceeded", "TransactionConflictException", "InternalServerError"]


class TestATableThatIsThrottled:
    @pytest.mark.parametrize(
        ("operation", "call", "code"),
        [*((*call, THROTTLED[0]) for call in CALLS), *((*CALLS[0], code) for code in THROTTLED)],
    )
    def test_may_be_used_later(
        self,
        store: DynamoCases,
        amazon: Amazon,
        operation: str,
        call: Callable[[DynamoCases], Any],
        code: str,
    ) -> None:
        amazon.relay.fail_every(1, **vars(refused(operation, code)) | {"where": operation})
        with pytest.raises(Retryable, match=code):
            call(store)
        assert len(amazon.relay.calls(operation)) <= 2, "it is not hammered"

    def test_for_a_moment_holds_nothing_up(self, store: DynamoCases, amazon: Amazon) -> None:
        amazon.relay.faults.append(refused("PutItem", "ThrottlingException"))
        assert store.add([a_case("1")]) == {"1"}


def test_what_dynamodb_never_takes_is_not_tried_again(store: DynamoCases, amazon: Amazon) -> None:
    with pytest.raises(Refused, match="Item size has exceeded the maximum allowed size"):
        store.set_note("cursor", "x" * 410_000)
    assert len(amazon.relay.calls("PutItem")) == 1


@pytest.mark.parametrize(("operation", "call"), CALLS)
def test_a_call_that_dynamodb_refuses_may_work_later(
    store: DynamoCases, amazon: Amazon, operation: str, call: Callable[[DynamoCases], Any]
) -> None:
    amazon.relay.faults.append(refused(operation))
    with pytest.raises(Retryable, match="AccessDenied"):
        call(store)
