"""One file a function: event in, one call into bot, answer out."""
