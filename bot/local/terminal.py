"""Foreign text on a terminal."""


def printable(text: str) -> str:
    """`text` without what would steer a terminal; lines stay lines."""
    return "".join(c if c == "\n" or c.isprintable() else "\ufffd" for c in text)
