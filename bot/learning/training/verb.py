"""`train`: a model from labelled posts; what it does."""

import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tqdm import tqdm

from bot import settings
from bot.errors import Refused
from bot.learning.labelled import Labelled, labelled
from bot.learning.training import aims, splitting
from bot.learning.training.card import source
from bot.learning.training.checking import check
from bot.learning.training.train import Plan, Surroundings, Trained, examined
from bot.learning.training.train import train as work
from bot.local.lessons import all_lessons, to_learn
from bot.local.terminal import show
from bot.normalize import EMOJI, PLAIN
from bot.wiring import Parts, now


def train(arguments: Namespace, environment: Mapping[str, str]) -> int:
    """Trains, measures and writes the artifact; says how good it is."""
    check(arguments)
    hidden = None if not arguments.json else True
    with tqdm(
        total=sum(map(_size, arguments.data)),
        unit="B",
        unit_scale=True,
        disable=hidden,
        leave=False,
    ) as bar:
        rows = labelled(arguments.data, bar.update)
    plan = _plan(arguments, rows)
    own = _agents_words(arguments, environment)
    rows, asked = _parted(arguments, rows, plan.normalizer)
    # Agents' words are the newest there are: held out, nothing would be learnt from them.
    own = splitting.without(own, asked or [], plan.normalizer)
    made = _trained(arguments, [*rows, *own], plan, len(own))
    made = examined(made, asked) if asked is not None else made
    _written(arguments.output, made.pack)
    if arguments.write_test and asked is not None:
        _written(arguments.write_test, partial(splitting.write, asked))
    _tell(arguments, made)
    return 0


def _written(path: Path, write: Callable[[Path], None]) -> None:
    try:
        write(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None


def _plan(arguments: Namespace, rows: list[Labelled]) -> Plan:

    usual = PLAIN if arguments.settings == "reference" else EMOJI
    return Plan(
        name=arguments.name,
        normalizer=arguments.normalizer or usual,
        settings=arguments.settings,
        minutes=arguments.minutes,
        aim=_aim(arguments, rows),
        seed=arguments.seed,
    )


def _aim(arguments: Namespace, rows: list[Labelled]) -> aims.Aim:

    if arguments.miss_costs is not None:
        return aims.cheapest(arguments.miss_costs)
    if arguments.recall is not None:
        return aims.reaching(arguments.recall)
    if arguments.cards_a_day is not None:
        posts = arguments.posts_a_day
        return aims.at_most(
            arguments.cards_a_day, aims.posts_a_day(rows) if posts is None else posts
        )
    return aims.usual()


def _agents_words(arguments: Namespace, environment: Mapping[str, str]) -> list[Labelled]:
    if not arguments.with_labels:
        return []

    kept = to_learn(all_lessons(Parts(settings.read(environment)).store)).kept
    return [
        Labelled(
            one.text,
            one.escalate,
            one.created_at or one.at,
            one.language,
            arguments.label_weight,
        )
        for one in kept
    ]


def _parted(
    arguments: Namespace, rows: list[Labelled], normalizer: str
) -> tuple[list[Labelled], list[Labelled] | None]:
    """The rows to learn from and those to be judged by, None where nobody asked for any."""
    if arguments.test:
        asked = labelled([arguments.test])
        learnt = splitting.without(rows, asked, normalizer)
    elif arguments.hold_out is None:
        return rows, None
    elif arguments.newest:
        learnt, asked = splitting.newest(rows, arguments.hold_out, normalizer)
    else:
        learnt, asked = splitting.stratified(rows, arguments.hold_out, normalizer, arguments.seed)
    if not asked:
        raise Refused("The test set is empty: name a file with rows, or hold out more.")
    if rows and not learnt:
        raise Refused("All rows stand in the test set too: there is nothing left to learn from.")
    return learnt, asked


def _trained(arguments: Namespace, rows: list[Labelled], plan: Plan, own: int) -> Trained:

    sources = [source(path) for path in arguments.data]
    with tqdm(unit=" models", disable=True if arguments.json else None, leave=False) as bar:

        def done(what: str) -> None:
            bar.update()
            bar.set_postfix_str(what)

        return work(rows, sources, plan, Surroundings(now, time.monotonic, done), own)


def _tell(arguments: Namespace, made: Trained) -> None:
    described = made.description
    card = described.card
    row = {"output": str(arguments.output), "threshold": described.threshold, **described.metrics}
    if "test" in card:
        row["test"] = card["test"]
    found = _listed(described.metrics)
    sentences = [f"Wrote {arguments.output}, threshold {described.threshold:g} ({card['aim']})."]
    sentences.append(f"Measured {card['measured']}: {found}.")
    if "test" in card:
        sentences.append(f"On the test set: {_listed(card['test'])}.")
    left = card["data"]
    sentences.append(
        f"Of {left['rows']} rows {left['repeated']} said the same as others, {left['empty']} had "
        f"no word, and over {left['disputed']} texts people disagree."
        + (f" {left['agents']} are agents' labels." if arguments.with_labels else "")
    )
    show(arguments, row, "\n".join(sentences))


def _listed(found: Mapping[str, float | None]) -> str:
    told = (
        f"{name} cannot be told" if value is None else f"{name} {value:g}"
        for name, value in found.items()
    )
    return ", ".join(told)
