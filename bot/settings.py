"""The settings: read from an environment, checked as a whole, every problem named at once."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal, TypeVar

from bot.errors import Misconfigured
from bot.frozen import frozen
from bot.normalize import NORMALIZERS, PLAIN
from bot.notices import Bursts

HOUSE: Final = Path(__file__).resolve().parent.parent
"""The folder that holds `bot`, `handlers` and the files below by default."""

_DATA: Final = HOUSE / ".data"

LONGEST_HOLD: Final = 25
"""Minutes; TweetsQueue's last receive comes later (`bot.batches`, serverless.yml)."""

_Group = TypeVar("_Group")

_X: Final = ("X_CONSUMER_KEY", "X_CONSUMER_SECRET", "X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET")
_SLACK: Final = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_SUPPORT_CHANNEL")


@frozen
class Secret:
    """A secret of AWS Secrets Manager: the setting that holds its id, and the settings it holds."""

    id: str
    needed: tuple[str, ...]
    more: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All settings that are read from it; whatever else it holds is not."""
        return (*self.needed, *self.more)


SECRETS: Final[Mapping[str, Secret]] = {
    "x": Secret("X_SECRET_ID", _X, ("X_BEARER_TOKEN", "X_USER_ID")),
    "slack": Secret("SLACK_SECRET_ID", _SLACK),
    "web": Secret("WEB_SECRET_ID", ("API_PASSWORD",)),
}
"""The secrets of a stage, by what the command line calls them."""


@frozen
class Slack:
    """A Slack app's keys and the channel that gets the cards."""

    bot_token: str
    signing_secret: str
    channel: str


@frozen
class XKeys:
    """OAuth 1.0a keys of an app and of the account it acts for."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str


@frozen
class AwsStorage:
    """The table and the four queues."""

    cases_table: str
    tweets_queue_url: str
    cards_queue_url: str
    replies_queue_url: str
    actions_queue_url: str

    def queue_url(self, name: str) -> str:
        """The address of the queue called `tweets`, `cards`, `replies` or `actions`."""
        url: str = getattr(self, f"{name}_queue_url")
        return url


@frozen
class Settings:
    """Everything that can be set. design: "Settings" has the meaning of each name.

    `half_filled` has a sentence for each secret that holds some of its keys and lacks others: what
    needs them waits, as if it held none.
    """

    classifier: Literal["embedded", "sagemaker"]
    sagemaker_endpoint: str | None
    normalizer: str
    model_path: Path
    threshold: float | None
    unsure_margin: float
    hold: timedelta
    retention: timedelta
    rules_path: Path
    replies_path: Path
    data_dir: Path
    aws: AwsStorage | None
    slack: Slack | None
    slack_awaited: bool
    slack_app_token: str | None
    slack_admins: frozenset[str]
    slack_api_url: str
    slack_pace: float
    claim_reminder: timedelta
    bursts: Bursts
    digest_hour: int | None
    x_consumer_secret: str | None
    x_keys: XKeys | None
    x_bearer_token: str | None
    x_user_id: str | None
    x_api_url: str
    auto_reply: Literal["on", "dry-run", "off"]
    reply_max_age: timedelta
    replies_per_author_per_day: int
    allow_links: bool
    x_monthly_read_budget: int | None
    x_monthly_budget_usd: float | None
    deletion_check: timedelta
    api_password: str | None
    port: int
    half_filled: tuple[str, ...] = ()

    @property
    def database(self) -> Path:
        """The SQLite file of a machine that does not store on AWS."""
        return self.data_dir / "bot.sqlite"

    @property
    def own_model(self) -> Path:
        """What `publish` makes this machine's model, which no setting needs to name."""
        return own_model(self.data_dir)


def own_model(data_dir: Path) -> Path:
    """The archive of a machine's own model; the starter model serves where there is none."""
    return data_dir / "model.tar.gz"


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment; empty values count as absent.

    Raises `Misconfigured` with a sentence for each problem.
    """
    reader = _Reader({name: value for name, value in environment.items() if value.strip()})
    settings = reader.settings()
    if reader.problems:
        raise Misconfigured(reader.problems)
    return settings


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []
        self._half_filled: list[str] = []

    def settings(self) -> Settings:
        x_keys = self._group(XKeys, _X, alone="X_CONSUMER_SECRET", held_in="X_SECRET_ID")
        endpoint = self._text("SAGEMAKER_ENDPOINT")
        classifier = self._choice(
            "CLASSIFIER", ("embedded", "sagemaker"), "sagemaker" if endpoint else "embedded"
        )
        if classifier == "sagemaker" and not endpoint:
            self.problems.append(
                "CLASSIFIER is sagemaker but SAGEMAKER_ENDPOINT is not set: name the endpoint, or "
                "set CLASSIFIER to embedded."
            )
        aws = self._group(
            AwsStorage,
            (
                "CASES_TABLE",
                "TWEETS_QUEUE_URL",
                "CARDS_QUEUE_URL",
                "REPLIES_QUEUE_URL",
                "ACTIONS_QUEUE_URL",
            ),
        )
        slack = self._group(Slack, _SLACK, held_in="SLACK_SECRET_ID")
        return Settings(
            classifier="sagemaker" if classifier == "sagemaker" else "embedded",
            sagemaker_endpoint=endpoint,
            normalizer=self._choice("NORMALIZER", tuple(NORMALIZERS), PLAIN),
            model_path=self._path("MODEL_PATH", self._usual_model()),
            threshold=self._number("ESCALATION_THRESHOLD", None, 0, 1),
            unsure_margin=self._number("UNSURE_MARGIN", 0.15, 0, 1) or 0.0,
            hold=timedelta(minutes=self._number("HOLD_MINUTES", 15, 0, LONGEST_HOLD) or 0),
            retention=timedelta(days=self._number("RETENTION_DAYS", 90, 1, 3650) or 90),
            rules_path=self._path("RULES_PATH", HOUSE / "rules.toml"),
            replies_path=self._path("REPLIES_PATH", HOUSE / "replies.toml"),
            data_dir=self._path("DATA_DIR", _DATA),
            aws=aws,
            slack=slack,
            slack_awaited=aws is not None,
            slack_app_token=self._app_token(slack),
            slack_admins=self._users("SLACK_ADMINS"),
            slack_api_url=self._url("SLACK_API_URL", "https://slack.com/api/"),
            slack_pace=self._number("SLACK_PACE", 1, 0, 60) or 0.0,
            claim_reminder=timedelta(minutes=self._number("CLAIM_REMINDER", 15, 0, 10_080) or 0),
            bursts=Bursts(
                self._count("BURST_CARDS", 10) or 0,
                timedelta(minutes=self._number("BURST_MINUTES", 5, 1, 1440) or 5),
            ),
            digest_hour=self._hour("DIGEST_HOUR", 9),
            x_consumer_secret=self._text("X_CONSUMER_SECRET"),
            x_keys=x_keys,
            x_bearer_token=self._text("X_BEARER_TOKEN"),
            x_user_id=self._text("X_USER_ID"),
            x_api_url=self._url("X_API_URL", "https://api.x.com").rstrip("/"),
            auto_reply=self._auto_reply(keys=x_keys is not None, awaited=aws is not None),
            reply_max_age=timedelta(hours=self._number("REPLY_MAX_AGE", 6, 0, 24 * 7) or 0),
            replies_per_author_per_day=self._count("REPLIES_PER_AUTHOR_PER_DAY", 2) or 0,
            allow_links=self._choice("ALLOW_LINKS", ("0", "1"), "0") == "1",
            x_monthly_read_budget=self._count("X_MONTHLY_READ_BUDGET", None),
            x_monthly_budget_usd=self._number("X_MONTHLY_BUDGET_USD", None, 0, 1_000_000),
            deletion_check=timedelta(days=self._number("DELETION_CHECK_DAYS", 90, 0, 3650) or 0),
            api_password=self._text("API_PASSWORD"),
            port=int(self._number("PORT", 8000, 0, 65535) or 0),
            half_filled=tuple(self._half_filled),
        )

    def _text(self, name: str) -> str | None:
        value = self._environment.get(name)
        return value.strip() if value else None

    def _path(self, name: str, default: Path) -> Path:
        value = self._text(name)
        return HOUSE / Path(value).expanduser() if value else default

    def _usual_model(self) -> Path:
        own = own_model(self._path("DATA_DIR", _DATA))
        return own if own.is_file() else HOUSE / "build/model.tar.gz"

    def _number(self, name: str, default: float | None, least: float, most: float) -> float | None:
        value = self._text(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            self.problems.append(f"{name} must be a number from {least} to {most}, not «{value}».")
            return default
        return number

    def _count(self, name: str, default: int | None) -> int | None:
        number = self._number(name, default, 0, 10**9)
        if number is not None and number != int(number):
            self.problems.append(f"{name} must be a whole number, not «{self._text(name)}».")
        return None if number is None else int(number)

    def _hour(self, name: str, default: int) -> int | None:
        value = self._text(name) or str(default)
        if value.lower() == "off":
            return None
        if not value.isdecimal() or int(value) > 23:  # noqa: PLR2004
            self.problems.append(
                f"{name} must be an hour of the day from 0 to 23, or off, not «{value}»."
            )
            return default
        return int(value)

    def _users(self, name: str) -> frozenset[str]:
        users = {user.strip() for user in (self._text(name) or "").split(",")} - {""}
        wrong = sorted(user for user in users if not re.fullmatch(r"[UW][A-Z0-9]{2,}", user))
        if wrong:
            self.problems.append(
                f"{name} must be Slack's ids of users with commas between, such as U012AB3CD, not "
                f"«{wrong[0]}»: a profile's menu copies its member id."
            )
        return frozenset(users)

    def _choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self._text(name) or default
        if value not in choices:
            self.problems.append(f"{name} must be {' or '.join(choices)}, not «{value}».")
            return default
        return value

    def _url(self, name: str, default: str) -> str:
        value = self._text(name) or default
        if not value.startswith(("https://", "http://")):
            self.problems.append(f"{name} must start with https:// or http://, not «{value}».")
        return value

    def _auto_reply(self, *, keys: bool, awaited: bool) -> Literal["on", "dry-run", "off"]:
        value = self._choice(
            "AUTO_REPLY", ("on", "dry-run", "off"), "on" if keys or awaited else "dry-run"
        )
        if value == "on" and not (keys or awaited):
            self.problems.append(
                "AUTO_REPLY is on but the X keys are not set: set X_CONSUMER_KEY, "
                "X_CONSUMER_SECRET, X_ACCESS_TOKEN and X_ACCESS_TOKEN_SECRET, or use dry-run."
            )
        return "dry-run" if value == "dry-run" else "off" if value == "off" else "on"

    def _app_token(self, slack: Slack | None) -> str | None:
        token = self._text("SLACK_APP_TOKEN")
        if token and slack is None:
            self.problems.append(
                "SLACK_APP_TOKEN is set but Slack's other keys are not: set SLACK_BOT_TOKEN, "
                "SLACK_SIGNING_SECRET and SLACK_SUPPORT_CHANNEL too."
            )
        return token

    def _group(
        self,
        kind: type[_Group],
        names: tuple[str, ...],
        alone: str | None = None,
        held_in: str | None = None,
    ) -> _Group | None:
        """All of the names or none; `alone` may stand by itself.

        Where they come from a secret, whose id the setting `held_in` has, somebody may still be
        filling it in, and a function that refused to start would burn its messages meanwhile.
        """
        values = {name: self._text(name) for name in names}
        missing = [name for name, value in values.items() if value is None]
        given = [name for name in names if name not in missing]
        if missing and given not in ([], [alone]):
            some = f"{', '.join(given)} set but {', '.join(missing)} missing"
            if held_in and self._text(held_in):
                self._half_filled.append(f"{some} in the secret: what needs them waits.")
            else:
                self.problems.append(f"{some}: set all or none.")
        return None if missing else kind(*values.values())
