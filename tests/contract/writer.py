"""A process of its own that writes to a SQLite file, and says on stdout what is written.

`tell FILE CASE NAME TIMES` adds that many lines to a case's story; `fill FILE` adds cases and
messages until it is killed.
"""

import sys
from datetime import timedelta
from itertools import count
from pathlib import Path

from bot.ports import Outgoing
from bot.storage.sqlite import Database, SqliteCases
from tests.contract.examples import Watch, a_case, sqlite_queue, tell


def tell_often(path: str, case_id: str, name: str, times: str) -> None:
    store = SqliteCases(Database(Path(path)), timedelta(days=90))
    for number in range(int(times)):
        store.add([a_case(case_id)])
        store.change(case_id, tell(f"{name} {number}"))


def fill(path: str) -> None:
    database = Database(Path(path))
    store = SqliteCases(database, timedelta(days=90))
    queue = sqlite_queue(database, Watch(), fifo=False)
    for number in count():
        store.add([a_case(f"{number}-{half}") for half in "ab"])
        queue.send([Outgoing(str(number))])
        print(number, flush=True)  # noqa: T201 - how the test learns of it


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "tell":
        tell_often(*rest)
    else:
        fill(*rest)
