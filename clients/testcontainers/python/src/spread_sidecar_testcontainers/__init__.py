"""Testcontainers module of spread-sidecar. Start with ``SpreadSidecarContainer``."""

from __future__ import annotations

from .container import ADMIN_PORT, DAEMON_PORT, GRPC_PORT, SpreadSidecarContainer
from .image import DEFAULT_IMAGE, MissingImage
from .ready import NotReady

__version__ = "0.1.0"

__all__ = [
    "ADMIN_PORT",
    "DAEMON_PORT",
    "DEFAULT_IMAGE",
    "GRPC_PORT",
    "MissingImage",
    "NotReady",
    "SpreadSidecarContainer",
]
