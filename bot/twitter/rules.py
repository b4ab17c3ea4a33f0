"""When X allows the bot to answer a post.

X's automation rules and the developer policy for self-serve apps of February 2026 ("Automated
replies"): only where the post's author mentioned or quoted the account, never unasked.
"""

from bot.tweets import Tweet


def refusal(tweet: Tweet, account: frozenset[str]) -> str | None:
    """Why the bot must not answer `tweet`, None where it may.

    `account` holds the account's id and lower-case handle, as far as they are known.
    """
    if tweet.sensitive:
        return "Posts marked as sensitive are not answered by the bot."
    return refusal_through_api(tweet, account)


def refusal_through_api(tweet: Tweet, account: frozenset[str]) -> str | None:
    """Why nobody may answer `tweet` through X's API, an agent's own words included."""
    if tweet.retweet:
        return "Retweets are not answered."
    if _own(tweet, account):
        return "The account does not answer itself."
    if not _asked(tweet, account):
        return "It does not mention the account itself, so X takes no answer through its API."
    return None


def _asked(tweet: Tweet, account: frozenset[str]) -> bool:
    if not account.isdisjoint(tweet.mentions):
        return True
    # A file names accounts by handle; who asks for `--reply` vouches that ours is among them.
    if tweet.source == "file" and tweet.mentions:
        return True
    # Before the account is known, the wire form is all there is to go by.
    return not account and tweet.kind in {"mention", "quote"}


def _own(tweet: Tweet, account: frozenset[str]) -> bool:
    handle = tweet.author.handle
    return tweet.author.id in account or (handle is not None and handle.lower() in account)
