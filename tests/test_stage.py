"""`--stage`: the verbs at work on a stage deployed into moto, through the command line."""

import io
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot import amazon, settings
from bot.__main__ import main
from bot.cases import Case
from bot.classifier import sagemaker
from bot.errors import Refused
from bot.local.doctor import Finding, examine
from bot.local.stages import stage as stages
from bot.ports import Outgoing
from bot.settings import HOUSE
from bot.slack.manifest import SCOPES
from bot.storage import clients
from bot.tweets import Author
from bot.twitter.registration import KINDS
from bot.wiring import Parts, now
from tests.examples import case
from tests.standins import aws
from tests.standins.server import Answer, Request, Standin, answer_json
from tests.standins.slack import SlackStandin
from tests.standins.stage import ADDRESS, STAGE, Stage, deploy
from tests.standins.x import XStandin
from tests.standins.x_webhooks import Hook
from tests.test_settings import SLACK, X

CLIENTS = (clients.dynamodb, clients.sqs, clients.secretsmanager, sagemaker.client)
OWN = {
    "SLACK_BOT_TOKEN": "xoxb-of-this-laptop",
    "SLACK_SIGNING_SECRET": "of-this-laptop",
    "SLACK_SUPPORT_CHANNEL": "C0LAPTOP",
    "X_CONSUMER_SECRET": "of-this-laptop",
    "API_PASSWORD": "of-this-laptop",
    "AUTO_REPLY": "off",
    "CASES_TABLE": "of-this-laptop",
}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with aws.moto_server() as url:
        yield url


@pytest.fixture(scope="module", autouse=True)
def session() -> Iterator[None]:
    """One for the file: each reads the descriptions of AWS's services anew."""
    amazon.session.cache_clear()
    yield
    amazon.session.cache_clear()


@pytest.fixture
def account(moto: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An empty AWS, and a laptop whose own settings are another bot's."""
    aws.reset(moto)
    for name in list(os.environ):
        if name.startswith("AWS_") and name != "AWS_CA_BUNDLE":
            monkeypatch.delenv(name)
    known = {**OWN, **aws.CREDENTIALS, "AWS_ENDPOINT_URL": moto, "AWS_DEFAULT_REGION": aws.REGION}
    nowhere = str(tmp_path / "nowhere")
    mine = {"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere}
    for name, value in {**known, **mine, "no_proxy": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(stages, "FILES", tmp_path)
    monkeypatch.setattr("bot.__main__.load_dotenv", lambda _: None)
    for client in CLIENTS:
        client.cache_clear()
    yield moto
    for client in CLIENTS:
        client.cache_clear()


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """For who has other credentials, which a session keeps."""
    amazon.session.cache_clear()
    yield monkeypatch
    amazon.session.cache_clear()


@pytest.fixture
def stage(account: str) -> Stage:
    return deploy(account)


@pytest.fixture
def type_(capsys: pytest.CaptureFixture[str]) -> Callable[[str], tuple[int, str, str]]:
    def typed(line: str) -> tuple[int, str, str]:
        code = main([*line.split(), "--stage", STAGE])
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


Type = Callable[[str], tuple[int, str, str]]


def parts(stage: Stage) -> Parts:
    own = {name: stage.made[name] for name in stage.made if not name.endswith("_SECRET_ID")}
    return Parts(settings.read(own))


def escalated(number: str) -> Case:
    made = case()
    tweet = replace(made.tweet, id=number, root_id=number, author=Author("5", "mira"))
    return replace(made, tweet=tweet, received_at=now())


class TestTheEnvironmentOfAStage:
    def test_is_what_its_functions_are_set_to_and_nothing_of_this_machine(
        self, account: str
    ) -> None:
        stage = deploy(account, AUTO_REPLY="dry-run", SLACK_ADMINS="U0ADMIN")
        found = stages.environment(STAGE, dict(os.environ))
        chosen = settings.read(found)
        assert chosen.aws
        assert chosen.aws.cases_table == stage.made["CASES_TABLE"]
        assert chosen.auto_reply == "dry-run"
        assert chosen.slack_admins == frozenset({"U0ADMIN"})
        assert (chosen.slack, chosen.x_consumer_secret, chosen.api_password) == (None, None, None)
        assert {found[secret.id] for secret in settings.SECRETS.values()} == {
            stage.made[secret.id] for secret in settings.SECRETS.values()
        }
        assert found["AWS_ENDPOINT_URL"] == account

    @pytest.mark.usefixtures("stage")
    def test_is_asked_for_in_the_region_named_or_else_in_that_of_its_file(
        self, type_: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code, _, said = type_("cases --region eu-central-1")
        assert (code, said.partition(":")[0]) == (2, "There is no stage prod in eu-central-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        (tmp_path / "prod.env").write_text(f"REGION={aws.REGION}\n")
        assert type_("cases") == (0, "", "")

    @pytest.mark.usefixtures("stage")
    def test_may_be_in_the_region_of_another_variable(
        self, type_: Type, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        monkeypatch.setenv("AWS_REGION", aws.REGION)
        assert type_("cases") == (0, "", "")

    @pytest.mark.usefixtures("stage")
    def test_is_not_that_of_another_stage(self) -> None:
        assert main(["redrive", "--stage", "pro"]) == 2


@pytest.mark.usefixtures("account")
class TestOneSentenceSays:
    def refusal(self, type_: Type, line: str = "cases") -> str:
        code, out, said = type_(line)
        assert (code, out, said.count("\n")) == (2, "", 1)
        return said

    def test_that_there_is_no_such_stage(self, type_: Type) -> None:
        assert self.refusal(type_) == (
            "There is no stage prod in us-east-1: deploy it (`make deploy STAGE=prod`), or name "
            "its region with --region.\n"
        )
        assert "There is no stage prod" in self.refusal(type_, "slack manifest")

    def test_that_no_region_is_set(self, type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        assert "No AWS region is set" in self.refusal(type_)

    def test_that_there_are_no_credentials(self, type_: Type, stranger: pytest.MonkeyPatch) -> None:
        for name in aws.CREDENTIALS:
            stranger.delenv(name)
        stranger.setenv("AWS_EC2_METADATA_DISABLED", "true")
        said = self.refusal(type_)
        assert said.startswith("There are no AWS credentials that work")
        assert "AWS_PROFILE" in said

    def test_that_a_profile_is_not_there(self, type_: Type, stranger: pytest.MonkeyPatch) -> None:
        stranger.setenv("AWS_PROFILE", "nobody")
        assert "nobody" in self.refusal(type_)

    def test_that_aws_cannot_be_reached(self, type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        assert "AWS cannot be reached" in self.refusal(type_)

    @pytest.mark.parametrize(
        ("code", "says"),
        [
            ("AccessDeniedException", "may not call GetFunctionConfiguration"),
            ("ExpiredTokenException", "does not take these credentials (ExpiredTokenException)"),
            ("UnrecognizedClientException", "does not take these credentials"),
            ("InvalidParameterValueException", "did not answer as it should"),
        ],
    )
    def test_that_aws_refuses(
        self,
        type_: Type,
        monkeypatch: pytest.MonkeyPatch,
        code: str,
        says: str,
    ) -> None:
        def refuse(_: Request) -> Answer:
            return answer_json({"message": "No."}, 400, {"x-amzn-ErrorType": code})

        with Standin() as lambdas:
            path = "/2015-03-31/functions/{name}/configuration"
            lambdas.route("GET", path, refuse)
            monkeypatch.setenv("AWS_ENDPOINT_URL", lambdas.url)
            assert says in self.refusal(type_)

    def test_which_right_is_lacking_behind_a_call(self) -> None:
        says = "User: me is not authorized to perform: iam:PassRole on resource: a-role"
        error: Any = {"Code": "AccessDeniedException", "Message": says}
        with pytest.raises(Refused, match="may not call iam:PassRole:"), stages.asking():
            raise ClientError({"Error": error}, "CreateModel")

    def test_that_a_name_is_no_stage_s(self) -> None:
        assert main(["cases", "--stage", "../prod"]) == 2

    def test_what_keeps_a_copy_on_aws(self, type_: Type) -> None:
        assert "point-in-time recovery" in self.refusal(type_, "backup")

    @pytest.mark.parametrize("line", ["run", "classify hello"])
    def test_that_a_verb_is_for_this_machine_only(self, line: str) -> None:
        with pytest.raises(SystemExit) as ended:
            main([*line.split(), "--stage", STAGE])
        assert ended.value.code == 2


class TestTheVerbs:
    def test_list_and_explain_the_cases_of_the_table(self, stage: Stage, type_: Type) -> None:
        parts(stage).store.add([escalated("11"), replace(escalated("12"), resolved=True)])
        code, out, _ = type_("cases --json --open")
        assert (code, [json.loads(line)["tweet_id"] for line in out.splitlines()]) == (0, ["11"])
        code, out, _ = type_("explain 12")
        assert code == 0
        assert re.search(r"^route +escalate", out, re.MULTILINE)
        code, _, said = type_("explain 404")
        assert (code, said[:23]) == (2, "There is no case 404; `")

    def test_put_dead_letters_back(self, stage: Stage, type_: Type) -> None:
        queues = parts(stage).queues
        for name in ("tweets", "cards"):
            queues[name].send([Outgoing("poison", "group", f"poison for {name}")])
            while received := queues[name].receive(1):
                queues[name].postpone([one.receipt for one in received], 0)
        assert [queues[name].depth() for name in ("tweets", "cards")] == [(0, 1), (0, 1)]
        assert type_("redrive --json cards")[:2] == (0, '{"queue": "cards", "redriven": 1}\n')
        assert [queues[name].depth() for name in ("tweets", "cards")] == [(0, 1), (1, 0)]

    def test_erase_an_authors_posts_and_have_their_cards_drawn_anew(
        self, stage: Stage, type_: Type
    ) -> None:
        own = parts(stage)
        own.store.add([escalated("11")])
        code, out, _ = type_("erase --author mira")
        assert (code, out[:14]) == (0, "Erased 1 cases")
        assert own.store.get(["11"])["11"].erased

    def test_tell_what_x_took(self, account: str, type_: Type) -> None:
        stage = deploy(account, X_MONTHLY_BUDGET_USD="20")
        parts(stage).ledger.charge("reply", 3, now())
        code, out, _ = type_("cost")
        assert code == 0
        assert re.search(r"answers sent +3 +\$0\.03 +3 +\$0\.03", out)
        assert "$19.97 of the month's $20.00 is left" in out

    def test_pause_resume_and_try_answers(self, stage: Stage, type_: Type) -> None:
        assert type_("replies pause")[0] == 0
        assert parts(stage).pause.paused()
        assert type_("replies resume")[0] == 0
        assert parts(stage).pause.paused() is None
        assert type_("replies check")[0] == 0
        assert type_("replies try hello")[0] == 0

    def test_send_a_file_to_the_queue_and_leave_the_work_to_the_functions(
        self, stage: Stage, type_: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.local.ingest.PATIENCE_AFAR", 0)
        parts(stage).store.add([escalated("11")])
        (tmp_path / "tweets.csv").write_text("tweet_id,text\n11,known\n12,new\n")
        code, out, _ = type_(f"ingest {tmp_path / 'tweets.csv'}")
        assert (code, "1 known" in out, "1 waiting" in out) == (0, True, True)
        assert parts(stage).tweets.depth() == (2, 0)

    @pytest.mark.usefixtures("stage")
    def test_write_slack_s_manifest_for_the_stage_s_address(self, type_: Type) -> None:
        code, out, _ = type_("slack manifest --json")
        assert code == 0
        assert json.loads(out)["settings"]["interactivity"]["request_url"] == (
            f"{ADDRESS}/slack/events"
        )
        assert type_("slack manifest --socket")[0] == 2


@pytest.fixture
def x() -> Iterator[XStandin]:
    with XStandin(clock=now) as standin:
        yield standin


@pytest.fixture
def x_keys(x: XStandin) -> dict[str, str]:
    return {
        "X_CONSUMER_KEY": x.keys.consumer_key,
        "X_CONSUMER_SECRET": x.keys.consumer_secret,
        "X_ACCESS_TOKEN": x.keys.access_token,
        "X_ACCESS_TOKEN_SECRET": x.keys.access_token_secret,
    }


class TestTheVerbsOfX:
    def test_register_the_stage_s_address_by_the_stage_s_keys(
        self, account: str, x: XStandin, x_keys: dict[str, str], type_: Type
    ) -> None:
        held = {**x_keys, "X_BEARER_TOKEN": x.bearer_token}
        deploy(account, {"XSecret": held}, X_API_URL=x.url)
        x.webhooks.registered["5"] = Hook("5", f"{ADDRESS}/x/webhook", "")
        code, out, _ = type_("x webhook list")
        assert (code, out.split()) == (0, ["5", "valid", f"{ADDRESS}/x/webhook"])
        code, out, _ = type_("x subscribe")
        assert (code, out.count("new")) == (0, len(KINDS))

    def test_take_the_address_from_the_stack(
        self, account: str, x: XStandin, x_keys: dict[str, str], type_: Type
    ) -> None:
        held = {**x_keys, "X_BEARER_TOKEN": x.bearer_token}
        deploy(account, {"XSecret": held}, X_API_URL=x.url)
        _, _, said = type_("x webhook add")
        assert f"The whole address is {ADDRESS}/x/webhook." in said
        [call] = [one for one in x.requests if one.method == "POST"]
        assert call.json()["url"] == f"{ADDRESS}/x/webhook"

    @pytest.mark.usefixtures("stage")
    def test_say_how_the_app_s_token_is_set_there(self, type_: Type) -> None:
        code, _, said = type_("x webhook list")
        assert code == 2
        assert "`python -m bot secret set x X_BEARER_TOKEN --stage prod`" in said


def found(stage: str = STAGE) -> dict[str, Finding]:
    environment = stages.environment(stage, dict(os.environ))
    return {one.what: one for one in examine(environment, stage)}


class TestDoctor:
    @pytest.mark.usefixtures("stage")
    def test_names_each_missing_key_of_a_first_deployment_and_the_command_that_sets_it(
        self, type_: Type
    ) -> None:
        code, out, _ = type_("doctor")
        lines = {line[6:19].strip(): line for line in out.splitlines()}
        assert code == 1
        for secret, keys in (("x", X), ("slack", SLACK), ("web", ["API_PASSWORD"])):
            line = lines[f"{secret} keys"]
            assert line.startswith("mend ")
            assert ", ".join(keys) in line
            assert f"`python -m bot secret set {secret} --stage prod`" in line
        assert "of-this-laptop" not in out

    def test_says_what_of_a_half_filled_secret_is_missing_and_what_is_not_read(
        self, stage: Stage
    ) -> None:
        stage.fill("SLACK", {"SLACK_BOT_TOKEN": "xoxb-token", "SLACK_ADMINS": "U0ADMIN"})
        line = found()["slack keys"]
        assert line.well is False
        assert line.says.startswith("SLACK_SIGNING_SECRET, SLACK_SUPPORT_CHANNEL missing, so cards")
        assert line.says.endswith("Not read from it: SLACK_ADMINS.")

    def test_says_that_a_secret_is_illegible_and_does_not_show_it(self, stage: Stage) -> None:
        stage.fill("X", "consumer-secret")
        line = found()["x keys"]
        assert (line.well, "consumer-secret" in line.says) == (False, False)
        assert "`python -m bot secret set x --stage prod` writes it anew" in line.says

    def test_finds_a_stage_well_that_has_all_it_needs(
        self, account: str, x: XStandin, x_keys: dict[str, str]
    ) -> None:
        slack_keys = {**SLACK, "SLACK_BOT_TOKEN": "xoxb-test-token"}
        held = {
            "XSecret": {**x_keys, "X_BEARER_TOKEN": x.bearer_token},
            "SlackSecret": slack_keys,
        }
        password = {"WebSecret": {"API_PASSWORD": "secret-password"}}
        with SlackStandin() as slack, judging("Basic dHJpYWdlOnNlY3JldC1wYXNzd29yZA==") as web:
            slack.scopes = tuple(SCOPES)
            stage = deploy(
                account,
                {**held, **password},
                web.url,
                X_API_URL=x.url,
                SLACK_API_URL=slack.api_url,
            )
            url = f"{web.url}/x/webhook"
            x.webhooks.registered["5"] = Hook("5", url, "")
            stage.client("sns").subscribe(
                TopicArn=stage.topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:1:pager"
            )
            lines = found()
        ill = {one.what: one.says for one in lines.values() if one.well is False}
        assert ill.keys() == {"x events"}  # nobody has subscribed
        assert "`python -m bot x subscribe --stage prod`" in ill["x events"]
        assert "model starter-7: " in lines["classifier"].says
        assert lines["x webhook"] == Finding("x webhook", True, f"Registered and valid: {url}.")
        assert "aws secretsmanager get-secret-value" in lines["web address"].says
        assert all("secret-password" not in one.says for one in lines.values())
        assert all("\n" not in one.says for one in lines.values())

    def test_tells_the_stage_s_webhook_from_others_of_the_app(
        self, account: str, x: XStandin, x_keys: dict[str, str]
    ) -> None:
        held = {"XSecret": {**x_keys, "X_BEARER_TOKEN": x.bearer_token}}
        deploy(account, held, X_API_URL=x.url)
        x.webhooks.registered["6"] = Hook("6", "https://other.example/x/webhook", "")
        line = found()["x webhook"]
        assert line.well is None
        assert "only https://other.example/x/webhook" in line.says
        assert "`python -m bot x webhook add --stage prod`" in line.says
        x.webhooks.registered["5"] = Hook("5", f"{ADDRESS}/x/webhook", "", valid=False)
        line = found()["x webhook"]
        assert line.well is False
        assert "`python -m bot x webhook check 5 --stage prod`" in line.says

    def test_tells_the_alarms_that_are_raised_of_this_stage_alone(self, stage: Stage) -> None:
        assert found()["alarms"] == Finding("alarms", True, "None of 1 is raised.")
        stage.raise_alarm("Foreign")
        assert found()["alarms"].well
        stage.raise_alarm("TweetsDeadLetters")
        line = found()["alarms"]
        assert line.well is False
        assert line.says == (
            "1 of 1 raised: tweet-escalator-prod-TweetsDeadLetters: TweetsDeadLetters: mend it, "
            "then `python -m bot redrive --stage prod`."
        )

    def test_tells_who_is_mailed(self, stage: Stage) -> None:
        assert found()["alarm mail"].well is None
        stage.client("sns").subscribe(
            TopicArn=stage.topic, Protocol="email", Endpoint="ops@harbor.example"
        )
        assert found()["alarm mail"].says == "Alarms go to ops@harbor.example."

    @pytest.mark.usefixtures("stage")
    def test_tells_whose_subscription_waits_for_a_yes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits = {"Endpoint": "ops@harbor.example", "SubscriptionArn": "PendingConfirmation"}
        monkeypatch.setattr("bot.local.stages.checks._all", lambda *_, **__: [waits])
        line = found()["alarm mail"]
        assert line.well is False
        assert "ops@harbor.example did not confirm yet" in line.says

    def test_asks_the_endpoint_where_that_is_the_classifier(
        self, account: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:1")
        deploy(account, SAGEMAKER_ENDPOINT="customer-support-slugify")
        line = found()["classifier"]
        assert line.well is False
        assert "customer-support-slugify" in line.says

    def test_counts_the_dead_letters_of_the_stage(self, stage: Stage) -> None:
        queue = parts(stage).tweets
        queue.send([Outgoing("poison")])
        while received := queue.receive(1):
            queue.postpone([one.receipt for one in received], 0)
        line = found()["dead letters"]
        assert line.well is False
        assert "`python -m bot redrive --stage prod`" in line.says


def judging(authorization: str) -> Standin:
    """A web address that judges for whoever has the password."""

    def classify(request: Request) -> Answer:
        if request.headers.get("authorization") != authorization:
            return answer_json({}, 401)
        return answer_json(
            {"verdicts": [{"model": "starter-7", "probability": 0.9, "escalate": True}]}
        )

    web = Standin()
    web.route("POST", "/classify", classify)
    web.route("GET", "/health", lambda _: answer_json({"status": "ok"}))
    return web


class TestSettingSecrets:
    @pytest.fixture
    def pipe(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        return lambda *lines: monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))

    @pytest.fixture
    def keyboard(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
        """What is typed unseen, line by line; returns what is asked for."""

        def typing(*lines: str) -> list[str]:
            asked, left = list[str](), iter(lines)

            def getpass(prompt: str) -> str:
                asked.append(prompt.partition(" ")[0])
                try:
                    return next(left)
                except StopIteration:
                    raise EOFError from None

            monkeypatch.setattr("getpass.getpass", getpass)
            monkeypatch.setattr("bot.local.stages.secret_verbs.terminal", lambda _: True)
            return asked

        return typing

    def test_takes_lines_of_the_input_and_keeps_what_is_there(
        self, stage: Stage, type_: Type, pipe: Callable[..., None]
    ) -> None:
        stage.fill("SLACK", {"SLACK_SIGNING_SECRET": "before", "SLACK_BOT_TOKEN": "xoxb-old"})
        pipe("# Slack", "SLACK_BOT_TOKEN=xoxb-new", "", 'SLACK_SUPPORT_CHANNEL="C0SUPPORT"')
        code, out, said = type_("secret set slack")
        assert (code, said) == (0, "")
        assert out == (
            "Set SLACK_BOT_TOKEN, SLACK_SUPPORT_CHANNEL; the functions use them within 5 minutes.\n"
        )
        assert stage.secret("SLACK") == {
            "SLACK_SIGNING_SECRET": "before",
            "SLACK_BOT_TOKEN": "xoxb-new",
            "SLACK_SUPPORT_CHANNEL": "C0SUPPORT",
        }

    def test_asks_for_what_is_missing_until_it_has_the_right_form(
        self, stage: Stage, type_: Type, keyboard: Callable[..., list[str]]
    ) -> None:
        stage.fill("SLACK", {"SLACK_SIGNING_SECRET": "before"})
        asked = keyboard("xapp-wrong-token", "xoxb-right")
        code, out, said = type_("secret set slack")
        assert asked == ["SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN", "SLACK_SUPPORT_CHANNEL"]
        assert (code, "Still missing in the secret slack: SLACK_SUPPORT_CHANNEL." in out) == (
            1,
            True,
        )
        assert "begins with xoxb-" in said
        assert stage.secret("SLACK")["SLACK_BOT_TOKEN"] == "xoxb-right"
        assert not any(value in out + said for value in ("xoxb-right", "xapp-wrong-token"))

    def test_asks_anew_for_what_is_named(
        self, stage: Stage, type_: Type, keyboard: Callable[..., list[str]]
    ) -> None:
        stage.fill("WEB", {"API_PASSWORD": "generated-password"})
        assert keyboard("another-password") == []
        assert type_("secret set web API_PASSWORD")[0] == 0
        assert stage.secret("WEB") == {"API_PASSWORD": "another-password"}

    def test_mends_a_secret_that_is_no_json(
        self, stage: Stage, type_: Type, pipe: Callable[..., None]
    ) -> None:
        stage.fill("WEB", "generated-password")
        pipe("API_PASSWORD=another-password")
        assert type_("secret set web")[0] == 0
        assert stage.secret("WEB") == {"API_PASSWORD": "another-password"}

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("SLACK_BOT_TOKEN=xapp-hidden", "begins with xoxb-"),
            ("SLACK_SUPPORT_CHANNEL=#hidden", "a channel's id"),
            ("SLACK_SIGNING_SECRET=two hidden words", "one word"),
            ("SLACK_SIGNING_SECRET=", "one word"),
            ("SLACK_APP_TOKEN=xapp-hidden", "needs no Socket Mode"),
            ("X_CONSUMER_SECRET=hidden", "is none of its keys"),
            ("xoxb-hidden", "Line 1 of the input is not NAME=value"),
            ("xoxb-hidden=", "Give names only"),
        ],
    )
    def test_refuses_what_is_no_key_writes_nothing_and_repeats_no_value(
        self, stage: Stage, type_: Type, pipe: Callable[..., None], line: str, says: str
    ) -> None:
        pipe(line, "SLACK_BOT_TOKEN=xoxb-right")
        code, out, said = type_("secret set slack")
        assert (code, out, says in said) == (2, "", True)
        assert "hidden" not in said
        assert stage.secret("SLACK") == {}

    @pytest.mark.usefixtures("stage")
    def test_takes_no_value_on_the_command_line(self, type_: Type) -> None:
        code, _, said = type_("secret set slack SLACK_BOT_TOKEN=xoxb-hidden")
        assert (code, "Give names only" in said, "hidden" in said) == (2, True, False)

    def test_lists_names_only(self, stage: Stage, type_: Type) -> None:
        stage.fill("X", {"X_CONSUMER_SECRET": "hidden", "OTHER": "hidden"})
        code, out, _ = type_("secret list --json")
        rows = {row["name"]: row for row in map(json.loads, out.splitlines())}
        assert code == 0
        assert {name: rows[name]["state"] for name in ("X_CONSUMER_SECRET", "OTHER")} == {
            "X_CONSUMER_SECRET": "set",
            "OTHER": "not read",
        }
        assert (rows["X_USER_ID"]["state"], rows["API_PASSWORD"]["state"]) == ("unset", "missing")
        assert "hidden" not in out

    @pytest.mark.parametrize("line", ["secret set x", "secret list"])
    def test_is_for_a_stage(self, line: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(line.split()) == 2
        assert ".env" in capsys.readouterr().err


def test_every_verb_that_works_on_a_stage_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    verbs = (
        "doctor", "cases", "explain", "redrive", "erase", "cost", "ingest", "secret set",
        "secret list", "slack manifest", "x webhook add", "x webhook list", "x subscribe",
        "replies pause", "replies try",
    )  # fmt: skip
    for verb in verbs:
        with pytest.raises(SystemExit):
            main([*verb.split(), "--help"])
        assert "--stage NAME" in capsys.readouterr().out, verb


def test_a_stage_s_file_would_lie_beside_the_roles() -> None:
    assert stages.FILES == HOUSE / "aws" / "stages"
