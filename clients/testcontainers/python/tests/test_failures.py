"""Failure injection and clean-up."""

from __future__ import annotations

import docker
import pytest
from events import next_of
from spread_sidecar import ConnectionLost, ConnectionRestored, SpreadError
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID

from spread_sidecar_testcontainers import MissingImage, SpreadSidecarContainer


def test_a_dropped_mailbox_ends_as_if_the_daemon_had_cut_it(sidecar: SpreadSidecarContainer) -> None:
    with sidecar.client().connect() as mailbox:
        sidecar.drop_mailbox(mailbox.id)
        with pytest.raises(SpreadError) as end:
            mailbox.receive(10)
        assert end.value.reason == "CONNECTION_CLOSED"


def test_only_the_mailbox_that_was_meant_is_dropped(sidecar: SpreadSidecarContainer) -> None:
    client = sidecar.client()
    with client.connect(private_name="alice", reconnect=True) as alice, client.connect() as bob:
        sidecar.drop_mailbox("#alice#localhost")
        next_of(ConnectionLost, alice)
        assert next_of(ConnectionRestored, alice).private_group == "#alice#localhost"
        bob.join("room", await_view=True)


def test_a_mailbox_that_is_not_there_can_not_be_dropped(sidecar: SpreadSidecarContainer) -> None:
    with pytest.raises(RuntimeError, match="#absent#localhost was not dropped: the mailbox does not exist"):
        sidecar.drop_mailbox("#absent#localhost")


def test_a_daemon_inside_the_sidecar_can_not_be_paused(sidecar: SpreadSidecarContainer) -> None:
    with pytest.raises(RuntimeError, match="with_separate_daemon"):
        sidecar.pause_daemon()
    with pytest.raises(RuntimeError, match="with_separate_daemon"):
        sidecar.resume_daemon()


def test_a_separate_daemon_has_the_name(image: str) -> None:
    with SpreadSidecarContainer(image).with_separate_daemon().with_daemon_name("node1") as sidecar:
        with sidecar.client().connect(private_name="alice") as alice:
            assert alice.private_group == "#alice#node1"


def test_a_separate_daemon_excludes_daemon_addresses(image: str) -> None:
    with pytest.raises(ValueError, match="are both set; set only one of them"):
        SpreadSidecarContainer(image).with_separate_daemon().with_daemon_addresses("4803@elsewhere").start()


@pytest.mark.parametrize("separate", [False, True])
def test_a_missing_image_is_named_and_how_to_build_it(separate: bool) -> None:
    name = "spread-sidecar-missing.invalid/spread-sidecar:none"
    container = SpreadSidecarContainer(name)
    if separate:
        container.with_separate_daemon()
    before = everything()
    with pytest.raises(MissingImage, match=f'image {name}; build spread-sidecar:test with "npm run image"'):
        container.start()
    assert everything() == before


def everything() -> set[str]:
    """The containers and networks of this process that exist."""
    ours = {"label": f"{LABEL_SESSION_ID}={SESSION_ID}"}
    engine = docker.from_env()
    try:
        containers = {container.id for container in engine.containers.list(all=True, filters=ours)}
        return containers | {network.id for network in engine.networks.list(filters=ours)}
    finally:
        engine.close()


def test_stop_leaves_nothing_even_of_a_paused_daemon(image: str) -> None:
    before = everything()
    sidecar = SpreadSidecarContainer(image).with_separate_daemon().start()
    sidecar.client().connect()
    assert len(everything() - before) == 3  # sidecar, daemon, network
    sidecar.pause_daemon()
    sidecar.stop()
    assert everything() == before
    sidecar.stop()


def test_a_container_can_be_started_again(image: str) -> None:
    container = SpreadSidecarContainer(image).with_separate_daemon()
    for _ in range(2):
        with container as sidecar:
            sidecar.client().connect().disconnect()
