"""A sidecar in a container, for tests."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from spread_sidecar import SidecarOptions, SpreadSidecar, TlsOptions
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from typing_extensions import Self

from .image import DEFAULT_IMAGE, missing_image
from .ready import ReadyPage
from .separate_daemon import SeparateDaemon

#: The gRPC port in the container.
GRPC_PORT = 4813
#: The admin port in the container, for metrics and health.
ADMIN_PORT = 4814
#: The port of the embedded daemon in the container, for Spread clients.
DAEMON_PORT = 4803

_CONFIG_PATH = "/etc/spread-sidecar-test/config.yaml"
_CERTIFICATE_PATH = "/etc/spread-sidecar-test/tls.crt"
_KEY_PATH = "/etc/spread-sidecar-test/tls.key"


class SpreadSidecarContainer(DockerContainer):
    """A sidecar with an embedded daemon, unless configured otherwise.

    ``start()`` waits until the sidecar is ready, and ``stop()`` removes everything. A ``with`` block does both. All
    methods of ``DockerContainer`` are available. Set options before ``start()``.

    :param image: the sidecar's image. Default: ``DEFAULT_IMAGE``
    :param kwargs: as ``DockerContainer`` takes them
    """

    def __init__(self, image: str = DEFAULT_IMAGE, **kwargs: Any) -> None:
        super().__init__(image, **kwargs)
        self._docker_client_kw: dict[str, Any] | None = kwargs.get("docker_client_kw")
        self._admin_token = secrets.token_hex(16)
        self._token: str | None = None
        self._tls: TlsOptions | None = None
        self._daemon_name: str | None = None
        self._daemon_addresses: tuple[str, ...] = ()
        self._wants_separate_daemon = False
        self._daemon: SeparateDaemon | None = None
        self._own_network: Network | None = None
        self._client: SpreadSidecar | None = None
        # The image's own command has flags with listen addresses, which would override the environment.
        self.with_command("serve")
        self.with_exposed_ports(GRPC_PORT, ADMIN_PORT, DAEMON_PORT)
        self.waiting_for(ReadyPage(ADMIN_PORT))

    def with_config(self, config: Mapping[str, Any] | str) -> Self:
        """The sidecar's configuration: its YAML as text, or the same as a mapping.

        The settings of this module override it: addresses, daemon, TLS, token. ``with_env("SPREAD_SIDECAR_…", …)``
        works too.
        """
        # JSON is valid YAML.
        text = config if isinstance(config, str) else json.dumps(config)
        self.with_copy_into_container(text.encode(), _CONFIG_PATH)
        return self.with_env("SPREAD_SIDECAR_CONFIG", _CONFIG_PATH)

    def with_daemon_name(self, name: str) -> Self:
        """The name of the embedded daemon, as in ``#alice#name``. Default: ``localhost``."""
        self._daemon_name = name
        return self

    def with_daemon_addresses(self, *addresses: str) -> Self:
        """Your own Spread daemons instead of the embedded one, as ``port@host`` that the container can reach."""
        self._daemon_addresses = addresses
        return self

    def with_separate_daemon(self) -> Self:
        """Runs the embedded daemon in a second container of the same image, so that it can be paused."""
        self._wants_separate_daemon = True
        return self

    def with_tls(
        self,
        certificate: Path | bytes,
        key: Path | bytes,
        ca: Path | bytes | None = None,
        server_name: str = "localhost",
    ) -> Self:
        """Uses TLS.

        :param certificate: in PEM
        :param key: its private key, in PEM
        :param ca: the certificate authority that ``client()`` trusts. Default: the certificate itself
        :param server_name: the name in the certificate, which is independent of the host on which Docker
        publishes ports
        """
        self.with_copy_into_container(certificate, _CERTIFICATE_PATH)
        # Readable by the image's numeric user. The key is only for this test.
        self.with_copy_into_container(key, _KEY_PATH)
        trusted = certificate if ca is None else ca
        trusted_pem = trusted if isinstance(trusted, bytes) else trusted.read_bytes()
        self._tls = TlsOptions(ca=trusted_pem, server_name=server_name)
        self.with_env("SPREAD_SIDECAR_GRPC_TLS_CERT", _CERTIFICATE_PATH)
        return self.with_env("SPREAD_SIDECAR_GRPC_TLS_KEY", _KEY_PATH)

    def with_token(self, token: str) -> Self:
        """The token that every call needs, at least 16 characters. ``client()`` sends it."""
        self._token = token
        return self.with_env("SPREAD_SIDECAR_GRPC_TOKENS", token)

    @property
    def grpc_target(self) -> str:
        """``host:port`` of the gRPC service, for programs outside Docker."""
        return self._published(GRPC_PORT)

    @property
    def metrics_url(self) -> str:
        """URL of the metrics, for programs outside Docker."""
        return f"http://{self._published(ADMIN_PORT)}/metrics"

    @property
    def admin_token(self) -> str:
        """The credential for ``ListMailboxes``, new for every container."""
        return self._admin_token

    @property
    def spread_daemon(self) -> str:
        """The daemon's Spread name, ``port@host``, for Spread clients outside Docker.

        :raises RuntimeError: the daemon is set by ``with_daemon_addresses``
        """
        self._need_own_daemon("spread_daemon")
        if self._daemon is not None:
            return self._daemon.published
        return f"{self.get_exposed_port(DAEMON_PORT)}@{self.get_container_host_ip()}"

    @property
    def spread_daemon_in_network(self) -> str:
        """The daemon's Spread name for containers of the same Docker network.

        :raises RuntimeError: the daemon is set by ``with_daemon_addresses``
        """
        self._need_own_daemon("spread_daemon_in_network")
        if self._daemon is not None:
            return self._daemon.in_network
        return f"{DAEMON_PORT}@{self._host_in_network()}"

    def client_options(self) -> SidecarOptions:
        """Options with target, TLS and token of the sidecar, for your own ``SpreadSidecar`` or ``connect``."""
        options = SidecarOptions(target=self.grpc_target)
        if self._tls is not None:
            options["tls"] = self._tls
        if self._token is not None:
            options["token"] = self._token
            # Docker may be on another machine, but the token is only for this test.
            options["insecure"] = self._tls is None
        return options

    def client(self) -> SpreadSidecar:
        """A shared client of the sidecar. ``stop()`` closes it."""
        if self._client is None:
            self._client = SpreadSidecar(**self.client_options())
        return self._client

    def drop_mailbox(self, mailbox: str) -> None:
        """Closes a mailbox's connection to its daemon, as a failing daemon does.

        With ``reconnect``, the mailbox receives ``ConnectionLost`` and then ``ConnectionRestored``. Otherwise it
        ends with ``CONNECTION_CLOSED``.

        :param mailbox: its mailbox ID, display ID or private group
        :raises RuntimeError: the mailbox does not exist or has no connection
        """
        page = f"http://{self._published(ADMIN_PORT)}/drop-mailbox?mailbox={quote(mailbox, safe='')}"
        headers = {"authorization": f"Bearer {self._admin_token}"}
        try:
            with urlopen(Request(page, method="POST", headers=headers), timeout=10):
                pass
        except HTTPError as refusal:
            said = refusal.read().decode(errors="replace").strip()
            raise RuntimeError(f"{mailbox} was not dropped: {said}") from None

    def pause_daemon(self) -> None:
        """Pauses the daemon. Its connections stay open, but it delivers nothing until ``resume_daemon()``.

        :raises RuntimeError: the daemon has no separate container; see ``with_separate_daemon``
        """
        self._separate_daemon("pause_daemon").pause()

    def resume_daemon(self) -> None:
        """Resumes a paused daemon.

        :raises RuntimeError: the daemon has no separate container; see ``with_separate_daemon``
        """
        self._separate_daemon("resume_daemon").resume()

    def start(self) -> Self:
        """Starts the container and waits until it is ready. Removes everything after a failure.

        :raises NotReady: the sidecar ended or was not ready within a minute
        :raises MissingImage: the Docker engine neither has the image nor can pull it
        """
        if self._wants_separate_daemon and self._daemon_addresses:
            raise ValueError("a separate daemon and daemon addresses cannot be combined: set one of them")
        try:
            if self._wants_separate_daemon:
                self._start_daemon()
            return super().start()
        except BaseException as failure:
            self.stop()
            missing = missing_image(self.image, failure, self._docker_client_kw)
            if missing is not None:
                raise missing from failure
            raise

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:
        """Closes ``client()`` and removes all containers. A second call has no effect."""
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._container is not None:
            super().stop(force, delete_volume)
            self._container = None
            self._cached_container_info = None
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None
        if self._own_network is not None:
            self._own_network.remove()
            self._own_network = None
            self._network = None

    def _configure(self) -> None:
        """Called by ``start()``: sets the values that are known only then."""
        self.with_envs(
            SPREAD_SIDECAR_GRPC_LISTEN=f"0.0.0.0:{GRPC_PORT}",
            SPREAD_SIDECAR_ADMIN_LISTEN=f"0.0.0.0:{ADMIN_PORT}",
            # All connections use a Docker network of the test.
            SPREAD_SIDECAR_INSECURE="true",
            SPREAD_SIDECAR_ADMIN_TOKEN=self._admin_token,
            SPREAD_SIDECAR_ADMIN_FAILURE_INJECTION="true",
        )
        addresses = (self._daemon.in_network,) if self._daemon is not None else self._daemon_addresses
        if addresses:
            self.with_env("SPREAD_SIDECAR_EMBEDDED_DAEMON", "false")
            self.with_env("SPREAD_SIDECAR_DAEMON_ADDRESSES", ",".join(addresses))
            return
        self.with_env("SPREAD_SIDECAR_EMBEDDED_DAEMON", "true")
        self.with_env("SPREAD_SIDECAR_EMBEDDED_LISTEN", f"0.0.0.0:{DAEMON_PORT}")
        self.with_env("SPREAD_SIDECAR_EMBEDDED_SOCKET", "off")
        if self._daemon_name is not None:
            self.with_env("SPREAD_SIDECAR_EMBEDDED_NAME", self._daemon_name)

    def _start_daemon(self) -> None:
        network = self._network
        if network is None:
            network = self._own_network = Network(docker_client_kw=self._docker_client_kw).create()
            self.with_network(network)
        self._daemon = SeparateDaemon(self.image, DAEMON_PORT, self._daemon_name, self._docker_client_kw)
        self._daemon.start_in(network)

    def _published(self, port: int) -> str:
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(port)}"

    def _host_in_network(self) -> str:
        """The host name of this container for other containers: an alias, else its short ID. Without your own
        network, its address.
        """
        if self._network is None:
            return self.get_docker_client().bridge_ip(self.get_container_id())
        return self._network_aliases[0] if self._network_aliases else self.get_container_id()[:12]

    def _need_own_daemon(self, what: str) -> None:
        if self._daemon_addresses:
            raise RuntimeError(
                f"{what} is not available: the sidecar uses the daemon {self._daemon_addresses[0]} from "
                "with_daemon_addresses(); connect to that daemon directly"
            )

    def _separate_daemon(self, what: str) -> SeparateDaemon:
        if self._daemon is None:
            raise RuntimeError(f"{what} needs a daemon in a container of its own: call with_separate_daemon() before start()")
        return self._daemon
