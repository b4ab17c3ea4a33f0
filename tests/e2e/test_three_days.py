"""Three days of a busy account in simulated time: all limits and budgets, held to the call.

Real handlers, queues, files and HTTP; only the clock is moved.
"""
# ruff: noqa: S311 - chance makes the days, and no secrets

import os
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bot.cases import Case
from bot.errors import Failure
from bot.local.events import schedule_event
from bot.local.host import InProcess, Pump
from bot.settings import Settings
from bot.twitter.ledger import DOLLAR, PRICES, Action, price
from bot.wiring import Parts
from tests.e2e.homes import BY_NAME
from tests.examples import ANGRY, CALM, archive
from tests.fakes import Clock
from tests.standins.server import Fault
from tests.standins.x import XStandin
from tests.standins.x_posts import Post

MENTIONS = 5_000
DAYS = 3
MORNING = 8
STEP = 4  # minutes from one run of the scheduled functions to the next
READ: tuple[Action, ...] = ("mention", "own post", "lookup")
AUTHORS = 900
READS = 5_600
DOLLARS = 14.0
MEMORY = "/dev/shm"  # noqa: S108
MINUTE = timedelta(minutes=1)
WINDOW = timedelta(minutes=15)
BEGIN = datetime(2026, 11, 10, 9, tzinfo=UTC)


class Account:
    """An account that many write to, and the bot that has its keys."""

    def __init__(self, folder: Path, x: XStandin, clock: Clock) -> None:
        self.x, self.clock = x, clock
        self.random = random.Random(4)
        self.written: list[Post] = []
        self.stopped: dict[str, datetime] = {}
        self.late: list[tuple[datetime, str]] = []
        self.deleted: set[str] = set()
        self.paid: list[tuple[int, int]] = []
        environment = {
            "DATA_DIR": str(folder / "data"),
            "MODEL_PATH": str(archive(folder)),
            "X_API_URL": x.url,
            "X_CONSUMER_KEY": x.keys.consumer_key,
            "X_CONSUMER_SECRET": x.keys.consumer_secret,
            "X_ACCESS_TOKEN": x.keys.access_token,
            "X_ACCESS_TOKEN_SECRET": x.keys.access_token_secret,
            "X_MONTHLY_READ_BUDGET": str(READS),
            "X_MONTHLY_BUDGET_USD": str(DOLLARS),
            "DELETION_CHECK_DAYS": "0",  # its lump sums would blur the budget's edge
            "AUTO_REPLY": "on",
        }

        def parts(chosen: Settings) -> Parts:
            return Parts(chosen, clock)

        self.invoke = InProcess(environment, parts)
        self.parts = self.invoke.parts()
        queues = self.parts.queues
        self.pumps = [
            Pump(function, replace(trigger, window=0), queues[trigger.queue], self.invoke)
            for function in BY_NAME.values()
            for trigger in function.triggers
        ]

    def live(self) -> None:
        """Three days, with nights in which nobody writes and time goes faster."""
        minutes = [n for n in range(DAYS * 24 * 60) if (BEGIN + n * MINUTE).hour >= MORNING]
        due = Counter(self.random.choices(minutes, k=MENTIONS))
        while self.clock() < BEGIN + (DAYS + 0.35) * timedelta(days=1):
            minute = int((self.clock() - BEGIN) / MINUTE)
            for _ in range(sum(due[minute + n] for n in range(STEP))):
                self.somebody_writes()
            self.x_does_its_work()
            self.bot_does_its_work()
            self.clock.wait(STEP * 60)
            if self.clock().hour < MORNING:
                self.clock.wait(10 * 60)

    def bot_does_its_work(self) -> None:
        stop = threading.Event()
        for name in ("xPoller", "housekeeping"):
            with suppress(Failure):  # it runs again next time
                self.invoke(BY_NAME[name], schedule_event(self.clock()))
        before = len(self.x.posts)
        while sum(pump.once(stop) for pump in self.pumps):
            pass
        month = self.parts.ledger.month(self.clock())
        self.paid.append((len(self.x.posts) - before, sum(map(price, month.values()))))

    def somebody_writes(self) -> None:
        # A few write often.
        number = int(AUTHORS * self.random.random() ** 3)
        author = f"customer_{number}"
        text = self.random.choices([CALM, ANGRY, "please stop"], [88, 10, 2])[0]
        text = f"{text} {len(self.written)}" if text != "please stop" else text
        before = [post for post in self.written[-200:] if post.author.username == author]
        if before and before[-1].id not in self.deleted and self.random.random() < 0.5:
            post = self.x.add_mention(
                f"@HarborSupport {text}", author=author, kind="reply", about=before[-1].id
            )
        else:
            repeats = self.random.random() < 0.02 and "stop" not in text and self.written
            post = self.x.add_mention(
                f"@HarborSupport {text}",
                author=author,
                kind="retweet" if repeats else "mention",
                about=self.written[-1].id if repeats else "",
                sensitive=self.random.random() < 0.02,
            )
        self.written.append(post)
        if text == "please stop":
            self.stopped.setdefault(author, post.created_at)
        elif self.random.random() < 0.03:
            self.x.hidden.add(post.id)
            self.late.append((self.clock() + 8 * MINUTE, post.id))

    def x_does_its_work(self) -> None:
        """X indexes late, loses answers, is down, and lets authors delete."""
        for at, post_id in self.late:
            if at <= self.clock():
                self.x.hidden.discard(post_id)
        self.late = [one for one in self.late if one[0] > self.clock()]
        chance = self.random.random()
        if chance < 0.01:
            self.x.faults.append(Fault("lost", where="POST /2/tweets"))
        elif chance < 0.02:
            self.x.faults.append(Fault(status=503, where="/2/"))
        elif chance < 0.03:
            reset = str(int(self.clock().timestamp()) + 120)
            self.x.refuse_next(
                429, title="Too Many Requests", headers={"x-rate-limit-reset": reset}
            )
        elif chance < 0.05 and self.written:
            gone = self.random.choice(self.written[-50:])
            if gone.id not in self.deleted and "stop" not in gone.text:
                self.deleted.add(gone.id)
                self.x.delete(gone.id)


@contextmanager
def in_memory(otherwise: Path) -> Iterator[Path]:
    """A folder that no disk slows down, where there is one: a power cut is not the subject."""
    if not os.access(MEMORY, os.W_OK):
        yield otherwise
        return
    with TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    clock = Clock(BEGIN)
    disk = tmp_path_factory.mktemp("three days")
    with XStandin(clock=clock) as x, in_memory(disk) as folder:
        lived = Account(folder, x, clock)
        lived.live()
        yield lived


def answers(account: Account) -> list[Post]:
    return account.x.posts


def cases_of(account: Account) -> dict[str, Case]:
    return {case.id: case for case in account.parts.store.newest()}


def asked(account: Account) -> dict[str, Post]:
    """The posts, by id, that were there to be answered."""
    return {post.id: post for post in account.written}


def test_every_mention_that_could_be_read_has_a_case_and_every_case_an_end(
    account: Account,
) -> None:
    cases = cases_of(account)
    unread = set(asked(account)) - set(cases)
    assert unread <= account.deleted, "a post that was not deleted was missed"
    for case in cases.values():
        assert case.due_at is None, case
        reply = case.effect("reply")
        ended = (
            case.erased
            or (reply is not None and reply.state == "failed" and case.effect("card") is not None)
            or (case.route == "escalate" and case.effect("card") is not None)
            or (case.route == "reply" and reply is not None and reply.state == "sent")
            or (case.route == "skip" and case.reasons)
        )
        assert ended, case


def test_no_post_is_answered_twice(account: Account) -> None:
    assert max(Counter(post.about for post in answers(account)).values()) == 1


def test_what_the_bot_says_it_sent_is_what_x_has(account: Account) -> None:
    told = {
        reply.outside_id
        for case in cases_of(account).values()
        if (reply := case.effect("reply")) and reply.state == "sent"
    }
    assert told <= {post.id for post in answers(account)}
    assert len(told) > 300


def test_nobody_gets_more_than_two_answers_a_day(account: Account) -> None:
    posts = asked(account)
    days: Counter[Any] = Counter(
        (posts[post.about].author.username, post.created_at.date()) for post in answers(account)
    )
    assert max(days.values()) == 2


def test_x_is_never_called_more_often_than_it_takes(account: Account) -> None:
    times = sorted(post.created_at for post in answers(account))
    assert all(
        later - earlier >= WINDOW for earlier, later in zip(times, times[100:], strict=False)
    )


def test_nobody_is_answered_who_has_asked_to_be_left_alone(account: Account) -> None:
    posts = asked(account)
    assert len(account.stopped) > 20
    for post in answers(account):
        since = account.stopped.get(posts[post.about].author.username)
        assert since is None or post.created_at <= since, post


def test_nothing_old_sensitive_repeated_or_angry_is_answered(account: Account) -> None:
    posts = asked(account)
    for post in answers(account):
        to = posts[post.about]
        assert post.created_at - to.created_at <= timedelta(hours=6)
        assert not to.sensitive
        assert to.kind != "retweet"
        assert ANGRY not in to.text


def test_no_text_is_like_one_of_the_twenty_before_it(account: Account) -> None:
    texts = [post.text for post in answers(account)]
    for place, text in enumerate(texts):
        assert text not in texts[max(0, place - 20) : place]


def test_a_conversation_gets_an_answer_only_to_what_was_written_after_the_last(
    account: Account,
) -> None:
    posts, cases = asked(account), cases_of(account)
    talks: defaultdict[Any, list[Post]] = defaultdict(list)
    for post in sorted(answers(account), key=lambda one: one.created_at):
        to = posts[post.about]
        talks[cases[to.id].tweet.conversation_id, to.author.username].append(post)
    assert any(len(said) > 1 for said in talks.values())
    for said in talks.values():
        for earlier, later in pairwise(said):
            assert posts[later.about].created_at > earlier.created_at


def test_the_budget_is_used_up_and_held_to_the_last_answer(account: Account) -> None:
    spent = [paid for sent, paid in account.paid if sent]
    assert max(spent) <= DOLLARS * DOLLAR
    assert DOLLARS * DOLLAR - max(spent) < PRICES["reply"]
    month = account.parts.ledger.month(account.clock())
    uncertain = [
        case
        for case in cases_of(account).values()
        if (reply := case.effect("reply")) and reply.cost and reply.state == "failed"
    ]
    charged = sum(day.get("reply", 0) for day in month.values())
    assert charged == len(answers(account)) + len(uncertain)
    read = sum(day.get(one, 0) for day in month.values() for one in READ)
    assert MENTIONS * 0.9 < read <= READS
