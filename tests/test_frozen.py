"""Our data is as `dataclass` makes it, but for the time it takes to make it."""

import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar
from unittest.mock import ANY

import pytest

from bot.frozen import frozen


@frozen
class Point:
    """A place."""

    x: int
    y: float = 0.5
    notes: dict[str, int] = field(default_factory=dict)

    def doubled(self) -> "Point":
        return replace(self, x=2 * self.x)


@frozen
class Other:
    """Of the same fields."""

    x: int
    y: float = 0.5


@frozen
class Quiet:
    """Says nothing of what it holds."""

    secret: str

    def __repr__(self) -> str:
        return "Quiet"


@frozen
class Alike:
    """With fields that ask for less."""

    Kind: ClassVar[list[str]] = []
    name: str
    key: str = field(default="", repr=False)
    read_at: int = field(default=0, compare=False)


@frozen
class Lenient:  # noqa: PLW1641  it is given one
    """Equal to whatever is."""

    name: str

    def __eq__(self, other: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Theirs:
    """What `dataclass` makes."""

    x: int
    y: float = 0.5


def test_equal_are_those_of_one_class_with_equal_fields() -> None:
    assert Other(1) == Other(1)
    assert Other(1) != Other(2)
    others: list[object] = [Theirs(1), (1, 0.5)]
    assert Other(1) not in others
    assert Other(1) == ANY, "another may say that they are equal"


def test_equal_ones_are_one_key() -> None:
    assert {Other(1): "a", Other(2): "b"}[Other(1)] == "a"
    assert hash(Other(1)) == hash(Theirs(1))
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1))


def test_it_says_what_it_holds_unless_it_says_so_itself() -> None:
    assert repr(Other(1)) == repr(Theirs(1)).replace("Theirs", "Other")
    assert repr(Quiet("key")) == "Quiet"


def test_what_a_field_asks_for_is_done() -> None:
    assert Alike("a", "k", 1) == Alike("a", "k", 2)
    assert hash(Alike("a", "k", 1)) == hash(Alike("a", "k", 2))
    assert repr(Alike("a", "k", 1)) == "Alike(name='a', read_at=1)"
    assert Alike("a", "k") != Alike("a", "l")


def test_one_with_an_equality_of_its_own_keeps_it_and_is_a_key() -> None:
    assert Lenient("a") == Lenient("b")
    assert {Lenient("a"): 1}[Lenient("a")] == 1


def test_nothing_of_it_changes() -> None:
    point: Any = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2
    with pytest.raises(FrozenInstanceError):
        del point.x
    assert not hasattr(point, "__dict__")


def test_all_of_dataclasses_works_with_it() -> None:
    assert [one.name for one in fields(Point)] == ["x", "y", "notes"]
    assert asdict(Point(2).doubled()) == {"x": 4, "y": 0.5, "notes": {}}
    assert Point(1).notes is not Point(1).notes
    assert pickle.loads(pickle.dumps(Other(3))) == Other(3)  # noqa: S301  our own
    match Other(3):
        case Other(x, y):
            assert (x, y) == (3, 0.5)
