"""One file a function: event in, one call into bot, answer out."""

import gc

# What a cold start makes is there to stay, and looking through it for garbage again and again takes
# an eighth of the time.
gc.set_threshold(30_000)
