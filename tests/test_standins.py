"""What all stand-ins share; each has its own tests beside it."""

import pytest
import requests

from tests.standins import gateway
from tests.standins.server import Fault
from tests.standins.slack import SlackStandin
from tests.standins.x import XStandin


class TestFaults:
    def test_come_once_each_and_only_where_they_belong(self) -> None:
        with XStandin() as x, requests.Session() as http:
            x.faults += [Fault(status=503, where="/nowhere"), Fault("html", 502)]
            page = http.get(f"{x.url}/2/users/me")
            assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html")
            assert http.get(f"{x.url}/2/users/me").status_code == 401
            assert http.get(f"{x.url}/nowhere").status_code == 503
            assert http.get(f"{x.url}/nowhere").status_code == 404

    def test_can_come_every_third_time_until_healed(self) -> None:
        with XStandin() as x, requests.Session() as http:
            x.fail_every(3, status=500)
            seen = [http.get(f"{x.url}/nowhere").status_code for _ in range(6)]
            x.heal()
            healed = [http.get(f"{x.url}/nowhere").status_code for _ in range(3)]
        assert seen == [404, 404, 500, 404, 404, 500]
        assert healed == [404, 404, 404]

    def test_can_close_the_connection_before_anything_is_done(self) -> None:
        with SlackStandin() as standin, requests.Session() as http:
            standin.fail_every(1, "drop")
            with pytest.raises(requests.ConnectionError):
                http.post(f"{standin.api_url}chat.postMessage")
            assert standin.messages == []

    def test_can_keep_a_caller_waiting(self) -> None:
        with XStandin() as x, requests.Session() as http:
            x.faults.append(Fault("hang"))
            with pytest.raises(requests.ReadTimeout):
                http.get(f"{x.url}/2/users/me", timeout=0.05)


class TestGateway:
    def test_encodes_forms_and_leaves_json(self) -> None:
        form = gateway.http_event(
            "POST", "/slack/events", {"Content-Type": "application/x-www-form-urlencoded"}, b"a=1"
        )
        assert (form["body"], form["isBase64Encoded"]) == ("YT0x", True)
        plain = gateway.http_event("POST", "/classify", {"Content-Type": "application/json"}, b"{}")
        assert (plain["body"], plain["isBase64Encoded"]) == ("{}", False)

    def test_decodes_the_path(self) -> None:
        event = gateway.http_event("GET", "/tweet/i%20am%20angry", route="GET /tweet/{tweet}")
        assert event["rawPath"] == "/tweet/i am angry"
        assert event["pathParameters"] == {"tweet": "i am angry"}

    def test_keeps_the_query(self) -> None:
        event = gateway.http_event("GET", "/tweet?text=why%3F", route="GET /tweet")
        assert event["queryStringParameters"] == {"text": "why?"}
        assert "pathParameters" not in event
