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
    """A sidecar in a container. It uses its embedded Spread daemon, unless an option says otherwise.

    ``start()`` waits until the sidecar is ready, and ``stop()`` removes everything that ``start()`` created. A ``with``
    block calls both. All methods of ``DockerContainer`` are available. Set options before ``start()``.

    :param image: the sidecar's image. Default: ``DEFAULT_IMAGE``
    :param kwargs: other arguments of ``DockerContainer``
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
        """Sets the sidecar's configuration, as YAML text or as a mapping with the keys of the YAML file.

        The listen addresses, daemon, TLS and token that this module sets override the configuration. You can set
        single options with ``with_env("SPREAD_SIDECAR_…", …)``.
        """
        # JSON is valid YAML.
        text = config if isinstance(config, str) else json.dumps(config)
        self.with_copy_into_container(text.encode(), _CONFIG_PATH)
        return self.with_env("SPREAD_SIDECAR_CONFIG", _CONFIG_PATH)

    def with_daemon_name(self, name: str) -> Self:
        """Sets the name of the embedded daemon. Default: ``localhost``.

        The name is the last part of a private group such as ``#alice#localhost``.
        """
        self._daemon_name = name
        return self

    def with_daemon_addresses(self, *addresses: str) -> Self:
        """Makes the sidecar use these Spread daemons instead of its embedded daemon.

        Each address has the form ``port@host``. The container must be able to reach it.
        """
        self._daemon_addresses = addresses
        return self

    def with_separate_daemon(self) -> Self:
        """Runs the daemon in a second container of the same image, so that a test can pause the daemon."""
        self._wants_separate_daemon = True
        return self

    def with_tls(
        self,
        certificate: Path | bytes,
        key: Path | bytes,
        ca: Path | bytes | None = None,
        server_name: str = "localhost",
    ) -> Self:
        """Makes the sidecar use TLS. A ``Path`` is a PEM file, and bytes are PEM.

        :param certificate: the sidecar's certificate
        :param key: the private key of the certificate
        :param ca: the certificate authority that ``client()`` trusts. Default: ``certificate``
        :param server_name: the name in the certificate that ``client()`` expects. It does not depend on the host on
            which Docker publishes ports
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
        """Sets the client token, at least 16 characters. ``client()`` sends the token."""
        self._token = token
        return self.with_env("SPREAD_SIDECAR_GRPC_TOKENS", token)

    @property
    def grpc_target(self) -> str:
        """The address of the gRPC service, ``host:port``, for programs outside of Docker."""
        return self._published(GRPC_PORT)

    @property
    def metrics_url(self) -> str:
        """URL of the metrics, for programs outside of Docker."""
        return f"http://{self._published(ADMIN_PORT)}/metrics"

    @property
    def admin_token(self) -> str:
        """The admin token, a random value for each container. ``list_mailboxes`` needs it."""
        return self._admin_token

    @property
    def spread_daemon(self) -> str:
        """The daemon's Spread name, ``port@host``, for native Spread clients outside of Docker.

        :raises RuntimeError: ``with_daemon_addresses`` was called
        """
        self._need_own_daemon("spread_daemon")
        if self._daemon is not None:
            return self._daemon.published
        return f"{self.get_exposed_port(DAEMON_PORT)}@{self.get_container_host_ip()}"

    @property
    def spread_daemon_in_network(self) -> str:
        """The daemon's Spread name for containers in the sidecar's Docker network.

        :raises RuntimeError: ``with_daemon_addresses`` was called
        """
        self._need_own_daemon("spread_daemon_in_network")
        if self._daemon is not None:
            return self._daemon.in_network
        return f"{DAEMON_PORT}@{self._host_in_network()}"

    def client_options(self) -> SidecarOptions:
        """The target, TLS and token as client options, to call ``SpreadSidecar`` or ``connect`` yourself."""
        options = SidecarOptions(target=self.grpc_target)
        if self._tls is not None:
            options["tls"] = self._tls
        if self._token is not None:
            options["token"] = self._token
            # Docker may be on another machine, but the token is only for this test.
            options["insecure"] = self._tls is None
        return options

    def client(self) -> SpreadSidecar:
        """A client for this sidecar. Each call returns the same client. ``stop()`` closes the client."""
        if self._client is None:
            self._client = SpreadSidecar(**self.client_options())
        return self._client

    def drop_mailbox(self, mailbox: str) -> None:
        """Closes a mailbox's connection to its daemon, as if the daemon had closed it.

        With ``reconnect``, the mailbox receives ``ConnectionLost`` and then ``ConnectionRestored``. Without
        ``reconnect``, the mailbox ends with ``CONNECTION_CLOSED``.

        :param mailbox: its mailbox ID, display ID or private group
        :raises RuntimeError: the mailbox does not exist or is not connected
        """
        page = f"http://{self._published(ADMIN_PORT)}/drop-mailbox?mailbox={quote(mailbox, safe='')}"
        headers = {"authorization": f"Bearer {self._admin_token}"}
        try:
            with urlopen(Request(page, method="POST", headers=headers), timeout=10):
                pass
        except HTTPError as refusal:
            said = refusal.read().decode(errors="replace").strip()
            raise RuntimeError(f"mailbox {mailbox} was not dropped: {said}") from None

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
        """Starts the container and waits until the sidecar is ready.

        If ``start()`` fails, it removes everything that it created.

        :raises NotReady: the sidecar ended or was not ready within a minute
        :raises MissingImage: the engine does not have the image and cannot pull it
        """
        if self._wants_separate_daemon and self._daemon_addresses:
            raise ValueError("with_separate_daemon and with_daemon_addresses are both set; set only one of them")
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
        """Closes ``client()`` and removes everything that ``start()`` created. A second call has no effect."""
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
        """Sets the options whose values are known only at the start. ``start()`` calls this method."""
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
        """The host name of this container for other containers: an alias or the short ID. On Docker's default
        network, containers have no names. There, the IP address.
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
            raise RuntimeError(f"{what}() requires a separate daemon; call with_separate_daemon() before start()")
        return self._daemon
