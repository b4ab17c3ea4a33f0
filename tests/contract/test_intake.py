"""Intake over each store: what is noted between the runs of a poller, and what they may read."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from bot.ports import CaseStore
from bot.triage import Arrival, arrival_of, triage
from bot.twitter.deletions import DeletionCheck
from bot.twitter.ledger import Ledger
from bot.twitter.optouts import OptOuts, names
from bot.twitter.polling import CURSOR
from bot.wire import Deleted, Revoked
from tests.contract.examples import NOW, a_case
from tests.fakes import Clock, MemoryQueue
from tests.simulation import desk
from tests.test_intake import World, at, many


def test_a_poller_goes_on_where_the_last_run_stopped(store: CaseStore) -> None:
    world, posts = World(cursor=at(30).id, budget=1000, store=store), many(250)
    world.x.seconds = 20
    assert world.poll(*posts) == 200
    assert world.poll() == 50
    assert store.note(CURSOR) == {"cursor": posts[0].id}
    assert world.poll() == 0
    assert sorted(world.queued()) == sorted(post.id for post in posts)
    assert world.mentions_charged == len(world.x.billed) == 250


def test_a_check_for_deletions_reaches_each_case_however_many_came_at_once(
    store: CaseStore,
) -> None:
    cases = [a_case(str(1000 + number), NOW - timedelta(hours=1)) for number in range(150)]
    cases += [a_case(str(2000 + number), NOW - timedelta(days=2)) for number in range(20)]
    store.add([replace(one, tweet=replace(one.tweet, source="poll")) for one in cases])
    asked: list[str] = []
    queue = MemoryQueue(Clock(NOW))
    check = DeletionCheck(
        lambda ids: set(asked.extend(ids) or ["2003"]),  # type: ignore[func-returns-value]
        store,
        queue,
        Ledger(store),
        timedelta(days=9),
    )
    for _ in range(4):
        time = iter([50.0] * 70 + [20.0, 1.0])
        check.check(NOW, lambda time=time: next(time))  # type: ignore[misc]
    assert sorted(asked) == sorted(one.id for one in cases)
    assert [arrival_of(one.body).what for one in queue.sent] == [Deleted("2003", source="poll")]


def test_a_budget_is_not_overdrawn_by_those_who_read_at_the_same_time(store: CaseStore) -> None:
    ledger = Ledger(store, 35)
    with ThreadPoolExecutor(5) as readers:
        granted = list(readers.map(lambda _: ledger.reserve("mention", 10, NOW), range(5)))
    assert sorted(granted) == [0, 5, 10, 10, 10]
    assert ledger.reads_left(NOW) == 0


def test_what_a_crashed_run_had_set_aside_is_given_back(store: CaseStore) -> None:
    ledger = Ledger(store, 35)
    ledger.release(NOW)
    ledger.settle("mention", ledger.reserve("mention", 10, NOW), 4, NOW)
    ledger.reserve("mention", 30, NOW)
    ledger.release(NOW)
    assert ledger.reads_left(NOW) == 31


def test_an_opt_out_is_kept(store: CaseStore) -> None:
    post = replace(at(1), text="stop", author=replace(at(1).author, id="55", handle="Mira_Example"))
    opt_outs = OptOuts(store, lambda text: text == "stop")
    opt_outs.heed([post], NOW)
    assert store.notes(names(post.author)).keys() == set(names(post.author))
    assert opt_outs.opted_out(post.author)


def test_a_revocation_concerns_no_case(store: CaseStore) -> None:
    arrivals = [Arrival(Revoked("44"), NOW), Arrival(Deleted("1"), NOW)]
    triage(arrivals, desk(), store, {}, NOW)
    assert store.note("x-revoked") == {"at": NOW.isoformat(), "user_id": "44"}
