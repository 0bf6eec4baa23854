"""The daemon in a separate container."""

from __future__ import annotations

import secrets
from typing import Any

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network


class SeparateDaemon(DockerContainer):
    """A container that runs ``spread-sidecar daemon`` of the sidecar's image, in the sidecar's network."""

    def __init__(self, image: str, port: int, name: str | None, docker_client_kw: dict[str, Any] | None) -> None:
        super().__init__(image, docker_client_kw=docker_client_kw)
        self._port = port
        # Several sidecars may share a network.
        self._alias = f"spread-{secrets.token_hex(4)}"
        command = ["daemon", "--listen", "0.0.0.0", "--port", str(port), "--socket", "off"]
        self.with_command(command if name is None else [*command, "--name", name])
        self.with_exposed_ports(port)
        self._paused = False

    @property
    def in_network(self) -> str:
        """Its Spread name inside the network."""
        return f"{self._port}@{self._alias}"

    @property
    def published(self) -> str:
        """Its Spread name for programs outside Docker."""
        return f"{self.get_exposed_port(self._port)}@{self.get_container_host_ip()}"

    def start_in(self, network: Network) -> None:
        """Starts the container. Callers wait for their own connection to it."""
        self.with_network(network).with_network_aliases(self._alias).start()

    def pause(self) -> None:
        """Pauses it. Its connections stay open, but it sends nothing."""
        if not self._paused:
            self.get_wrapped_container().pause()
            self._paused = True

    def resume(self) -> None:
        """Resumes it."""
        if self._paused:
            self.get_wrapped_container().unpause()
            self._paused = False

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:
        if self._container is None:
            return
        super().stop(force, delete_volume)
        self._container = None
        self._paused = False
