import re

import pytest
from emoji import EMOJI_DATA
from hypothesis import given
from hypothesis import strategies as st
from slugify import slugify

from bot.normalize import _PERHAPS_EMOJI, EMOJI, NORMALIZERS, PLAIN, tokens


@given(st.text())
def test_plain_is_slugify_and_nothing_else(text: str) -> None:
    assert tokens(text, PLAIN) == slugify(text, separator=" ")


@pytest.mark.parametrize(
    ("text", "plain", "emoji"),
    [
        ("I'm ANGRY!!!", "i m angry", "i m angry"),
        ("I’m “really” angry", "im really angry", "i m really angry"),
        ("😡", "", "enraged face"),
        ("no😡no", "nono", "no enraged face no"),
        ("Café à la crème", "cafe a la creme", "cafe a la creme"),
        ("great 👍🏽 job", "great job", "great thumbs up medium skin tone job"),
        ("naïve <b>&amp;</b>", "naive b b", "naive b b"),
        ("", "", ""),
        ("…!?", "", ""),
    ],
)
def test_emoji_become_words_and_curly_quotes_straight_ones(
    text: str, plain: str, emoji: str
) -> None:
    assert tokens(text, PLAIN) == plain
    assert tokens(text, EMOJI) == emoji


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_characters_need_no_emoji_words(text: str) -> None:
    assert tokens(text, EMOJI) == tokens(text, PLAIN)


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@given(text=st.text() | st.text(alphabet="😡👍🏽❤️‍🔥’“\0\u202e\u3042\u0434é1a "))
def test_only_lower_case_words_divided_by_single_spaces_come_out(
    normalizer: str, text: str
) -> None:
    assert re.fullmatch(r"([a-z0-9]+( [a-z0-9]+)*)?", tokens(text, normalizer))


@given(st.text())
def test_words_that_are_normalized_already_stay_as_they_are(text: str) -> None:
    once = tokens(text, EMOJI)
    assert tokens(once, EMOJI) == once


def test_a_normalizer_that_is_not_known_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        tokens("hello", "emoji-2")


def test_every_emoji_is_looked_up() -> None:
    assert [one for one in EMOJI_DATA if not _PERHAPS_EMOJI.search(one)] == []
