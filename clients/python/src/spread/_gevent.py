"""gRPC under gevent. Without gRPC's own support for gevent, its waits block every greenlet."""

from __future__ import annotations

import importlib
import sys

from ._errors import SpreadError


def check_gevent() -> None:
    """Raises SpreadError if gevent has patched the threads of this program without gRPC's support.

    Otherwise the first call would never return.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return
    # The only place where gRPC says so.
    cygrpc = importlib.import_module("grpc._cython.cygrpc")
    if not getattr(cygrpc, "g_gevent_activated", True):
        raise SpreadError(
            "gevent has patched this program and gRPC does not support it yet: call "
            "grpc.experimental.gevent.init_gevent() after gevent.monkey.patch_all() and before connect()"
        )
