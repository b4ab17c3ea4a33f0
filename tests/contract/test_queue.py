"""What every queue promises (`bot.ports.Queue`), asked of both."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.ports import Outgoing, Queue
from tests.contract.examples import RECEIVES, Bench, bodies, grouped, take


class TestSending:
    def test_takes_more_messages_than_one_call_to_sqs(self, bench: Bench) -> None:
        sent = [str(number) for number in range(25)]
        bench.queue.send([Outgoing(body) for body in sent])
        assert sorted(bodies(take(bench.queue, 25))) == sorted(sent)

    def test_takes_more_text_than_one_call_to_sqs(self, bench: Bench) -> None:
        sent = [f"{number}" * 100_000 for number in range(8)]
        bench.queue.send([Outgoing(body) for body in sent])
        assert sorted(bodies(take(bench.queue, 8))) == sent

    def test_of_nothing_sends_nothing(self, bench: Bench) -> None:
        bench.queue.send([])
        assert bench.queue.depth() == (0, 0)

    @settings(
        max_examples=30,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.text(
            # What SQS takes; the other control characters travel escaped in JSON.
            st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
            | st.sampled_from("\t\n\r\x7f😡👩‍👩‍👧‍👦\u202e\u200f\u2066<&>\"'"),
            min_size=1,
        )
    )
    def test_keeps_each_character_of_a_text(self, bench: Bench, text: str) -> None:
        bench.queue.send([Outgoing(text)])
        [message] = take(bench.queue)
        assert message.body == text
        bench.queue.delete([message.receipt])

    @pytest.mark.parametrize("body", ['{"text": "\\u0000\\u0001\\b"}', "😡" * 25_000])
    def test_keeps_what_a_tweet_may_hold(self, bench: Bench, body: str) -> None:
        bench.queue.send([Outgoing(body)])
        assert bodies(take(bench.queue)) == [body]


class TestReceiving:
    def test_finds_nothing_in_an_empty_queue(self, bench: Bench) -> None:
        assert bench.queue.receive(10) == []
        assert bench.fifo.receive(10) == []

    def test_gives_at_most_as_many_as_asked_for(self, bench: Bench) -> None:
        bench.queue.send([Outgoing(str(number)) for number in range(5)])
        assert len(bench.queue.receive(2)) == 2

    def test_tells_when_the_message_was_sent_and_in_which_group(self, bench: Bench) -> None:
        bench.fifo.send([grouped("a card", "C0SUPPORT")])
        [message] = take(bench.fifo)
        assert message.group == "C0SUPPORT"
        assert message.sent_at.tzinfo is UTC
        assert datetime(2026, 1, 1, tzinfo=UTC) < message.sent_at

    def test_hides_a_message_until_its_visibility_timeout(self, bench: Bench) -> None:
        bench.queue.send([Outgoing("a tweet")])
        received = take(bench.queue)
        assert bench.queue.receive(10) == []
        bench.time_out(bench.queue, received)
        assert bodies(take(bench.queue)) == ["a tweet"]

    def test_counts_how_often_a_message_came(self, bench: Bench) -> None:
        bench.queue.send([Outgoing("a tweet")])
        counts = []
        for _ in range(RECEIVES):
            [message] = received = take(bench.queue)
            counts.append(message.receive_count)
            bench.time_out(bench.queue, received)
        assert counts == [1, 2, 3]

    def test_names_a_message_the_same_each_time(self, bench: Bench) -> None:
        bench.queue.send([Outgoing("a tweet")])
        [first] = received = take(bench.queue)
        bench.time_out(bench.queue, received)
        [second] = take(bench.queue)
        assert (first.id, first.receipt != second.receipt) == (second.id, True)


class TestAMessageReceivedTooOften:
    def test_is_set_aside_and_counted_among_the_dead(self, bench: Bench) -> None:
        bench.queue.send([Outgoing("poison")])
        wear_out(bench, bench.queue)
        assert (bench.queue.receive(10), bench.queue.depth()) == ([], (0, 1))

    def test_no_longer_blocks_its_group(self, bench: Bench) -> None:
        bench.fifo.send([grouped("poison")])
        wear_out(bench, bench.fifo)
        bench.fifo.send([grouped("healthy")])
        assert bodies(take(bench.fifo)) == ["healthy"]
        assert bench.fifo.depth() == (1, 1)


class TestRedriving:
    def test_brings_a_dead_letter_back_as_if_it_had_never_been_received(self, bench: Bench) -> None:
        bench.queue.send([Outgoing("a tweet")])
        bury(bench, bench.queue)
        assert (bench.queue.redrive(1), bench.queue.depth()) == (1, (1, 0))
        counts = []
        for _ in range(RECEIVES):
            [message] = received = take(bench.queue)
            counts.append(message.receive_count)
            bench.time_out(bench.queue, received)
        assert (message.body, counts) == ("a tweet", [1, 2, 3])

    def test_keeps_group_and_order(self, bench: Bench) -> None:
        bench.fifo.send([grouped(body) for body in "abc"])
        bury(bench, bench.fifo, 3)
        assert bench.fifo.redrive(3) == 3
        back = take(bench.fifo, 3)
        assert bodies(back) == ["a", "b", "c"]
        assert {message.group for message in back} == {"C0SUPPORT"}

    def test_is_possible_again_and_again(self, bench: Bench) -> None:
        bench.fifo.send([grouped("a card")])
        for _ in range(3):
            bury(bench, bench.fifo)
            assert bench.fifo.redrive(1) == 1
        assert bodies(take(bench.fifo)) == ["a card"]

    def test_takes_as_many_as_asked_for_and_leaves_the_others(self, bench: Bench) -> None:
        bench.queue.send([Outgoing(str(number)) for number in range(12)])
        bury(bench, bench.queue, 12)
        assert (bench.queue.redrive(11), bench.queue.depth()) == (11, (11, 1))

    def test_takes_all_unless_asked_for_fewer(self, bench: Bench) -> None:
        sent = {str(number) for number in range(12)}
        bench.queue.send([Outgoing(body) for body in sent])
        bury(bench, bench.queue, 12)
        bench.queue.send([Outgoing("waits")])
        assert (bench.queue.redrive(), bench.queue.depth()) == (12, (13, 0))
        assert set(bodies(take(bench.queue, 13))) == {*sent, "waits"}


def bury(bench: Bench, queue: Queue, count: int = 1) -> None:
    """Makes dead letters of all that is on the queue."""
    wear_out(bench, queue, count)
    for _ in range(0, count, 10):
        assert queue.receive(10) == []
    assert queue.depth() == (0, count)


def wear_out(bench: Bench, queue: Queue, count: int = 1) -> None:
    """Receives all messages as often as they may be, and lets each time out."""
    for _ in range(RECEIVES):
        bench.time_out(queue, take(queue, count))


class TestDeleting:
    def test_removes_just_these_messages(self, bench: Bench) -> None:
        bench.queue.send([Outgoing(str(number)) for number in range(12)])
        received = take(bench.queue, 12)
        bench.queue.delete([message.receipt for message in received[:11]])
        assert bench.queue.depth() == (1, 0)
        bench.time_out(bench.queue, received[11:])
        assert bodies(take(bench.queue)) == [received[11].body]

    def test_by_a_receipt_used_before_or_never_given_changes_nothing(self, bench: Bench) -> None:
        bench.queue.send([Outgoing("done"), Outgoing("waits")])
        done, waits = sorted(take(bench.queue, 2), key=lambda message: message.body)
        bench.queue.delete([done.receipt])
        bench.queue.delete([done.receipt, "a receipt of nobody"])
        bench.queue.postpone([done.receipt, "a receipt of nobody"], 60)
        assert bench.queue.depth() == (1, 0)
        bench.queue.delete([waits.receipt])
        assert bench.queue.depth() == (0, 0)

    def test_of_nothing_is_harmless(self, bench: Bench) -> None:
        bench.queue.send([Outgoing("stays")])
        [waits] = take(bench.queue, 1)
        bench.queue.delete([])
        bench.queue.postpone([], 60)
        assert bench.queue.depth() == (1, 0)
        bench.queue.delete([waits.receipt])
        assert bench.queue.depth() == (0, 0)


class TestPostponing:
    def test_by_nothing_brings_the_message_at_once(self, bench: Bench) -> None:
        bench.queue.send([Outgoing(str(number)) for number in range(12)])
        received = take(bench.queue, 12)
        bench.queue.postpone([message.receipt for message in received], 0)
        assert {message.receive_count for message in take(bench.queue, 12)} == {2}

    def test_keeps_the_message_hidden(self, bench: Bench) -> None:
        bench.queue.send([Outgoing("a tweet")])
        [message] = take(bench.queue)
        bench.queue.postpone([message.receipt], 60)
        assert bench.queue.receive(10) == []
        assert bench.queue.depth() == (1, 0)


class TestAFifoQueue:
    def test_keeps_the_order_of_a_group(self, bench: Bench) -> None:
        sent = [str(number) for number in range(12)]
        bench.fifo.send([grouped(body) for body in sent])
        received: list[str] = []
        while len(received) < len(sent):
            batch = take(bench.fifo)
            received += bodies(batch)
            bench.fifo.delete([message.receipt for message in batch])
        assert received == sent

    def test_holds_back_a_group_while_one_of_it_is_in_flight(self, bench: Bench) -> None:
        bench.fifo.send([grouped("first"), grouped("second")])
        [first] = bench.fifo.receive(1)
        assert bench.fifo.receive(10) == []
        bench.fifo.delete([first.receipt])
        assert bodies(take(bench.fifo)) == ["second"]

    def test_holds_back_what_came_back_while_a_later_one_is_in_flight(self, bench: Bench) -> None:
        bench.fifo.send([grouped("first"), grouped("second")])
        first, second = bench.fifo.receive(10)
        bench.fifo.postpone([first.receipt], 0)
        assert [bench.fifo.receive(10) for _ in range(5)] == [[]] * 5
        bench.fifo.delete([second.receipt])
        assert bodies(take(bench.fifo)) == ["first"]

    def test_lets_other_groups_flow_meanwhile(self, bench: Bench) -> None:
        bench.fifo.send([grouped("1", "one"), grouped("2", "one"), grouped("3", "other")])
        assert bodies(bench.fifo.receive(1)) == ["1"]
        assert bodies(take(bench.fifo)) == ["3"]

    def test_gives_a_message_that_failed_before_those_behind_it(self, bench: Bench) -> None:
        bench.fifo.send([grouped("first"), grouped("second")])
        bench.time_out(bench.fifo, bench.fifo.receive(1))
        assert bodies(take(bench.fifo, 2)) == ["first", "second"]

    def test_drops_a_message_sent_twice(self, bench: Bench) -> None:
        # moto looks only at what is in the queue; that SQS remembers an id for five minutes
        # after its message was deleted can be shown of SQLite alone (test_sqlite.py).
        bench.fifo.send([grouped("a card"), grouped("a card"), grouped("another")])
        bench.fifo.send([grouped("a card")])
        assert bodies(take(bench.fifo, 2)) == ["a card", "another"]
        assert bench.fifo.depth() == (2, 0)


def test_a_standard_queue_drops_nothing(bench: Bench) -> None:
    bench.queue.send([Outgoing("twice"), Outgoing("twice")])
    assert bodies(take(bench.queue, 2)) == ["twice", "twice"]
