"""Whatever X, or a file, may send: it is read or refused, never anything else."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Refused
from bot.triage import Arrival, arrival_of, message
from bot.wire import Deleted, Ignored, Told, activity_event, activity_events, api_answer
from tests.examples import NOON
from tests.test_wire import FIXTURES, fixture, lines, row

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
anything = st.recursive(
    scalars | st.text(alphabet="\ud800\udc00\ufffe\u202e\0é", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A fixture of which one value is replaced by something else."""
    names = sorted(path.stem for path in FIXTURES.glob("*.json"))
    spoiling = deepcopy(fixture(draw(st.sampled_from(names))))
    at = spoiling
    while True:
        key = draw(st.sampled_from(range(len(at)) if isinstance(at, list) else sorted(at)))
        inner = at[key]
        if not isinstance(inner, dict | list) or not inner or draw(st.integers(0, 3)) == 0:
            at[key] = draw(anything)
            return spoiling
        at = inner


@settings(max_examples=500)
@given(spoilt() | anything)
def test_json_is_read_or_refused_and_what_is_read_travels_on_the_queue(value: Any) -> None:
    found: list[Told | Ignored] = []
    for read in (
        lambda: [activity_event(event) for event in activity_events(value)],
        lambda: api_answer(value, "poll")[0],
        lambda: lines(value),
    ):
        with suppress(Refused):
            found += read()
    for one in found:
        if not isinstance(one, Ignored):
            travels(one)


@given(
    st.dictionaries(st.sampled_from(["text", "id", "username", "created_at", "media"]), st.text())
)
def test_a_row_is_read_or_refused_and_what_is_read_travels_on_the_queue(
    columns: dict[str, str],
) -> None:
    with suppress(Refused):
        travels(row(**columns))


def travels(what: Told) -> None:
    body = message(Arrival(what, NOON)).body
    body.encode()
    assert not set(body) & {*map(chr, range(32)), "\ufffe", "\uffff"}
    kept = Deleted(what.id, source=what.source) if isinstance(what, Deleted) else what
    assert arrival_of(body) == Arrival(kept, NOON)
