import json
from dataclasses import replace

import pytest

from bot import conversations
from bot.conversations import Conversation
from bot.tweets import Author, Tweet
from tests.examples import NOON

POST = Tweet("1", "hello", "1", Author("55", "Mira"), conversation_id="1")


def test_a_conversation_is_xs_and_the_authors() -> None:
    assert conversations.name(POST) == "conversation-1-55"
    assert conversations.name(replace(POST, author=Author(None, "@Mira"))) == "conversation-1-mira"


@pytest.mark.parametrize(
    "post", [replace(POST, conversation_id=None), replace(POST, author=Author())]
)
def test_without_either_there_is_none(post: Tweet) -> None:
    assert conversations.name(post) is None


@pytest.mark.parametrize(
    "talk", [Conversation(), Conversation("1", agent=True, answered="2", at=NOON, said="mark")]
)
def test_a_conversation_comes_back_from_json_as_it_was(talk: Conversation) -> None:
    assert conversations.from_json(json.loads(json.dumps(conversations.to_json(talk)))) == talk


def test_an_answer_that_was_refused_never_was() -> None:
    answered = Conversation(head="1").with_answer("2", "mark", NOON)
    assert answered.without_answer("3") is answered
    assert answered.without_answer("2") == Conversation(head="1")
