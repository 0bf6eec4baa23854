#!/usr/bin/env python
# classic [-s spread_name] [-u user] [-g group] message ...: sends each message and waits for its echo.
import getopt
import sys

import spread


def usage():
    sys.stderr.write("usage: %s [-s spread_name] [-u user] [-g group] message ...\n" % sys.argv[0])
    sys.exit(2)


def main(argv):
    spread_name = "%d@localhost" % spread.DEFAULT_SPREAD_PORT
    user, group = "classic", "test"
    try:
        opts, args = getopt.getopt(argv, "s:u:g:")
    except getopt.error:
        usage()
    for opt, arg in opts:
        if opt == "-s":
            spread_name = arg
        elif opt == "-u":
            user = arg
        elif opt == "-g":
            group = arg
    try:
        mbox = spread.connect(spread_name, user, 0, 1)
    except spread.error as e:
        sys.stderr.write("can not connect: %s\n" % e.args[-1])
        return 1
    mbox.join(group)
    waiting = list(args)
    for message in args:
        mbox.multicast(spread.FIFO_MESS, group, message, len(message))
    while waiting:
        msg = mbox.receive()
        if not hasattr(msg, "message"):
            continue
        if msg.sender == mbox.private_group and group in msg.groups:
            assert msg.message == waiting.pop(0)
            print("%s (%d)" % (msg.message, msg.msg_type))
    mbox.leave(group)
    # The view of the own leave is the last that comes.
    while 1:
        msg = mbox.receive()
        if isinstance(msg, spread.MembershipMsgType) and not msg.members:
            break
    mbox.disconnect()
    return 0


sys.exit(main(sys.argv[1:]))
