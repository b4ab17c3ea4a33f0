"""Cases in one DynamoDB table.

A case is an item: its JSON, and beside it what the indexes need. `day` and `received_at` make the
index `newest`, one partition a day so that none grows hot; `due` and `due_at`, present only while
an effect is due, make the index `due`, and `open`, present only while the case waits for a person,
makes with `received_at` the index `open`. Notes are items whose id starts with `note#`, leases
with `lease#`.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from bot import records
from bot.cases import Case
from bot.errors import Conflict, Refused, Retryable
from bot.ports import Clock, Identities
from bot.storage.legible import body_of, case_of, case_or_none

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

RACES: Final = 10
"""How often a change is tried again on what another writer left."""
IDLE_READS: Final = 3
"""How often keys are asked for of which none was read: then the queue waits, and not we."""
GET_AT_ONCE: Final = 100
"""Items in one BatchGetItem (DynamoDB API reference)."""
FIRST_PAGE: Final = 10
"""Cases that are read at first: who wants no more than the newest shall not pay for a hundred."""
_OPEN: Final = "1"
"""The one value of the attribute `open`."""


class DynamoCases:
    """`bot.ports.CaseStore` over the table."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        retention: timedelta,
        clock: Clock,
        identities: Identities,
    ) -> None:
        self._client = client
        self._table = table
        self._retention = retention
        self._clock = clock
        self._identities = identities

    def add(self, cases: Sequence[Case]) -> set[str]:
        """See `bot.ports.CaseStore`. Batch writes carry no conditions, so one put a case."""
        return {
            case.id
            for case in cases
            if self._put_item(self._item_of(case, records.body(case)), None)
        }

    def get(self, ids: Sequence[str]) -> dict[str, Case]:
        """See `bot.ports.CaseStore`."""
        found: dict[str, Case] = {}
        unique = list(dict.fromkeys(ids))
        for start in range(0, len(unique), GET_AT_ONCE):
            items = self._get_batch(unique[start : start + GET_AT_ONCE])
            found |= {case_id: _case(case_id, item) for case_id, item in items.items()}
        return found

    def _get_batch(self, ids: Sequence[str]) -> "dict[str, Item]":
        found: dict[str, Item] = {}
        keys: list[Any] = [{"id": {"S": case_id}} for case_id in ids]
        idle = 0
        while idle < IDLE_READS:
            answer = self._call(
                "batch_get_item",
                RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}},
            )
            items = answer["Responses"].get(self._table, [])
            for item in items:
                found[item["id"]["S"]] = item
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not keys:
                return found
            # Large items come in several answers (16 MB each): that is no sign of trouble.
            idle = 0 if items else idle + 1
        raise Retryable("DynamoDB left keys unread: the table is throttled.").of("storage")

    def change(self, case_id: str, change: Callable[[Case], Case]) -> Case | None:
        """See `bot.ports.CaseStore`."""
        for _ in range(RACES):
            item = self._item(case_id)
            if item is None:
                return None
            before = _case(case_id, item)
            after = change(before)
            if after is before:
                return after
            body = body_of(after, item["body"]["S"])
            if self._put_item(self._item_of(after, body), item):
                return after
        raise Conflict(f"Case {case_id} changed {RACES} times while it was being changed.")

    def newest(
        self, until: datetime | None = None, since: datetime | None = None
    ) -> Iterator[Case]:
        """See `bot.ports.CaseStore`. Goes back day by day to the end of the retention."""
        today = self._clock().date()
        first = min(until.date(), today) if until else today
        last = today - timedelta(days=self._retention.days + 1)
        last = max(since.date(), last) if since else last
        for back in range((first - last).days + 1):
            day = (first - timedelta(days=back)).isoformat()
            for case in self._indexed("newest", ("day", day), forward=False, page=FIRST_PAGE):
                if since and case.received_at < since:
                    return
                if until is None or case.received_at <= until:
                    yield case

    def open(self, limit: int) -> list[Case]:
        """See `bot.ports.CaseStore`."""
        found = self._indexed("open", ("open", _OPEN), forward=True, page=limit)
        # The index may still list what was resolved a moment ago.
        return list(islice((case for case in found if case.open), limit))

    def _indexed(
        self, index: str, partition: tuple[str, str], *, forward: bool, page: int = GET_AT_ONCE
    ) -> Iterator[Case]:
        """The cases in a partition of an index, in its order or backwards, as they are by now."""
        name, value = partition
        start: dict[str, Any] = {}
        while True:
            answer = self._call(
                "query",
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression="#name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": {"S": value}},
                ScanIndexForward=forward,
                Limit=min(page, GET_AT_ONCE),
                **start,
            )
            ids = [item["id"]["S"] for item in answer["Items"]]
            items = self._get_batch(ids) if ids else {}
            found = (case_or_none(one, items[one]["body"]["S"]) for one in ids if one in items)
            yield from (case for case in found if case)
            if "LastEvaluatedKey" not in answer:
                return
            start, page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}, GET_AT_ONCE

    def due(self, now: datetime, limit: int) -> list[str]:
        """See `bot.ports.CaseStore`."""
        answer = self._call(
            "query",
            TableName=self._table,
            IndexName="due",
            KeyConditionExpression="#due = :due AND due_at <= :now",
            ExpressionAttributeNames={"#due": "due"},
            ExpressionAttributeValues={
                ":due": {"S": "due"},
                ":now": {"N": repr(now.timestamp())},
            },
            Limit=limit,
        )
        return [item["id"]["S"] for item in answer["Items"]]

    def delete(self, ids: Sequence[str]) -> None:
        """See `bot.ports.CaseStore`."""
        for case_id in ids:
            self._call("delete_item", TableName=self._table, Key={"id": {"S": case_id}})

    def expire(self, now: datetime) -> int:  # noqa: ARG002
        """See `bot.ports.CaseStore`: the table's time to live does it."""
        return 0

    def note(self, name: str) -> Any:
        """See `bot.ports.CaseStore`."""
        item = self._item(_note(name))
        return json.loads(item["body"]["S"]) if item else None

    def set_note(self, name: str, value: Any, received_at: datetime | None = None) -> None:
        """See `bot.ports.CaseStore`."""
        self._call(
            "put_item", TableName=self._table, Item=self._note_item(name, value, received_at)
        )

    def notes(self, names: Sequence[str]) -> dict[str, Any]:
        """See `bot.ports.CaseStore`."""
        unique = list(dict.fromkeys(names))
        found: dict[str, Any] = {}
        for start in range(0, len(unique), GET_AT_ONCE):
            items = self._get_batch([_note(name) for name in unique[start : start + GET_AT_ONCE]])
            found |= {key.partition("#")[2]: json.loads(i["body"]["S"]) for key, i in items.items()}
        return found

    def change_note(
        self,
        name: str,
        change: Callable[[Any], Any],
        received_at: datetime | None = None,
        *,
        new: bool = False,
    ) -> Any:
        """See `bot.ports.CaseStore`; a `new` one is read only where its writing meets another."""
        for race in range(RACES):
            item = None if new and not race else self._item(_note(name))
            before = json.loads(item["body"]["S"]) if item else None
            after = change(before)
            if item and after == before:
                return after
            if self._put_item(self._note_item(name, after, received_at), item):
                return after
        raise Conflict(f"The note {name} changed {RACES} times while it was being changed.")

    def _note_item(self, name: str, value: Any, received_at: datetime | None) -> "Item":
        item: Item = {
            "id": {"S": _note(name)},
            "body": {"S": json.dumps(value)},
            "version": {"S": self._identities()},
        }
        if received_at:
            item["expires_at"] = _seconds(received_at + self._retention)
        return item

    def lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """See `bot.ports.CaseStore`; a put that the SDK repeats meets its own holder."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "id": {"S": f"lease#{name}"},
                    "held_by": {"S": holder},
                    "ends_at": {"N": repr(until.timestamp())},
                    "expires_at": _seconds(until),
                },
                ConditionExpression="attribute_not_exists(id) OR held_by = :me OR ends_at <= :now",
                ExpressionAttributeValues={
                    ":me": {"S": holder},
                    ":now": {"N": repr(now.timestamp())},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        except (BotoCoreError, ClientError) as error:
            raise _failure(error) from None
        return True

    def _item(self, item_id: str) -> "Item | None":
        answer = self._call(
            "get_item", TableName=self._table, Key={"id": {"S": item_id}}, ConsistentRead=True
        )
        item: Item | None = answer.get("Item")
        return item

    def _put_item(self, item: "Item", before: "Item | None") -> bool:
        """Stores the item where `before`, None for nothing, is still what lies there."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}
        if before is not None:
            # Notes of earlier releases have no version; their body tells them apart as well.
            field = "version" if "version" in before else "body"
            condition = {
                "ConditionExpression": "#field = :before",
                "ExpressionAttributeNames": {"#field": field},
                "ExpressionAttributeValues": {":before": before[field]},
            }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **condition,
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            # The SDK repeats a put whose answer was lost, and the repetition then fails on what
            # the first one wrote.
            stored: Any = error.response.get("Item", {})
            return bool(stored.get("version") == item["version"])
        except (BotoCoreError, ClientError) as error:
            raise _failure(error) from None
        return True

    def _item_of(self, case: Case, body: str) -> "Item":
        item: Item = {
            "id": {"S": case.id},
            "body": {"S": body},
            "version": {"S": self._identities()},
            "day": {"S": case.received_at.date().isoformat()},
            "received_at": {"S": f"{case.received_at.isoformat()}#{case.id}"},
            "expires_at": _seconds(case.received_at + self._retention),
        }
        if case.open:
            item["open"] = {"S": _OPEN}
        if case.due_at:
            item |= {"due": {"S": "due"}, "due_at": {"N": repr(case.due_at.timestamp())}}
        return item

    def _call(self, method: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, method)(**arguments)
        except (BotoCoreError, ClientError) as error:
            raise _failure(error) from None


def _note(name: str) -> str:
    return f"note#{name}"


def _seconds(moment: datetime) -> "AttributeValueTypeDef":
    """As the table's time to live asks for it: whole seconds."""
    return {"N": str(int(moment.timestamp()))}


def _case(case_id: str, item: "Item") -> Case:
    return case_of(case_id, item["body"]["S"])


def _failure(error: BotoCoreError | ClientError) -> Retryable | Refused:
    """`Refused` where DynamoDB would never take it, as an item over 400 KB."""
    if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ValidationException":
        return Refused(f"DynamoDB does not take what was to be stored: {error}")
    return Retryable(f"DynamoDB did not answer as it should: {error}").of("storage")
