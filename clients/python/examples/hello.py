"""Joins a group, sends it a message and receives it: python hello.py [target]"""

import sys

from spread_sidecar import AGREED_MESS, RegularMessage, connect


def main(target: str) -> None:
    with connect(target=target, private_name="hello", on_name_conflict="SUFFIX") as mailbox:
        mailbox.join("greetings", await_view=True)
        mailbox.multicast(AGREED_MESS, "greetings", "hello, group", 7)

        for event in mailbox:
            if isinstance(event, RegularMessage) and event.sender == mailbox.private_group:
                print(f"{event.sender} to {', '.join(event.groups)}: {event.text()} (type {event.message_type})")
                break


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:4813")
