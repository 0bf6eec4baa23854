#!/usr/bin/env python
# Waits in select until Spread is gone; then receive says so, once with its number.
import select
import sys

import spread

box = spread.connect(membership=0)
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
print("closed")
