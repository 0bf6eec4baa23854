#!/usr/bin/env python
# One thread receives forever while the main thread sends.
import threading

import spread

mbox = spread.connect(private_name="threads", membership=0)
mbox.join("work")
got = []
done = threading.Event()


def reader():
    while 1:
        msg = mbox.receive()
        if msg.msg_type == 99:
            done.set()
            return
        got.append((msg.msg_type, msg.message))


thread = threading.Thread(target=reader)
thread.start()
for i in range(200):
    mbox.multicast(spread.SAFE_MESS, "work", "job %d" % i, i % 90)
mbox.multicast(spread.SAFE_MESS, "work", "", 99)
done.wait(20)
thread.join(20)
assert got == [(i % 90, "job %d" % i) for i in range(200)]
mbox.disconnect()
print("received %d" % len(got))
