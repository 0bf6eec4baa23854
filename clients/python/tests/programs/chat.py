#!/usr/bin/env python
# chat USER GROUP: what is typed goes to the group, what the group says is printed.
import select
import sys

import spread


def main():
    user, group = sys.argv[1], sys.argv[2]
    mbox = spread.connect("", user)
    print("connected as %s" % mbox.private_group)
    mbox.join(group)
    while 1:
        ready, _, _ = select.select([mbox.fileno(), sys.stdin.fileno()], [], [])
        if mbox.fileno() in ready:
            msg = mbox.receive()
            if type(msg) is spread.RegularMsgType:
                print("%s: %s" % (msg.sender, msg.message))
            elif msg.reason == spread.CAUSED_BY_JOIN:
                print("%s joined, now %d" % (msg.extra[0], len(msg.members)))
            elif msg.reason == spread.CAUSED_BY_LEAVE and msg.members:
                print("%s left" % msg.extra[0])
            elif msg.reason == spread.CAUSED_BY_DISCONNECT:
                print("%s is gone" % msg.extra[0])
        else:
            line = sys.stdin.readline()
            if not line:
                break
            mbox.multicast(spread.AGREED_MESS, group, line.rstrip("\n"))
        sys.stdout.flush()
    mbox.leave(group)
    mbox.disconnect()
    print("bye")


main()
