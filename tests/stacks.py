"""A template as CloudFormation would read it, for given parameters.

docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference, "Intrinsic functions".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Template = Mapping[str, Any]
NOTHING = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True)
class Stack:
    """What a template comes to: its conditions decided, its parameters in place.

    What only AWS knows stays as it is: references to resources, the region, the account.
    """

    template: Template
    parameters: Mapping[str, str]

    @property
    def resources(self) -> dict[str, Any]:
        return {
            name: self.read(body)
            for name, body in self.template["Resources"].items()
            if "Condition" not in body or self.holds(body["Condition"])
        }

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of the resources of a type, by logical id."""
        return {
            name: body.get("Properties", {})
            for name, body in self.resources.items()
            if body["Type"] == kind
        }

    def holds(self, condition: str) -> bool:
        return bool(self.read(self.template["Conditions"][condition]))

    def read(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.read(part) for part in value if self._there(part)]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if read := FUNCTIONS.get(name):
                return read(self, argument)
        return {key: self.read(part) for key, part in value.items() if self._there(part)}

    def _there(self, value: Any) -> bool:
        return bool(self.read(value) != NOTHING) if isinstance(value, dict) else True

    def _if(self, argument: Any) -> Any:
        condition, first, second = argument
        return self.read(first if self.holds(condition) else second)

    def _ref(self, name: str) -> Any:
        return self.parameters.get(name, {"Ref": name})

    def _sub(self, argument: Any) -> str:
        text, names = (argument, {}) if isinstance(argument, str) else argument
        known = {**self.parameters, **self.read(names)}
        return re.sub(r"\$\{([\w.:]+)\}", lambda found: known.get(found[1], found[0]), text)

    def _join(self, argument: Any) -> Any:
        separator, parts = self.read(argument)
        strings = all(isinstance(part, str) for part in parts)
        return separator.join(parts) if strings else {"Fn::Join": [separator, parts]}

    def _equals(self, argument: Any) -> bool:
        first, second = self.read(argument)
        return bool(first == second)

    def _split(self, argument: Any) -> list[str]:
        separator, text = self.read(argument)
        return list(text.split(separator))

    def _select(self, argument: Any) -> Any:
        number, parts = self.read(argument)
        return parts[number]


FUNCTIONS: Final[Mapping[str, Callable[[Stack, Any], Any]]] = {
    "Ref": Stack._ref,
    "Fn::If": Stack._if,
    "Fn::Equals": Stack._equals,
    "Fn::Not": lambda stack, argument: not stack.read(argument[0]),
    "Fn::And": lambda stack, argument: all(stack.read(argument)),
    "Fn::Sub": Stack._sub,
    "Fn::Join": Stack._join,
    "Fn::Split": Stack._split,
    "Fn::Select": Stack._select,
}


def stack_of(template: Template, **given: str) -> Stack:
    """The stack with these parameters, the others as the template has them by default."""
    defaults = {name: body["Default"] for name, body in template.get("Parameters", {}).items()}
    assert given.keys() <= defaults.keys()
    for name, value in given.items():
        assert re.fullmatch(template["Parameters"][name].get("AllowedPattern", ".*"), value)
    return Stack(template, {**defaults, **given})
