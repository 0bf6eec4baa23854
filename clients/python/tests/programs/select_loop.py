#!/usr/bin/env python
# Several mailboxes in one select loop, as servers did it: each message is received without ever blocking.
import select

import spread

N = 50

boxes = [spread.connect(private_name="sel%d" % i, membership=0) for i in range(3)]
for box in boxes:
    box.join("loop")
for i in range(N):
    assert boxes[i % 3].multicast(spread.FIFO_MESS, "loop", "m%d" % i) == len("m%d" % i)

seen = dict((box.fileno(), []) for box in boxes)
byfd = dict((box.fileno(), box) for box in boxes)
while min(len(v) for v in seen.values()) < N:
    ready, _, _ = select.select(list(byfd), [], [], 10)
    assert ready, "nothing came: %r" % [len(v) for v in seen.values()]
    for fd in ready:
        seen[fd].append(byfd[fd].receive().message)

# All is received: nothing selects readable, and poll says so.
assert select.select(list(byfd), [], [], 0.2) == ([], [], [])
assert [box.poll() for box in boxes] == [0, 0, 0]
assert len(set(tuple(sorted(v)) for v in seen.values())) == 1
for box in boxes:
    box.disconnect()
print("all saw %d messages" % N)
