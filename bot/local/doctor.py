"""Every setting and neighbour checked, one line each, and how to mend it."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bot import settings
from bot.errors import Failure, Misconfigured, Refused
from bot.frozen import frozen
from bot.local.stages.staged import hints
from bot.triage import REVOKED
from bot.verdicts import judge
from bot.wiring import Parts

if TYPE_CHECKING:
    from bot.slack.checks import Access

_UNCONNECTED: Final = "Cannot be told before Slack takes the token."
Check = Callable[[Parts], tuple[bool | None, str]]

MOST_OPEN: Final = 1_000
"""Open cases whose cards are looked at."""


@frozen
class Finding:
    """One thing that was looked at; `well` is None for what is not set up and need not be."""

    what: str
    well: bool | None
    says: str


def examine(environment: Mapping[str, str], stage: str | None = None) -> Iterator[Finding]:
    """The findings, in the order in which things build on each other.

    `stage`: the deployed one that the environment is of.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), version)
    if stage is None:
        yield from _examined(environment, _CHECKS)
        return
    for finding in _examined_afar(environment, stage):
        yield replace(finding, says=hints(finding.says, stage))


def _examined_afar(environment: Mapping[str, str], stage: str) -> Iterator[Finding]:
    from bot.local.stages import checks  # noqa: PLC0415  botocore is slow to load

    yield Finding("stack", *checks.stack(stage))
    opened = dict(environment)
    for name in settings.SECRETS:
        held, says = checks.keys(name, environment)
        opened |= held
        yield Finding(f"{name} keys", *says)
    kept = {what: check for what, check in _CHECKS.items() if what not in _OF_THIS_MACHINE}
    yield from _examined(opened, {**kept, **checks.checks(stage)})


def _examined(environment: Mapping[str, str], checks: Mapping[str, Check]) -> Iterator[Finding]:
    try:
        chosen = settings.read(environment)
    except Misconfigured as error:
        for problem in error.problems:
            yield Finding("settings", well=False, says=problem)
        return
    yield Finding("settings", well=True, says="They fit together.")
    parts = Parts(chosen)
    for what, check in checks.items():
        try:
            yield Finding(what, *check(parts))
        except (Misconfigured, Failure, Refused) as problem:
            yield Finding(what, well=False, says=str(problem))


def _rules(parts: Parts) -> tuple[bool | None, str]:
    rules = parts.desk.rules
    count = len(rules.always) + len(rules.never) + len(rules.accounts)
    return True, f"{count} rules; languages {', '.join(sorted(rules.languages))}."


def classifier(parts: Parts) -> tuple[bool | None, str]:
    """Whether the classifier answers, and as it should."""
    [verdict] = judge(["I am very angry"], parts.classifier, parts.settings.threshold)
    return verdict.escalate, (
        f"{parts.settings.classifier} model {verdict.model}: «I am very angry» has probability "
        f"{verdict.probability:.2f}, threshold {verdict.threshold:.2f}."
    )


def _storage(parts: Parts) -> tuple[bool | None, str]:
    waiting = {name: queue.depth()[0] for name, queue in parts.queues.items()}
    where = parts.settings.aws.cases_table if parts.settings.aws else parts.settings.data_dir
    listed = ", ".join(f"{count} {name}" for name, count in waiting.items())
    return True, f"{where}; on the queues: {listed}."


def _dead_letters(parts: Parts) -> tuple[bool | None, str]:
    dead = {name: queue.depth()[1] for name, queue in parts.queues.items()}
    listed = ", ".join(f"{count} of {name}" for name, count in dead.items() if count)
    if not listed:
        return True, "None."
    return False, (
        f"{listed}: messages that failed again and again. The log says why; once that is mended, "
        "`python -m bot redrive` puts them back."
    )


def _slack(parts: Parts) -> tuple[bool | None, str]:
    if parts.slack is None:
        where = "wait" if parts.settings.slack_awaited else "stay in the console"
        return None, f"Not connected, so cards {where}: README, «Slack», connects it in five steps."
    from bot.slack.checks import access  # noqa: PLC0415

    found = access(parts.slack)
    who = f"@{found.name} in {found.team}"
    if not found.of_a_bot:
        return False, (
            f"SLACK_BOT_TOKEN is no bot's token but that of {who}: copy the Bot User OAuth Token "
            "(xoxb-…) from the app's page OAuth & Permissions."
        )
    return True, f"Connected as {who}."


def _slack_scopes(parts: Parts) -> tuple[bool | None, str]:
    found = _slack_access(parts)
    if found is None:
        return None, _UNCONNECTED
    if found.scopes is None:
        return None, "Slack does not say what the token may do."
    if found.missing:
        from bot.slack.refusals import remedy  # noqa: PLC0415

        return False, f"The token lacks {', '.join(found.missing)}: {remedy('missing_scope')}."
    return True, f"The token has {', '.join(sorted(found.scopes))}."


def _slack_channel(parts: Parts) -> tuple[bool | None, str]:
    found, slack = _slack_access(parts), parts.settings.slack
    if parts.slack is None or slack is None or found is None:
        return None, _UNCONNECTED
    from bot.slack.checks import archived  # noqa: PLC0415
    from bot.slack.refusals import remedy  # noqa: PLC0415

    if archived(parts.slack, slack.channel, found.name):
        return False, f"{slack.channel} is archived: {remedy('is_archived')}."
    return True, f"@{found.name} is a member of {slack.channel}."


def _slack_access(parts: Parts) -> "Access | None":
    """What the token may, None where it opens nothing: then `_slack` says why."""
    if parts.slack is None:
        return None
    from bot.slack.checks import access  # noqa: PLC0415

    try:
        return access(parts.slack)
    except Failure:
        return None


def _slack_socket(parts: Parts) -> tuple[bool | None, str]:
    token = parts.settings.slack_app_token
    if parts.slack is None:
        return None, "Off, like all of Slack."
    if token is None:
        return None, (
            "Off, so Slack needs an address to call (`slack manifest --url`): SLACK_APP_TOKEN "
            "turns it on."
        )
    from bot.slack.checks import APP_LEVEL  # noqa: PLC0415

    if not token.startswith(APP_LEVEL):
        return False, (
            "SLACK_APP_TOKEN is no app-level token (xapp-…): make one with connections:write on "
            "the app's page Basic Information."
        )
    return True, "Buttons and commands come over Socket Mode; the token has the right form."


def _cards(parts: Parts) -> tuple[bool | None, str]:
    cards = [card for case in parts.store.open(MOST_OPEN) if (card := case.effect("card"))]
    stuck = [card.problem for card in cards if card.stuck and card.problem]
    if not stuck:
        return True, "None is stuck."
    waits = "open case waits" if len(stuck) == 1 else "open cases wait"
    return False, (
        f"{len(stuck):,} {waits} for a card that cannot be sent. {stuck[0]} Once that is mended, "
        "`python -m bot redrive` sends them."
    )


def _x(parts: Parts) -> tuple[bool | None, str]:
    if parts.x is None:
        if parts.settings.aws:
            return None, "Not connected: nothing is polled, replies wait."
        return None, "Not connected: nothing is polled, replies are a dry run. See .env.example."
    from bot.twitter.failures import MAY_ONLY_READ  # noqa: PLC0415

    try:
        access = parts.x.access()
    except Failure as failure:
        return False, f"{failure}{_revoked(parts)}"
    told = parts.settings.x_user_id
    who = f"Connected as @{access.handle} (account {access.id})"
    if told not in (None, access.id):
        return False, f"{who}, but X_USER_ID is {told}: correct it or leave it out."
    if access.level == "read":
        return False, f"{who}, which can only be read from here. {MAY_ONLY_READ}"
    may = "may post" if access.level else "X does not say whether it may post"
    return True, f"{who}; {may}; automatic replies: {parts.settings.auto_reply}."


def _revoked(parts: Parts) -> str:
    noted = parts.store.note(REVOKED)
    if not noted:
        return ""
    return (
        f" The account took its access back from the app on {noted['at'][:10]}: make new access "
        "tokens."
    )


def _webhook(parts: Parts) -> tuple[bool | None, str]:
    if parts.settings.x_consumer_secret is None:
        return None, "Closed: set X_CONSUMER_SECRET to take events from X."
    if parts.x_app is None:
        return True, (
            "Events are verified with X_CONSUMER_SECRET; whether X has a webhook registered cannot "
            "be told without X_BEARER_TOKEN."
        )
    hooks = parts.x_app.webhooks()
    invalid = [f"{hook.id} ({hook.url})" for hook in hooks if not hook.valid]
    if invalid:
        return False, (
            f"X has found {', '.join(invalid)} to be invalid and delivers nothing there: have the "
            "bot reachable at it, then `python -m bot x webhook check ID`."
        )
    if not hooks:
        return None, "None is registered, so X tells nothing: `python -m bot x webhook add URL`."
    return True, f"Registered and valid: {', '.join(hook.url for hook in hooks)}."


def _subscriptions(parts: Parts) -> tuple[bool | None, str]:
    if parts.x_app is None:
        return None, "Cannot be told without X_BEARER_TOKEN."
    from bot.local.x_verbs import account_of  # noqa: PLC0415
    from bot.twitter.registration import KINDS  # noqa: PLC0415

    hooks = {hook.id for hook in parts.x_app.webhooks()}
    if not hooks:
        return None, "None, for want of a webhook."
    account_id = account_of(parts)
    there = {
        one.kind
        for one in parts.x_app.subscriptions()
        if one.user_id == account_id and one.webhook_id in hooks
    }
    missing = [kind for kind in KINDS if kind not in there]
    if missing:
        return False, f"X does not tell of {', '.join(missing)}: `python -m bot x subscribe`."
    return True, f"X tells of {', '.join(KINDS)} (account {account_id})."


def _replies(parts: Parts) -> tuple[bool | None, str]:
    from bot.twitter.polling import BUDGET_USED  # noqa: PLC0415

    now, mode = parts.clock(), parts.settings.auto_reply
    used = parts.store.note(BUDGET_USED)
    if used and used["month"] == f"{now:%Y-%m}":
        return False, (
            "X_MONTHLY_READ_BUDGET is used up, so mentions stay unread until the month is over: "
            "raise it to read them now."
        )
    if mode == "on" and not parts.ledger.affords("reply", now):
        return False, (
            "X_MONTHLY_BUDGET_USD is used up, so automatic replies are held back until the month "
            "is over: raise it to send them now."
        )
    paused = parts.pause.paused()
    if paused and mode != "off":
        return None, (
            f"Paused by {paused.who} since {paused.at:%Y-%m-%d %H:%M} UTC: "
            "`python -m bot replies resume` lets them go."
        )
    return True, f"Automatic replies: {mode}."


def _web(parts: Parts) -> tuple[bool | None, str]:
    if parts.settings.api_password is None:
        return None, "Open on this machine only: set API_PASSWORD to open it beyond."
    return True, "Beyond this machine it asks for the password."


_CHECKS: Final[Mapping[str, Check]] = {
    "rules": _rules,
    "classifier": classifier,
    "storage": _storage,
    "dead letters": _dead_letters,
    "slack": _slack,
    "slack scopes": _slack_scopes,
    "slack channel": _slack_channel,
    "slack socket": _slack_socket,
    "cards": _cards,
    "x": _x,
    "x webhook": _webhook,
    "x events": _subscriptions,
    "replies": _replies,
    "web address": _web,
}
_OF_THIS_MACHINE: Final = frozenset({"rules", "slack socket"})
