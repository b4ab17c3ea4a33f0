"""A stage's stack as CloudFormation has it: its state, its template, and why a change failed.

AWS CloudFormation API reference: "DescribeStacks", "GetTemplate", "DescribeStackEvents".
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from bot.errors import Refused
from bot.local.stages import stage
from bot.local.stages.inventory import Template

_BUSY: Final = "_IN_PROGRESS"
_NEVER_MADE: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS")
"""States in which a stack can only be removed (AWS CloudFormation user guide, "Stack status")."""
_CANCELLED: Final = ("Resource creation cancelled", "Resource update cancelled")
"""Of what had no fault of its own."""


def deployed(name: str) -> Template | None:
    """The template that is deployed, None for no stack.

    Raises `Refused` where its state bars a deployment.
    """
    try:
        with stage.asking():
            [stack] = _client().describe_stacks(StackName=stage.stack_name(name))["Stacks"]
    except stage.Absent:
        return None
    state, called = str(stack["StackStatus"]), stage.stack_name(name)
    if state in _NEVER_MADE:
        raise Refused(
            f"The stack {called} was never made ({state}): first take away what is left of it, "
            f"`make remove STAGE={name}`."
        )
    if state.endswith(_BUSY):
        raise Refused(f"The stack {called} is being changed ({state}): wait until that is over.")
    return template(name)


def template(name: str) -> Template:
    """The template that is deployed. Raises `Refused` where there is no stack."""
    with stage.asking():
        answer = _client().get_template(StackName=stage.stack_name(name), TemplateStage="Original")
    return parsed(answer["TemplateBody"])


def parsed(body: Any) -> Template:
    """A template; boto3 may have read it already."""
    found: Template = json.loads(body) if isinstance(body, str | bytes) else body
    return found


def physical(name: str, logical: Sequence[str]) -> dict[str, str]:
    """What the resources are called on AWS, by their logical ids."""
    with stage.asking():
        pages = (
            _client()
            .get_paginator("list_stack_resources")
            .paginate(StackName=stage.stack_name(name))
        )
        every = [one for page in pages for one in page["StackResourceSummaries"]]
    found = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in every}
    return {one: found[one] for one in logical if one in found}


def failed(name: str, since: datetime) -> list[str]:
    """Where to look after a failure: the first resource that could not be made since, and why."""
    stack = stage.stack_name(name)
    first = next(_failures(stack, since), None)
    told = ["CloudFormation tells of no failure: what stopped it stands above."]
    if first:
        what = f"{first['LogicalResourceId']} ({first['ResourceType']})"
        reason = first.get("ResourceStatusReason", first["ResourceStatus"])
        told = [
            f"CloudFormation stopped at {what}: {reason}",
            "It puts back what was there before: mend this, and do it again.",
        ]
    return [*told, f"All of it: `aws cloudformation describe-stack-events --stack-name {stack}`."]


def _failures(stack: str, since: datetime) -> Iterator[dict[str, Any]]:
    try:
        with stage.asking():
            pages = _client().get_paginator("describe_stack_events").paginate(StackName=stack)
            events = [event for page in pages for event in page["StackEvents"]]
    except stage.Absent:
        return
    for event in reversed(events):
        cancelled = event.get("ResourceStatusReason", "") in _CANCELLED
        late = event["Timestamp"] >= since
        if late and event["ResourceStatus"].endswith("_FAILED") and not cancelled:
            yield event


def _client() -> Any:
    return stage.client("cloudformation")
