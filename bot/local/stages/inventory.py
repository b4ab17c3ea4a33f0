"""What a packaged template makes on AWS, and what it changes of a deployed one: pure functions.

The form of a template: AWS CloudFormation user guide, "Template anatomy" and "Condition functions".
Its parameters count with their defaults, for so they are deployed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from bot.errors import Refused
from bot.frozen import frozen

Template = Mapping[str, Any]
Resources = Mapping[str, Mapping[str, Any]]

NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "AWS::Lambda::Function": ("function", "functions"),
    "AWS::ApiGatewayV2::Route": ("route", "routes"),
    "AWS::SQS::Queue": ("queue", "queues"),
    "AWS::DynamoDB::Table": ("table", "tables"),
    "AWS::SecretsManager::Secret": ("secret", "secrets"),
    "AWS::Events::Rule": ("schedule", "schedules"),
    "AWS::CloudWatch::Alarm": ("alarm", "alarms"),
    "AWS::SNS::Topic": ("topic for the alarms", "topics for the alarms"),
    "AWS::IAM::Role": ("role", "roles"),
    "AWS::Logs::LogGroup": ("log group", "log groups"),
    "AWS::S3::Bucket": ("bucket of releases", "buckets of releases"),
    "AWS::SageMaker::Endpoint": ("SageMaker endpoint", "SageMaker endpoints"),
}
"""What people call the kinds of resources worth counting, one and many."""
_OTHERS: Final = ("part that joins them", "parts that join them")

_CODE: Final = ("Code", "S3Key")
"""New with each release, so it tells nothing."""


@frozen
class Change:
    """One resource that comes, goes or becomes different; `fields` are the properties that do."""

    sign: Literal["+", "-", "~"]
    name: str
    kind: str
    fields: tuple[str, ...] = ()

    def told(self) -> str:
        """The change as one line."""
        what = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.sign} {self.name}, {self.kind}{what}"


def resources(template: Template) -> Resources:
    """The resources that are made, by their logical ids: those whose condition holds."""
    return {
        name: body
        for name, body in template.get("Resources", {}).items()
        if "Condition" not in body or _holds({"Condition": body["Condition"]}, template)
    }


def counted(template: Template) -> list[str]:
    """How many of each kind are made, as people say it: `9 functions`."""
    kinds = Counter(NAMES.get(body["Type"], _OTHERS) for body in resources(template).values())
    ordered = [*dict.fromkeys(NAMES.values()), _OTHERS]
    return [f"{kinds[name]} {name[kinds[name] > 1]}" for name in ordered if kinds[name]]


def changes(deployed: Template, packaged: Template) -> list[Change]:
    """What the packaged template changes of the deployed one, but for the functions' code."""
    return sorted(_changes(resources(deployed), resources(packaged)), key=lambda one: one.name)


def _changes(before: Resources, after: Resources) -> Iterator[Change]:
    for name in {*before, *after}:
        old, new = before.get(name), after.get(name)
        kind = (new or old or {})["Type"]
        if old is None:
            yield Change("+", name, kind)
        elif new is None:
            yield Change("-", name, kind)
        elif fields := _differing(old, new):
            yield Change("~", name, kind, fields)


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    attributes = {*old, *new} - {"Properties"}
    fields = [name for name in attributes if old.get(name) != new.get(name)]
    before, after = _told(old), _told(new)
    fields += [name for name in {*before, *after} if before.get(name) != after.get(name)]
    return tuple(sorted(fields))


def _told(body: Mapping[str, Any]) -> dict[str, Any]:
    """The properties without what is new with each release."""
    properties = dict(body.get("Properties", {}))
    block, field = _CODE
    if body["Type"] == "AWS::Lambda::Function" and block in properties:
        properties[block] = {k: v for k, v in properties[block].items() if k != field}
    return properties


def differences(deployed: Template, wanted: Template) -> list[str]:
    """The changes as people read them."""
    found = changes(deployed, wanted)
    if not found:
        return ["The functions get other code; nothing else changes."]
    return ["Beside the functions' code it changes:", *(f"  {one.told()}" for one in found)]


def kept(template: Template) -> list[str]:
    """The logical ids of what stays on AWS when the stack goes."""
    return sorted(
        name
        for name, body in resources(template).items()
        if str(body.get("DeletionPolicy", "Delete")).startswith("Retain")
    )


def release_folder(template: Template) -> str | None:
    """Where in the bucket of releases the code of the template's functions lies."""
    for body in template.get("Resources", {}).values():
        if body["Type"] == "AWS::Lambda::Function":
            block, field = _CODE
            key: str = body["Properties"][block][field]
            return key.rpartition("/")[0]
    return None


def resolved(value: Any, template: Template) -> Any:
    """The value; where it refers to a parameter, that one's default."""
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"Ref"}:
        return template.get("Parameters", {}).get(value["Ref"], {}).get("Default", value["Ref"])
    if set(value) == {"Fn::Join"}:
        between, parts = value["Fn::Join"]
        return str(between).join(str(resolved(part, template)) for part in parts)
    return value


def _holds(condition: Mapping[str, Any], template: Template) -> bool:
    ((how, what),) = condition.items()
    if how == "Condition":
        return _holds(template["Conditions"][what], template)
    if how == "Fn::Equals":
        left, right = (resolved(one, template) for one in what)
        return str(left) == str(right)
    if how == "Fn::Not":
        return not _holds(what[0], template)
    if how in {"Fn::And", "Fn::Or"}:
        together = all if how == "Fn::And" else any
        return together(_holds(one, template) for one in what)
    raise Refused(f"The template has a condition that is not understood: {how}.")
