"""Benchmark of a module ``spread``: of this package or of the original C wrapper, whichever Python imports.

    bench_module.py DAEMON COUNT BYTES

Sends COUNT messages, waits until the daemon has them all, then receives them. Prints one line of JSON. Imports
only ``spread`` from this project, so that it also runs in a Python that has only the C wrapper.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Callable

import spread


def text_or_bytes(daemon: str) -> Callable[[str], Any]:
    """The type of names in this wrapper: its port to Python 3 accepts only bytes."""
    try:
        spread.connect(daemon, "probe", 0, 0).disconnect()
        return str
    except TypeError:
        return str.encode


def main(daemon: str, count: int, size: int) -> None:
    name = text_or_bytes(daemon)
    receiver = spread.connect(name(daemon), name("to"), 0, 1)
    sender = spread.connect(name(daemon), name("from"), 0, 1)
    group, payload = name("bench-messages"), b"x" * size
    receiver.join(group)
    # The mailbox's own view: later messages are delivered to it.
    receiver.receive()
    begin, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        sender.multicast(spread.FIFO_MESS, group, payload)
    sent = time.perf_counter()
    # The daemon orders this join after the messages.
    sender.join(name("bench-end"))
    sender.receive()
    waited = time.perf_counter()
    for _ in range(count):
        receiver.receive()
    end = time.perf_counter()
    cpu = time.process_time() - cpu
    sender.disconnect()
    receiver.disconnect()
    seconds = {"multicast": sent - begin, "receive": end - waited, "all": end - begin, "cpu": cpu}
    print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
