"""One file a function: event in, one call into bot, answer out."""

import logging

# Lambda's own root logger passes warnings only; a host that chose a level keeps it.
if not logging.getLogger("bot").level:
    logging.getLogger("bot").setLevel(logging.INFO)
