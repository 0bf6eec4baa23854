"""A test with injected failures, as users of the module write it. The README shows parts of it."""

from __future__ import annotations

import pytest
from events import next_of
from spread_sidecar import AGREED_MESS, ConnectionLost, ConnectionRestored, RegularMessage, SpreadError

from spread_sidecar_testcontainers import SpreadSidecarContainer


def test_a_dropped_mailbox_rejoins_its_groups() -> None:
    with SpreadSidecarContainer() as sidecar:
        with sidecar.client().connect(private_name="alice", reconnect=True) as alice:
            alice.join("greetings", await_view=True)

            sidecar.drop_mailbox(alice.private_group)
            assert next_of(ConnectionLost, alice).groups == ("greetings",)
            assert next_of(ConnectionRestored, alice).groups == ("greetings",)

            alice.multicast(AGREED_MESS, "greetings", "here again")
            assert next_of(RegularMessage, alice).text() == "here again"


def test_a_paused_daemon_delivers_nothing() -> None:
    with SpreadSidecarContainer().with_separate_daemon() as sidecar:
        with sidecar.client().connect(private_name="alice") as alice:
            alice.join("greetings", await_view=True)
            alice.receive(10)  # the view

            sidecar.pause_daemon()
            alice.multicast(AGREED_MESS, "greetings", "is anybody there?")
            with pytest.raises(SpreadError, match="DEADLINE_EXCEEDED"):
                alice.receive(timeout=0.5)

            sidecar.resume_daemon()
            assert next_of(RegularMessage, alice).text() == "is anybody there?"
