"""What is connected to what: the only file that knows every adapter.

Each adapter is imported where it is chosen, so a function loads only what it uses.
"""

import logging
import os
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.cases import Case, Channels
from bot.errors import Misconfigured
from bot.ports import CaseStore, Clock, Identities, Queue
from bot.settings import Settings
from bot.verdicts import Classifier

if TYPE_CHECKING:
    from slack_bolt import App
    from slack_sdk import WebClient

    from bot.agents import Agents
    from bot.checkups import Checkups
    from bot.delivery import Courier, Worker
    from bot.digests import Digests
    from bot.drift import Learnt
    from bot.erasure import Eraser
    from bot.hours import Hours
    from bot.housekeeping import Housekeeping
    from bot.incidents import Incidents
    from bot.mutes import Mutes
    from bot.policy import Rules
    from bot.rejudging import Terms
    from bot.slack.actions import Clerk
    from bot.slack.client import Address
    from bot.slack.outlets import Channel
    from bot.storage.overview import SqliteOverview
    from bot.storage.sqlite import Database, SqliteQueue
    from bot.thresholds import Thresholds
    from bot.triage import Desk
    from bot.tweets import Tweet
    from bot.twitter.client import XAccount
    from bot.twitter.gate import Gate
    from bot.twitter.ledger import Ledger
    from bot.twitter.optouts import OptOuts
    from bot.twitter.pause import Pause
    from bot.twitter.polling import Poller
    from bot.twitter.registration import XApp
    from bot.twitter.replies import Replies
    from bot.twitter.rules import Limits
    from bot.twitter.stopwords import StopWords
    from bot.twitter.webhook import Webhook
    from bot.web.judging import Judging

log = logging.getLogger(__name__)

ACCOUNT_READ_AGAIN: Final = timedelta(minutes=1)
"""For how long it is believed whose account the poller found."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Parts:
    """Everything a handler may need, made when first asked for."""

    def __init__(
        self,
        chosen: Settings,
        clock: Clock = now,
        identities: Identities = lambda: uuid.uuid4().hex,
        wait: Callable[[float], None] = time.sleep,
        aws_within: float | None = None,
    ) -> None:
        """`aws_within`: see `bot.storage.clients`."""
        self.settings = chosen
        self._aws_within = aws_within
        self.clock = clock
        self.identities = identities
        self.wait = wait

    @cached_property
    def classifier(self) -> Classifier:
        """The embedded model, or the one behind the SageMaker endpoint."""
        if self.settings.classifier == "sagemaker" and self.settings.sagemaker_endpoint:
            from bot.breaker import SparedClassifier
            from bot.classifier import sagemaker

            endpoint = sagemaker.SageMakerClassifier(
                sagemaker.client(), self.settings.sagemaker_endpoint, self.settings.normalizer
            )
            return SparedClassifier(endpoint, self.clock)
        return _embedded(self.settings.model_path)

    @cached_property
    def store(self) -> CaseStore:
        """The DynamoDB table, or the SQLite file."""
        aws, retention = self.settings.aws, self.settings.retention
        if aws:
            from bot.storage import clients
            from bot.storage.dynamodb import DynamoCases

            client = clients.dynamodb(self._aws_within)
            return DynamoCases(client, aws.cases_table, retention, self.clock, self.identities)
        from bot.storage.sqlite import SqliteCases

        return SqliteCases(self.database, retention)

    @property
    def database(self) -> "Database":
        """The SQLite file, made where it is not there yet."""
        return _database(self.settings.database)

    def _queue(self, name: str) -> Queue:
        if self.settings.aws:
            from bot.storage import clients
            from bot.storage.sqs import SqsQueue

            return SqsQueue(clients.sqs(self._aws_within), self.settings.aws.queue_url(name))
        return self._sqlite_queue(name)

    def _sqlite_queue(self, name: str) -> "SqliteQueue":
        from bot.local.serverless import queue_properties
        from bot.storage.sqlite import SqliteQueue

        properties = queue_properties(name)
        return SqliteQueue(
            self.database,
            name,
            fifo=properties.fifo,
            visibility=properties.visibility,
            max_receives=properties.max_receives,
            clock=self.clock,
            identities=self.identities,
        )

    @cached_property
    def tweets(self) -> Queue:
        """Tweets on their way to triage."""
        return self._queue("tweets")

    @cached_property
    def cards(self) -> Queue:
        """Cards and their updates on their way to Slack."""
        return self._queue("cards")

    @cached_property
    def replies(self) -> Queue:
        """Answers on their way to X."""
        return self._queue("replies")

    @cached_property
    def actions(self) -> Queue:
        """What agents asked for in Slack."""
        return self._queue("actions")

    @property
    def queues(self) -> dict[str, Queue]:
        """The four queues by their names."""
        return {
            "tweets": self.tweets,
            "cards": self.cards,
            "replies": self.replies,
            "actions": self.actions,
        }

    @cached_property
    def overview(self) -> "SqliteOverview":
        """What the console lists. Raises `Misconfigured` where cases do not lie in SQLite."""
        from bot.storage.overview import SqliteOverview

        if self.settings.aws:
            raise Misconfigured([_NO_OVERVIEW])
        return SqliteOverview(self.database)

    @property
    def workers(self) -> "Mapping[Worker, Queue]":
        """The queues that carry effects."""
        return {"cards": self.cards, "replies": self.replies}

    def trace(self) -> str:
        """The trace of what comes in now: that of the function's call on Lambda, else a new one.

        AWS X-Ray developer guide, "Tracing header"; Lambda gives it although nothing is sampled.
        """
        root = _X_RAY_ROOT.search(os.environ.get("_X_AMZN_TRACE_ID", ""))
        return root[1] if root else self.identities()

    @property
    def _timed_classifier(self) -> Classifier:
        from bot.classifier.timed import TimedClassifier

        return TimedClassifier(self.classifier, time.perf_counter)

    @property
    def channels(self) -> Channels:
        """How effects of new cases begin."""
        queued = self.settings.slack is not None or self.settings.slack_awaited
        return Channels(
            cards_queued=queued, replies=self.settings.auto_reply, remind=self._remind_at
        )

    def _remind_at(self, now: datetime) -> datetime | None:
        span = self.settings.claim_reminder
        return self.hours.later(now, span) if span else None

    @cached_property
    def hours(self) -> "Hours":
        """When people work (`replies.toml`)."""
        from zoneinfo import ZoneInfo

        from bot.hours import hours_of

        return hours_of(self._replies_file, ZoneInfo)

    @cached_property
    def thresholds(self) -> "Thresholds":
        """From which probability on a tweet escalates."""
        from bot.thresholds import Thresholds

        return Thresholds(self.store, self.settings.threshold)

    @cached_property
    def incidents(self) -> "Incidents":
        """Which cards are collected on one."""
        from bot.incidents import Incidents

        return Incidents(self.store, self.settings.bursts, self.channels)

    @cached_property
    def mutes(self) -> "Mutes":
        """Whose posts make no cards."""
        from bot.mutes import Mutes

        return Mutes(self.store)

    @cached_property
    def digests(self) -> "Digests":
        """The numbers of a day."""
        from bot.digests import Digests

        return Digests(
            self.store, self.channels, self.hours, self.settings.digest_hour, self._cost_of_day
        )

    @property
    def _costs(self) -> bool:
        # On AWS this function may not know X's keys, and another does.
        return self.settings.x_keys is not None or self.settings.aws is not None

    def _cost_of_day(self, at: datetime) -> int | None:
        from bot.twitter.ledger import price

        if not self._costs:
            return None
        return price(self.ledger.month(at).get(at.date().isoformat(), {}))

    @cached_property
    def housekeeping(self) -> "Housekeeping":
        """What is done every minute."""
        from bot.housekeeping import Housekeeping

        return Housekeeping(
            self.store, self.workers, self.incidents, self.digests, self.checkups, self.clock
        )

    @cached_property
    def checkups(self) -> "Checkups":
        """Whether the model still fits, once a week."""
        from bot.checkups import Checkups

        return Checkups(
            self.store, self.channels, self.hours, self.settings.digest_hour, self.learnt
        )

    def learnt(self) -> "Learnt | None":
        """What is known of the model in service, read anew at each call; None of a stranger's.

        Of one behind an endpoint it is what its publication noted.
        """
        if self.settings.classifier == "sagemaker":
            from bot.classifier.learnt import PUBLICATION, published

            return published(self.store.note(PUBLICATION))
        from bot.classifier.learnt import learnt

        return learnt(self.settings.model_path)

    @cached_property
    def desk(self) -> "Desk":
        """What triage decides by."""
        from bot.triage import Desk
        from bot.twitter.ledger import cost_of_reading

        return Desk(
            classifier=self._timed_classifier,
            threshold=self.thresholds,
            unsure_margin=self.settings.unsure_margin,
            hold=self.settings.hold,
            rules=self._rules,
            channels=self.channels,
            incidents=self.incidents,
            may_reply=self._may_reply,
            reply_text=self._reply_text,
            heed=self.opt_outs.heed,
            asks_quiet=self._asks_quiet,
            read_cost=cost_of_reading,
        )

    @cached_property
    def terms(self) -> "Terms":
        """What past cases are decided by once more; no model is loaded for it."""
        from bot.rejudging import Terms

        return Terms(self._rules, self.settings.unsure_margin, self._refusal)

    def _refusal(self, case: Case) -> str | None:
        # As triage asked when it decided (`bot.triage`).
        if self.settings.auto_reply == "off":
            return "Automatic replies are off."
        if not case.tweet.answer:
            return None
        return self._may_reply(case.tweet, case.received_at, case.decided_at)

    @cached_property
    def _rules(self) -> "Rules":
        from bot.policy import rules_from

        return rules_from(_toml(self.settings.rules_path))

    @cached_property
    def _limits(self) -> "Limits":
        from bot.twitter.rules import Limits

        return Limits(
            self.settings.reply_max_age,
            self.settings.replies_per_author_per_day,
            self._rules.unanswered,
        )

    @cached_property
    def reply_texts(self) -> "Replies":
        """The bot's answers and the agents' drafts. Raises `Misconfigured` where they are wrong."""
        from bot.twitter.replies import replies_from

        return replies_from(self._replies_file, allow_links=self.settings.allow_links)

    @cached_property
    def _replies_file(self) -> dict[str, Any]:
        # Every post is compared with its stop words and every card heeds its hours, but few posts
        # are answered: each is read alone.
        return _toml(self.settings.replies_path)

    def _reply_text(self, tweet: "Tweet", now: datetime) -> str:
        return self.reply_texts.text(tweet, now)

    @cached_property
    def _stop_words(self) -> "StopWords":
        from bot.twitter.stopwords import stop_words_of

        return stop_words_of(self._replies_file)

    def _asks_quiet(self, text: str) -> bool:
        return self._stop_words.stand_in(text)

    @cached_property
    def ledger(self) -> "Ledger":
        """What X costs, and what is left of its budgets."""
        from bot.twitter.ledger import Ledger

        return Ledger(
            self.store, self.settings.x_monthly_read_budget, self.settings.x_monthly_budget_usd
        )

    @cached_property
    def pause(self) -> "Pause":
        """The switch that holds back all automatic replies."""
        from bot.twitter.pause import Pause

        return Pause(self.store)

    @cached_property
    def opt_outs(self) -> "OptOuts":
        """Who asked the bot to leave them alone."""
        from bot.twitter.optouts import OptOuts

        return OptOuts(self.store, self._asks_quiet)

    @cached_property
    def agents(self) -> "Agents":
        """What agents can do, wherever they ask for it."""
        from bot.agents import Agents

        return Agents(
            store=self.store,
            workers=self.workers,
            channels=self.channels,
            may_say=self._may_say,
            answers=self.gate.agent_answers,
            mute=self.mutes.mute,
            opt_out=lambda author, who, now: self.opt_outs.add(author, now, who),
            clock=self.clock,
        )

    @cached_property
    def gate(self) -> "Gate":
        """What lets answers out, or not."""
        from bot.twitter.gate import Gate
        from bot.twitter.lengths import links

        return Gate(
            store=self.store,
            ledger=self.ledger,
            limits=self._limits,
            account=lambda: self._account,
            choose=self.reply_texts.choose,
            has_link=lambda text: bool(links(text)),
            sends=self.settings.auto_reply == "on",
        )

    @cached_property
    def eraser(self) -> "Eraser":
        """Who erases posts."""
        from bot.erasure import Eraser

        return Eraser(
            store=self.store,
            workers=self.workers,
            backlog=None if self.settings.aws else self._sqlite_queue("tweets"),
            clock=self.clock,
        )

    def _may_say(self, tweet: "Tweet", text: str) -> str | None:
        from bot.twitter.replies import refused_text
        from bot.twitter.rules import refusal_through_api

        forbidden = refusal_through_api(tweet, self._account) if tweet.answer else None
        return forbidden or refused_text(text, allow_links=self.settings.allow_links)

    def _may_reply(self, tweet: "Tweet", received_at: datetime, now: datetime) -> str | None:
        from bot.twitter.rules import STOPPED, refusal

        if self._asks_quiet(tweet.text):
            return STOPPED
        return refusal(tweet, self._account, self._limits, received_at, now)

    @property
    def _account(self) -> frozenset[str]:
        from bot.twitter import ACCOUNT

        if self.settings.x_user_id:
            return frozenset({self.settings.x_user_id})
        now = self.clock()
        read_at, noted = self._noted_account
        # Another process may have learnt by now that the keys are another account's.
        if noted is None or read_at < now - ACCOUNT_READ_AGAIN:
            noted = self.store.note(ACCOUNT)
            self._noted_account = now, noted
        return frozenset({noted}) if noted else frozenset()

    _noted_account: tuple[datetime, str | None] = datetime.min.replace(tzinfo=UTC), None

    @cached_property
    def judging(self) -> "Judging":
        """What the web address answers."""
        from bot.web.judging import Judging

        return Judging(
            classifier=self._timed_classifier,
            threshold=self._threshold_here,
            password=self.settings.api_password,
            console=None if self.settings.aws else "/console/",
        )

    def _threshold_here(self) -> float | None:
        # On AWS the web address has no way to the table, by design: it answers on its own.
        return self.settings.threshold if self.settings.aws else self.thresholds()

    @cached_property
    def webhook(self) -> "Webhook":
        """What X's webhook is answered."""
        from bot.twitter.webhook import Webhook

        secret = self.settings.x_consumer_secret
        return Webhook(secret, self.tweets, self._heed, self.clock, self.trace)

    def _heed(self, posts: "Sequence[Tweet]", at: datetime) -> None:
        # The webhook has use for the store only where somebody asks.
        if any(self._asks_quiet(post.text) for post in posts):
            self.opt_outs.heed(posts, at)

    @cached_property
    def poller(self) -> "Poller | None":
        """Who reads what X has for the account, None where its keys are not set."""
        if self.x is None:
            return None
        from bot.twitter.deletions import DeletionCheck
        from bot.twitter.polling import Poller

        return Poller(
            mentions=self.x,
            store=self.store,
            tweets=self.tweets,
            ledger=self.ledger,
            heed=self._heed,
            deletions=DeletionCheck(
                self.x.gone, self.store, self.tweets, self.ledger, self.settings.deletion_check
            ),
            clock=self.clock,
            identities=self.identities,
            trace=self.trace,
        )

    @cached_property
    def x(self) -> "XAccount | None":
        """The account on X, None where its keys are not set."""
        if self.settings.x_keys is None:
            return None
        from bot.twitter.client import XAccount, connect

        client = connect(self.settings.x_keys, self.settings.x_api_url)
        return XAccount(client, self.settings.x_user_id, self.clock, self._charge_own_posts)

    def _charge_own_posts(self, number: int) -> None:
        self.ledger.charge("own post", number, self.clock())

    @cached_property
    def x_app(self) -> "XApp | None":
        """The app on X, None where its bearer token is not set."""
        if self.settings.x_bearer_token is None:
            return None
        from bot.twitter.registration import XApp, connect

        token, keys = self.settings.x_bearer_token, self.settings.x_keys
        return XApp(connect(token, keys, self.settings.x_api_url), self.clock)

    @cached_property
    def slack(self) -> "WebClient | None":
        """The Slack client, None where its keys are not set."""
        if self.settings.slack is None:
            return None
        from bot.slack.client import connect

        return connect(self.settings.slack.bot_token, self.settings.slack_api_url)

    @cached_property
    def slack_channel(self) -> "Channel":
        """The support channel. Raises `Misconfigured` where Slack's keys are not set."""
        from bot.slack.client import Turns
        from bot.slack.outlets import Channel

        if self.settings.slack is None or self.slack is None:
            raise Misconfigured([_NO_SLACK])
        turns = Turns(self.clock, self.wait, self.settings.slack_pace)
        return Channel(self.slack, self.settings.slack.channel, turns)

    @cached_property
    def _channel_url(self) -> "Address":
        from bot.slack.client import Address

        channel = self.slack_channel
        return Address(channel.client, channel.id)

    @cached_property
    def slack_app(self) -> "App":
        """The Bolt app. Raises `Misconfigured` where Slack's keys are not set."""
        from bot.slack.app import Front, build

        if self.settings.slack is None or self.slack is None:
            raise Misconfigured([_NO_SLACK])
        front = Front(lambda: self.agents, self._draft)
        return build(self.settings.slack.signing_secret, self.slack, self.actions, front)

    def _draft(self, tweet: "Tweet") -> str:
        return self.reply_texts.draft(tweet)

    @cached_property
    def clerk(self) -> "Clerk":
        """Who does what agents ask for in Slack."""
        from bot.slack.actions import Clerk
        from bot.slack.commands import TriageCommand
        from bot.slack.hometab import HomeTab
        from bot.slack.status import Standing

        return Clerk(
            agents=self.agents,
            desk=lambda: self.desk,
            store=self.store,
            channel=self.slack_channel,
            triage=TriageCommand(
                store=self.store,
                status=Standing(
                    store=self.store,
                    queues=self.queues,
                    classifier=lambda: self.classifier,
                    thresholds=self.thresholds,
                    incidents=self.incidents,
                    pause=self.pause,
                    ledger=self.ledger,
                    costs=self._costs,
                    clock=self.clock,
                ),
                desk=lambda: self.desk,
                pause=self.pause,
                thresholds=self.thresholds,
                mutes=self.mutes,
                opt_outs=self.opt_outs,
                admins=self.settings.slack_admins,
                channel_url=self._channel_url,
                clock=self.clock,
            ),
            home=HomeTab(
                self.store,
                self.digests,
                self.slack_channel,
                self._channel_url,
                self.hours,
                self.pause,
                self.settings.slack_admins,
                self.clock,
            ),
            hours=self.hours,
            clock=self.clock,
        )

    @cached_property
    def card_courier(self) -> "Courier":
        """Who brings cards, updates and lines to Slack."""
        if self.settings.slack is None:
            return self._courier({"card": None, "update": None, "line": None}, {})
        from bot.slack.outlets import CardOutlet, LineOutlet, UpdateOutlet
        from bot.slack.surroundings import Surroundings

        channel, around = self.slack_channel, Surroundings(self.store, self._channel_url)
        outlets = {
            "card": CardOutlet(channel, around),
            "update": UpdateOutlet(channel, around),
            "line": LineOutlet(channel, self._channel_url),
        }
        return self._courier(outlets, {"cards": self.cards})

    @cached_property
    def reply_courier(self) -> "Courier":
        """Who brings answers to X; one that failed becomes a card."""
        return self._courier({"reply": self.x}, {"cards": self.cards}, self.gate)

    def _courier(
        self, outlets: Any, workers: "Mapping[Worker, Queue]", gate: "Gate | None" = None
    ) -> "Courier":
        from bot.delivery import Courier

        return Courier(
            store=self.store,
            workers=workers,
            outlets=outlets,
            channels=self.channels,
            clock=self.clock,
            identities=self.identities,
            wait=self.wait,
            gate=gate,
        )


_NO_OVERVIEW: Final = (
    "The console shows cases that lie on this machine, and CASES_TABLE names a table on AWS: use "
    "Slack, or `python -m bot cases`."
)
_NO_SLACK: Final = (
    "Slack is not connected: set SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET and SLACK_SUPPORT_CHANNEL."
)
_X_RAY_ROOT: Final = re.compile(r"\bRoot=([0-9A-Fa-f-]{1,50})")


@cache
def _embedded(path: Path) -> Classifier:
    from bot.classifier.embedded import EmbeddedClassifier

    return EmbeddedClassifier(path)


@cache
def _database(path: Path) -> "Database":
    from bot.storage.sqlite import Database

    return Database(path)


def _toml(path: Path) -> dict[str, Any]:
    from bot.storage import tables

    return tables.read(path)
