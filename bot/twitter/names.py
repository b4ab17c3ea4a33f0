"""How an answer addresses its reader: a name made safe, and a text that does without one."""

import re
import unicodedata
from typing import Final

from bot.tweets import Author

LONGEST_NAME: Final = 20
LONGEST_HANDLE: Final = 15
MOST_WORDS: Final = 3
"""Of a person's name; more make a phrase."""

_HANDLE: Final = re.compile(rf"\w{{1,{LONGEST_HANDLE}}}", re.ASCII)
_DOT_WITHIN: Final = re.compile(r"\.(?=\S)")
_OPENING: Final = r"(^|[.!?…]\s+){variable}[\s,:;!–—-]*(\S?)"
_WITHIN: Final = r"[\s,]*{variable}"


def handle_of(author: Author) -> str:
    """`@handle`; empty where there is none, or one that X would not give."""
    handle = author.handle
    return f"@{handle}" if handle is not None and _HANDLE.fullmatch(handle) else ""


def name_of(author: Author) -> str:
    """The first word or two of what looks like a person's name, else the handle, else nothing.

    A name is anybody's free text: of its letters, marks, digits, spaces, `'`, `-` and `.` only the
    first stretch is taken, at most 20 characters, and no dot before a letter. So nothing in it
    can become a link, a mention, a hashtag or a cashtag.
    """
    visible = (c for c in unicodedata.normalize("NFKC", author.name or "") if not _formats(c))
    stretches = "".join(c if _harmless(c) else "\n" for c in visible).split("\n")
    named = next((one for one in stretches if any(map(str.isalpha, one))), "")
    words = _DOT_WITHIN.sub(" ", named).split()
    phrase = len(words) > MOST_WORDS or any(word[0].islower() for word in words)
    if phrase and handle_of(author):  # «half the cheese» is called by its handle
        return handle_of(author)
    for count in (2, 1):
        shown = " ".join(words[:count]).strip("'’-. ")
        if shown and len(shown) <= LONGEST_NAME:
            return shown
    return handle_of(author)


def _formats(character: str) -> bool:
    return unicodedata.category(character) == "Cf"


def _harmless(character: str) -> bool:
    category = unicodedata.category(character)
    return character in " '’-." or category[0] in "LM" or category == "Nd"


def without(template: str, variable: str) -> str:
    """`template` without its `{variable}` and the comma or space before it.

    Where a sentence began with it, the next word begins it.
    """
    hole = re.escape(f"{{{variable}}}")
    begun = re.sub(_OPENING.format(variable=hole), lambda m: m[1] + m[2].upper(), template)
    return re.sub(_WITHIN.format(variable=hole), "", begun)
