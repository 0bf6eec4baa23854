"""The options and properties of the container."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest
from events import next_of
from spread_sidecar import AGREED_MESS, RegularMessage, SpreadError, SpreadSidecar
from testcontainers.core.network import Network

from spread_sidecar_testcontainers import NotReady, SpreadSidecarContainer


@pytest.mark.parametrize(
    "config",
    ["mailbox:\n  leaseDefault: 7s\n", {"mailbox": {"leaseDefault": "7s"}}],
    ids=["as text", "as a mapping"],
)
def test_config(image: str, config: str | dict[str, object]) -> None:
    with SpreadSidecarContainer(image).with_config(config) as sidecar:
        with sidecar.client().connect() as mailbox:
            assert mailbox.limits.lease == 7


def test_environment_and_daemon_name(image: str) -> None:
    container = SpreadSidecarContainer(image).with_daemon_name("node1")
    with container.with_env("SPREAD_SIDECAR_MAILBOX_LEASE_DEFAULT", "8s") as sidecar:
        with sidecar.client().connect(private_name="alice") as mailbox:
            assert (mailbox.private_group, mailbox.limits.lease) == ("#alice#node1", 8)


def test_a_mistake_in_the_configuration_is_reported_at_once(image: str) -> None:
    with pytest.raises(NotReady) as failure:
        SpreadSidecarContainer(image).with_config({"mailbox": {"leaseDefault": "soon"}}).start()
    assert "the sidecar ended before it was ready" in str(failure.value)
    assert "mailbox.leaseDefault" in str(failure.value)


def test_token(image: str) -> None:
    with SpreadSidecarContainer(image).with_token("a-token-for-this-test") as sidecar:
        sidecar.client().connect().disconnect()
        with SpreadSidecar(target=sidecar.grpc_target) as stranger, pytest.raises(SpreadError) as refusal:
            stranger.connect()
        assert refusal.value.reason == "CREDENTIAL_MISSING"


def test_tls(image: str) -> None:
    folder = Path(os.environ["TEST_TLS_FOLDER"])
    container = SpreadSidecarContainer(image).with_token("a-token-for-this-test")
    with container.with_tls(folder / "tls.crt", folder / "tls.key", folder / "ca.crt", "sidecar.test") as sidecar:
        sidecar.client().connect().disconnect()
        with SpreadSidecar(target=sidecar.grpc_target) as stranger, pytest.raises(SpreadError) as refusal:
            stranger.version(timeout=10)
        assert refusal.value.status == "UNAVAILABLE"


def test_two_sidecars_at_one_daemon(image: str) -> None:
    with Network() as network:
        one = SpreadSidecarContainer(image).with_network(network).with_network_aliases("one")
        with one, SpreadSidecarContainer(image).with_network(network) as nameless:
            for daemon in (one, nameless):
                address = daemon.spread_daemon_in_network
                other = SpreadSidecarContainer(image).with_network(network).with_daemon_addresses(address)
                with other, daemon.client().connect(private_name="alice") as alice, other.client().connect() as bob:
                    alice.join("room", await_view=True)
                    bob.multicast(AGREED_MESS, "room", "over there")
                    assert next_of(RegularMessage, alice).text() == "over there"
                    with pytest.raises(RuntimeError, match="spread_daemon is not available: the sidecar uses the daemon"):
                        _ = other.spread_daemon
            assert one.spread_daemon_in_network == "4803@one"


def test_a_sidecar_at_the_daemon_of_one_without_a_network(sidecar: SpreadSidecarContainer, image: str) -> None:
    with SpreadSidecarContainer(image).with_daemon_addresses(sidecar.spread_daemon_in_network) as other:
        with other.client().connect(private_name="bob") as bob:
            assert bob.daemon == sidecar.spread_daemon_in_network


def test_metrics(sidecar: SpreadSidecarContainer) -> None:
    with sidecar.client().connect(), urlopen(sidecar.metrics_url, timeout=10) as page:
        assert "spread_sidecar_mailboxes" in page.read().decode()


def test_admin_token(sidecar: SpreadSidecarContainer) -> None:
    with SpreadSidecar(target=sidecar.grpc_target, insecure=True) as operator, operator.connect(private_name="alice"):
        listed = [mailbox.private_group for mailbox in operator.list_mailboxes(sidecar.admin_token)]
    assert "#alice#localhost" in listed


@pytest.mark.parametrize("separate", [False, True], ids=["inside", "separate"])
def test_native_clients_reach_the_daemon(image: str, separate: bool) -> None:
    container = SpreadSidecarContainer(image)
    with container.with_separate_daemon() if separate else container as sidecar:
        port, host = sidecar.spread_daemon.split("@")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            # Version 5.0.1, with membership messages, private name "me". The daemon responds with its
            # authentication methods.
            connection.sendall(bytes([5, 0, 1, 1, 2]) + b"me")
            assert connection.makefile("rb").read(5) == b"\x05NULL"
