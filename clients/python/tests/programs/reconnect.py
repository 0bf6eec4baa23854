#!/usr/bin/env python
# Stays connected: when Spread is gone it tries again until Spread is back.
import sys
import time

import spread


class Watcher:
    def __init__(self, name, group):
        self.name, self.group = name, group
        self.mbox = None

    def connect(self):
        while self.mbox is None:
            try:
                self.mbox = spread.connect(private_name=self.name)
                self.mbox.join(self.group)
            except spread.SpreadError as e:
                self.mbox = None
                if e.args[0] not in (spread.COULD_NOT_CONNECT, spread.CONNECTION_CLOSED, spread.REJECT_NOT_UNIQUE,
                                     spread.NET_ERROR_ON_SESSION):
                    raise
                time.sleep(0.05)

    def run(self, times):
        while times:
            self.connect()
            try:
                msg = self.mbox.receive()
            except spread.SpreadError as e:
                print("lost: %d" % e.args[0])
                sys.stdout.flush()
                self.mbox = None
                continue
            if msg.reason == spread.CAUSED_BY_JOIN:
                times -= 1
                print("joined")
                sys.stdout.flush()
        self.mbox.disconnect()


Watcher("watcher", "g").run(2)
