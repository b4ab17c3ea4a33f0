import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.twitter.signatures import challenge_answer, sign, signed

SECRET = "test-consumer-secret"
BODY = '{"for_user_id":"1","text":"hé"}'.encode()
SIGNATURE = "sha256=NIQWjBOqFA2BWGJ9eLk+Uu8a6CWfmf1lCFZe7mb+Fh0="
TOKEN = "9eUyTkMhWcYBX0nMEYv6Yw"
RESPONSE = "sha256=x9LD9TLgvZRqPajTjbqB1PIlSL8Q9E+OdstPvCbgoII="


def test_a_body_is_signed_as_x_signs_it() -> None:
    assert sign(SECRET, BODY) == SIGNATURE
    assert signed(SECRET, BODY, SIGNATURE)


@pytest.mark.parametrize(
    ("secret", "body", "signature"),
    [
        (SECRET, BODY + b" ", SIGNATURE),
        (SECRET + "x", BODY, SIGNATURE),
        (SECRET, BODY, ""),
        (SECRET, BODY, SIGNATURE.removeprefix("sha256=")),
        (SECRET, BODY, SIGNATURE.lower()),
        (SECRET, BODY, SIGNATURE + "\n"),
        (SECRET, BODY, "sha256=\ud800é"),
    ],
)
def test_whatever_differs_is_not_signed(secret: str, body: bytes, signature: str) -> None:
    assert not signed(secret, body, signature)


@given(st.binary(), st.integers(0, 10_000), st.integers(0, 7))
def test_one_bit_that_differs_is_enough(body: bytes, byte: int, bit: int) -> None:
    changed = bytearray(body or b"x")
    changed[byte % len(changed)] ^= 1 << bit
    assert not signed(SECRET, bytes(changed), sign(SECRET, body or b"x"))


def test_a_challenge_is_answered_as_x_expects() -> None:
    assert challenge_answer(SECRET, TOKEN) == RESPONSE


@pytest.mark.parametrize("token", ["a", "A" * 512, "YWJj+/==", "YWJj-_=="])
def test_a_token_of_base64_is_answered(token: str) -> None:
    assert challenge_answer(SECRET, token).startswith("sha256=")


@pytest.mark.parametrize(
    "token", ["", "A" * 513, "abc\n", "a b", 'a"b', "{}", "%7B%7D", "é", "ab\0", "[1]"]
)
def test_another_token_is_refused(token: str) -> None:
    with pytest.raises(Refused, match="crc_token"):
        challenge_answer(SECRET, token)


@given(
    st.dictionaries(st.text(), st.text() | st.integers() | st.booleans(), max_size=3)
    | st.lists(st.integers(), max_size=3)
)
def test_nobody_gets_an_events_signature_by_asking_for_it_as_a_challenge(event: object) -> None:
    for separators in (None, (",", ":")):
        with pytest.raises(Refused):
            challenge_answer(SECRET, json.dumps(event, separators=separators))
