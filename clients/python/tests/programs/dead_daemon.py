#!/usr/bin/env python
# Waits in select until Spread is gone; then receive says so, once with its number, and so does multicast.
import select
import sys
import time

import spread

box = spread.connect(membership=0)
sender = spread.connect(membership=0)
# To another group: nothing orders it before the join, and box must receive nothing but the end.
sender.multicast(spread.FIFO_MESS, "h", "x")
box.join("g")
print("waiting")
sys.stdout.flush()
ready, _, _ = select.select([box.fileno()], [], [], 20)
assert ready, "never readable"
try:
    box.receive()
except spread.SpreadError as e:
    assert e.args[0] == spread.CONNECTION_CLOSED, e.args
try:
    box.receive()
except spread.SpreadError as e:
    assert len(e.args) == 1, e.args
failures = []
deadline = time.time() + 10
while len(failures) < 2 and time.time() < deadline:
    try:
        sender.multicast(spread.FIFO_MESS, "g", "x")
    except spread.SpreadError as e:
        failures.append(e.args)
assert failures[0][0] == spread.CONNECTION_CLOSED, failures
assert failures[1] == ("multicast() called on closed mbox",), failures
print("closed")
