"""The verbs of `python -m bot x`: the webhook and what X is to tell it.

Each returns its exit code, as in `commands`, and prints one line a thing.
"""

import re
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bot import settings
from bot.errors import Refused
from bot.local.stages.staged import hints
from bot.local.terminal import printable, show
from bot.wiring import Parts

if TYPE_CHECKING:
    from bot.twitter.registration import Registered, Subscription, XApp

Environment = Mapping[str, str]

PATH: Final = "/x/webhook"
"""Where the bot answers X (design: routes)."""
MOST_HOURS: Final = 24
_ID: Final = re.compile(r"[0-9]{1,19}")


def add_webhook(arguments: Namespace, environment: Environment) -> int:
    """Registers the address at which X reaches the bot."""
    app = _app(arguments, Parts(settings.read(environment)))
    given = arguments.url or _own_address(arguments)
    url = address_of(given)
    if url != arguments.url:
        _say(arguments, f"The whole address is {url}.")
    hook = app.add_webhook(url)
    _show_webhook(arguments, hook)
    _say(arguments, "Now have X tell it what happens: `python -m bot x subscribe`.")
    return 0 if hook.valid else 1


def list_webhooks(arguments: Namespace, environment: Environment) -> int:
    """Every webhook of the app."""
    hooks = _app(arguments, Parts(settings.read(environment))).webhooks()
    for hook in hooks:
        _show_webhook(arguments, hook)
    if not hooks:
        _say(arguments, f"The app has no webhook: {adding(arguments.stage)} registers one.")
    return 0


def check_webhook(arguments: Namespace, environment: Environment) -> int:
    """X checks the address anew; a webhook that passes is valid again."""
    app = _app(arguments, Parts(settings.read(environment)))
    hook = app.check_webhook(_chosen(app, arguments, arguments.id))
    _show_webhook(arguments, hook)
    return 0 if hook.valid else 1


def remove_webhook(arguments: Namespace, environment: Environment) -> int:
    """X delivers nothing to the webhook any more."""
    app = _app(arguments, Parts(settings.read(environment)))
    app.remove_webhook(_identity(arguments.id))
    show(arguments, {"id": arguments.id, "removed": True}, f"Removed webhook {arguments.id}.")
    return 0


def replay(arguments: Namespace, environment: Environment) -> int:
    """X delivers again what it had to tell lately."""
    if not 1 <= arguments.hours <= MOST_HOURS:
        raise Refused(f"--hours must be from 1 to {MOST_HOURS}: X keeps events no longer.")
    app = _app(arguments, Parts(settings.read(environment)))
    job = app.replay(_chosen(app, arguments, arguments.id), timedelta(hours=arguments.hours))
    told = (
        f"X delivers the events from {job.since} to {job.until} (UTC) again to webhook "
        f"{job.webhook_id}: job {job.job_id}. What is known already stays as it is."
    )
    show(arguments, asdict(job), told)
    return 0


def subscribe(arguments: Namespace, environment: Environment) -> int:
    """X tells the webhook whatever concerns the account; what is subscribed stays."""
    from bot.twitter.registration import KINDS  # noqa: PLC0415

    parts = Parts(settings.read(environment))
    app = _app(arguments, parts)
    webhook_id, account_id = _chosen(app, arguments, arguments.webhook), account_of(parts)
    own = [one for one in app.subscriptions() if one.user_id == account_id]
    own.sort(key=lambda one: one.webhook_id == webhook_id)  # what is right already comes last
    there = {one.kind: one for one in own}
    for kind in KINDS:
        one = there.get(kind)
        if one is None:
            _show(arguments, app.subscribe(kind, account_id, webhook_id), "new")
        elif one.webhook_id != webhook_id:
            _show(arguments, app.redirect(one, webhook_id), "moved")
        else:
            _show(arguments, one, "kept")
    return 0


def list_subscriptions(arguments: Namespace, environment: Environment) -> int:
    """Every subscription of the app."""
    found = _app(arguments, Parts(settings.read(environment))).subscriptions()
    for one in found:
        _show(arguments, one)
    if not found:
        _say(
            arguments,
            "The app has no subscription: `python -m bot x subscribe` makes those the bot needs.",
        )
    return 0


def unsubscribe(arguments: Namespace, environment: Environment) -> int:
    """X tells no more of these; `--all`: of all that `subscribe` makes."""
    if bool(arguments.ids) == arguments.all:
        raise Refused("Say either which subscriptions are to end (ID…), or --all.")
    parts = Parts(settings.read(environment))
    app = _app(arguments, parts)
    for one in _own(parts, app) if arguments.all else map(_identity, arguments.ids):
        app.unsubscribe(one)
        show(arguments, {"id": one, "removed": True}, f"Removed subscription {one}.")
    return 0


def address_of(url: str) -> str:
    """The address to register: https, and with the bot's path where only a host is given.

    Raises `Refused` for what X would not call ("Webhook requirements").
    """
    whole = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(whole)
        port = parts.port
    except ValueError:
        raise Refused(f"{url} is no address: write https://HOST{PATH}.") from None
    if parts.scheme != "https" or not parts.hostname:
        raise Refused(f"X calls https addresses only: write https://HOST{PATH}.")
    if port is not None:
        raise Refused("X calls no address with a port: let something on port 443 pass it on.")
    if parts.path in ("", "/"):
        return f"https://{parts.netloc}{PATH}"
    return whole


def account_of(parts: Parts) -> str:
    """The account's user id: as set, as found by polling, or asked. Raises `Refused`, failures."""
    from bot.twitter import ACCOUNT  # noqa: PLC0415

    known: str | None = parts.settings.x_user_id or parts.store.note(ACCOUNT)
    if known is None and parts.x is None:
        raise Refused(
            "It is not known whose account this is: set X_USER_ID, or X_CONSUMER_KEY, "
            "X_CONSUMER_SECRET, X_ACCESS_TOKEN and X_ACCESS_TOKEN_SECRET."
        )
    return known or (parts.x.account_id() if parts.x else "")


def adding(stage: str | None) -> str:
    """The command that registers a webhook; a stage knows its address."""
    return "`python -m bot x webhook add`" if stage else "`python -m bot x webhook add URL`"


def _own_address(arguments: Namespace) -> str:
    if arguments.stage is None:
        raise Refused(f"Say where X reaches the bot: {adding(None)}.")
    from bot.local.stages import stage  # noqa: PLC0415  botocore is slow to load

    return stage.output(arguments.stage, "XWebhookUrl")


def _app(arguments: Namespace, parts: Parts) -> "XApp":
    if parts.x_app is None:
        set_it = ": `python -m bot secret set x X_BEARER_TOKEN`" if arguments.stage else ""
        raise Refused(
            "X_BEARER_TOKEN is not set: copy the app's bearer token from X's developer console"
            f"{set_it}."
        )
    return parts.x_app


def _chosen(app: "XApp", arguments: Namespace, given: str | None) -> str:
    if given is not None:
        return _identity(given)
    hooks = app.webhooks()
    if not hooks:
        raise Refused(f"The app has no webhook: register one, {adding(arguments.stage)}.")
    if len(hooks) > 1:
        listed = ", ".join(f"{hook.id} ({hook.url})" for hook in hooks)
        raise Refused(f"The app has several webhooks, so say which: {listed}.")
    return hooks[0].id


def _identity(given: str) -> str:
    if not _ID.fullmatch(given):
        raise Refused(f"{given} is no id of X: ids are numbers, and the lists show them.")
    return given


def _own(parts: Parts, app: "XApp") -> Sequence[str]:
    from bot.twitter.registration import KINDS  # noqa: PLC0415

    account_id = account_of(parts)
    mine = (one for one in app.subscriptions() if one.user_id == account_id)
    return [one.id for one in mine if one.kind in KINDS]


def _show_webhook(arguments: Namespace, hook: "Registered") -> None:
    word = "valid" if hook.valid else "invalid"
    show(arguments, asdict(hook), f"{hook.id}  {word:<7}  {hook.url}")


def _show(arguments: Namespace, one: "Subscription", state: str | None = None) -> None:
    row = asdict(one) | ({"state": state} if state else {})
    plain = f"{one.id}  {one.kind:<19}  account {one.user_id}, webhook {one.webhook_id}"
    show(arguments, row, f"{plain}  {state}" if state else plain)


def _say(arguments: Namespace, sentence: str) -> None:
    told = hints(sentence, arguments.stage) if arguments.stage else sentence
    print(printable(told), file=sys.stderr)  # noqa: T201
