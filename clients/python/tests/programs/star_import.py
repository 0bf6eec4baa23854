#!/usr/bin/env python
# Everything by its bare name, as short scripts did it: a logger of one group, that polls.
from spread import *
import time

sender = connect(name="sender")
mbox = connect("", "logger", 0, 1)
if version() < (3, 17, 0):
    raise SystemExit("Spread is too old")

mbox.join("log")
while mbox.poll() == 0:
    time.sleep(0.01)
msg = mbox.receive()
assert type(msg) == MembershipMsgType and msg.reason == CAUSED_BY_JOIN
assert msg.members[0] == mbox.private_group

for level, text in ((LOW_PRIORITY, "first"), (MEDIUM_PRIORITY, "second"), (HIGH_PRIORITY, "")):
    assert sender.multicast(SAFE_MESS | SELF_DISCARD, "log", text, level) == len(text)
    while not mbox.poll():
        time.sleep(0.01)
    msg = mbox.receive()
    assert isinstance(msg, RegularMsgType)
    print("%d %s %s" % (msg.msg_type, msg.sender.split("#")[1], msg.message))
assert mbox.poll() == 0

# Longer than the wrapper's first buffer, and to more groups than its first list.
mbox.leave("log")
assert mbox.receive().reason == CAUSED_BY_LEAVE
text = "X" * (2 * DEFAULT_BUFFER_SIZE)
groups = tuple("log%d" % i for i in range(2 * DEFAULT_GROUPS_SIZE))
mbox.join(groups[-1])
assert len(mbox.receive().members) == 1
sender.multigroup_multicast(SAFE_MESS, groups, text)
msg = mbox.receive()
assert msg.message == text and msg.groups == groups

try:
    connect("", "logger")
except error as e:
    assert e.args[0] == REJECT_NOT_UNIQUE
    print("ok")
