from typing import Any

import pytest

from bot.errors import Refused
from bot.local.stages import inventory
from bot.local.stages.inventory import Change


def function(key: str, **properties: Any) -> dict[str, Any]:
    code = {"S3Bucket": {"Ref": "Bucket"}, "S3Key": key}
    return {"Type": "AWS::Lambda::Function", "Properties": {"Code": code, **properties}}


QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}}
TABLE = {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": {}}


def test_what_is_made_is_counted_by_kind() -> None:
    part = {"Type": "AWS::Lambda::Permission"}
    template = {"Resources": {"A": QUEUE, "B": TABLE, "C": QUEUE, "D": part}}
    assert inventory.counted(template) == ["2 queues", "1 table", "1 part that joins them"]


@pytest.mark.parametrize(
    ("condition", "made"),
    [
        ({"Fn::Equals": [{"Ref": "Url"}, ""]}, True),
        ({"Fn::Not": [{"Fn::Equals": [{"Ref": "Url"}, ""]}]}, False),
        ({"Fn::Equals": [{"Fn::Join": ["", [{"Ref": "Url"}, "x"]]}, "x"]}, True),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]}, True),
    ],
)
def test_what_has_a_condition_is_made_where_it_holds(condition: Any, made: bool) -> None:
    template = {
        "Parameters": {"Url": {"Default": ""}},
        "Conditions": {
            "Asked": condition,
            "Yes": {"Fn::Equals": ["1", 1]},
            "No": {"Fn::Not": [{"Condition": "Yes"}]},
        },
        "Resources": {"A": {**QUEUE, "Condition": "Asked"}},
    }
    assert bool(inventory.resources(template)) is made


def test_a_condition_that_is_not_understood_is_refused() -> None:
    template = {"Conditions": {"Odd": {"Fn::Odd": []}}, "Resources": {"A": {"Condition": "Odd"}}}
    with pytest.raises(Refused, match="Fn::Odd"):
        inventory.resources(template)


def test_changes_are_what_comes_goes_and_differs_but_not_the_code() -> None:
    before = {"Resources": {"F": function("old"), "Q": QUEUE, "T": TABLE}}
    slower = {**QUEUE, "Properties": {"VisibilityTimeout": 120}}
    after = {"Resources": {"F": function("new"), "N": QUEUE, "Q": slower}}
    assert inventory.changes(before, after) == [
        Change("+", "N", "AWS::SQS::Queue"),
        Change("~", "Q", "AWS::SQS::Queue", ("VisibilityTimeout",)),
        Change("-", "T", "AWS::DynamoDB::Table"),
    ]
    assert inventory.differences(before, after)[1:] == [
        "  + N, AWS::SQS::Queue",
        "  ~ Q, AWS::SQS::Queue (VisibilityTimeout)",
        "  - T, AWS::DynamoDB::Table",
    ]


def test_a_policy_of_a_resource_that_changes_is_a_change() -> None:
    before, after = {"Resources": {"T": TABLE}}, {"Resources": {"T": {**TABLE}}}
    after["Resources"]["T"]["DeletionPolicy"] = "Delete"
    assert inventory.changes(before, after) == [
        Change("~", "T", "AWS::DynamoDB::Table", ("DeletionPolicy",))
    ]


def test_other_code_alone_is_said_so() -> None:
    before, after = ({"Resources": {"F": function(key)}} for key in ("old", "new"))
    assert inventory.differences(before, after) == [
        "The functions get other code; nothing else changes."
    ]


def test_what_stays_is_what_the_template_retains() -> None:
    assert inventory.kept({"Resources": {"Q": QUEUE, "T": TABLE}}) == ["T"]


def test_a_release_lies_where_its_functions_code_does() -> None:
    folder = "serverless/tweet-escalator/prod/1-2026"
    template = {"Resources": {"Q": QUEUE, "F": function(f"{folder}/tweet-escalator.zip")}}
    assert inventory.release_folder(template) == folder
    assert inventory.release_folder({"Resources": {"Q": QUEUE}}) is None


def test_outside_dev_the_table_of_cases_stays(template: dict[str, Any]) -> None:
    assert inventory.kept(template) == ["CasesTable"]
