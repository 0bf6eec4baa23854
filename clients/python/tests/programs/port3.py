#!/usr/bin/env python3
# Written for the wrapper's port to Python 3, whose messages are always bytes and whose names are always text.
import json

import spread


class Peer:
    def __init__(self, name):
        self.mbox = spread.connect(daemon="", name=name, membership=False)
        self.name = self.mbox.private_group
        self.mbox.join("peers")

    def say(self, what):
        return self.mbox.multicast(spread.AGREED_MESS, "peers", json.dumps(what))

    def hear(self):
        msg = self.mbox.receive()
        return msg.sender, json.loads(msg.message.decode("utf-8"))


one, two = Peer("one"), Peer("two")
one.say({"n": 1, "text": "caf\xe9"})
two.mbox.multicast(spread.AGREED_MESS, "peers", b'{"n": 2}')
for peer in one, two:
    heard = sorted([peer.hear(), peer.hear()])
    assert heard == [(one.name, {"n": 1, "text": "caf\xe9"}), (two.name, {"n": 2})], heard
print("ok")
# No disconnect: the end of the process is enough.
