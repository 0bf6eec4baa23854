"""Prints how the members of a group join and leave: python membership.py [target]"""

import sys

from spread_sidecar import Mailbox, SelfLeaveMessage, SpreadSidecar, TransitionalMessage, ViewMessage

GROUP = "members"


def watch(mailbox: Mailbox) -> None:
    for event in mailbox:
        if isinstance(event, ViewMessage):
            # event.reason is CAUSED_BY_JOIN, CAUSED_BY_LEAVE, CAUSED_BY_DISCONNECT or CAUSED_BY_NETWORK.
            # event.cause is its name.
            print(event.cause, ", ".join(event.changed_members), "->", ", ".join(event.members), "I am", event.own_index)
            for one in event.sets:
                print("  together:", ", ".join(one.members), "(with me)" if one.mine else "")
        elif isinstance(event, TransitionalMessage):
            print("daemons were lost; a view will follow")
        elif isinstance(event, SelfLeaveMessage):
            print("left", event.group)
            return


def main(target: str) -> None:
    with SpreadSidecar(target=target) as sidecar:
        sidecar.wait_for_ready(timeout=10, daemon=True)
        watcher = sidecar.connect(private_name="watcher", on_name_conflict="SUFFIX")
        watcher.join(GROUP, await_view=True)
        for way in ("leave", "disconnect"):
            with sidecar.connect(private_name="guest", on_name_conflict="SUFFIX") as guest:
                view = guest.join(GROUP, await_view=True)
                assert view is not None
                assert view.members[view.own_index] == guest.private_group
                if way == "leave":
                    guest.leave(GROUP, await_view=True)
        current = watcher.view(GROUP).view
        print("now:", ", ".join(current.members))
        watcher.leave(GROUP, await_view=True)
        watch(watcher)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:4813")
