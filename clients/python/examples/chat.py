"""Sends each line of standard input to a group, and prints the messages of the other members: python chat.py
[target [name]]
"""

import sys
import threading

from spread_sidecar import AGREED_MESS, SELF_DISCARD, Mailbox, RegularMessage, ViewMessage, connect

GROUP = "chat"


def show(mailbox: Mailbox) -> None:
    for event in mailbox:
        if isinstance(event, RegularMessage):
            print(f"{event.sender}: {event.text()}", flush=True)
        elif isinstance(event, ViewMessage) and event.cause == "JOIN":
            print(f"* {event.changed_members[0]} came", flush=True)
        elif isinstance(event, ViewMessage) and event.cause in ("LEAVE", "DISCONNECT"):
            print(f"* {event.changed_members[0]} went", flush=True)


def main(target: str, name: str) -> None:
    with connect(target=target, private_name=name, on_name_conflict="SUFFIX") as mailbox:
        reader = threading.Thread(target=show, args=(mailbox,))
        reader.start()
        mailbox.join(GROUP, await_view=True)
        for line in sys.stdin:
            mailbox.multicast(AGREED_MESS | SELF_DISCARD, GROUP, line.rstrip("\n"))
        mailbox.disconnect(leave_groups_first=True)
        reader.join()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:4813", sys.argv[2] if len(sys.argv) > 2 else "guest")
