"""Waits until a sidecar is ready."""

from __future__ import annotations

import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import urlopen

from docker.errors import APIError
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget


class NotReady(RuntimeError):
    """The sidecar ended before it was ready, or was not ready in time. The message contains the sidecar's log."""


class ReadyPage(WaitStrategy):
    """Waits until ``GET /readyz`` answers 200, which includes the daemon.

    Testcontainers' own strategy for HTTP continues after the container has ended. This one stops, so that a mistake
    in the configuration is reported at once.
    """

    def __init__(self, admin_port: int) -> None:
        super().__init__()
        self._port = admin_port
        self.with_startup_timeout(60)
        self.with_poll_interval(0.05)

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        deadline = time.monotonic() + self._startup_timeout
        said = "no response"
        while True:
            container.reload()
            if container.status in ("exited", "dead"):
                raise NotReady(f"the sidecar ended before it was ready\n{log_of(container)}")
            try:
                url = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(self._port)}/readyz"
                with urlopen(url, timeout=1):
                    return
            except HTTPError as refusal:
                said = refusal.read().decode(errors="replace").strip()
            except (OSError, HTTPException, APIError) as failure:
                # The sidecar does not listen yet, or has ended; the next attempt finds out.
                said = str(failure)
            if time.monotonic() >= deadline:
                seconds = f"{self._startup_timeout:g} s"
                raise NotReady(f"the sidecar was not ready within {seconds}: {said}\n{log_of(container)}")
            time.sleep(self._poll_interval)


def log_of(container: WaitStrategyTarget) -> str:
    """The output of the container, for people."""
    return "".join(part.decode(errors="replace") for part in container.get_logs())
