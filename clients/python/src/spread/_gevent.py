"""gRPC needs a setting under gevent. Otherwise its waits block all greenlets."""

from __future__ import annotations

import importlib
import sys

from ._errors import SpreadError


def check_gevent() -> None:
    """Raises SpreadError if gevent has patched the threads of this program but gRPC is not prepared for gevent.

    The first call would then wait forever.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return
    # Only this module of gRPC has the setting.
    cygrpc = importlib.import_module("grpc._cython.cygrpc")
    if not getattr(cygrpc, "g_gevent_activated", True):
        raise SpreadError(
            "gevent has patched this program, but gRPC is not initialized for gevent; call "
            "grpc.experimental.gevent.init_gevent() after gevent.monkey.patch_all() and before connect()"
        )
