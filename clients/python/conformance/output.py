"""Writes results to standard output, one per line."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, Optional

from translate import DriverError, Json, failure_json

import spread_sidecar

_lock = threading.Lock()


def write(value: Json) -> None:
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"
    with _lock:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def ready() -> None:
    write({"ready": True, "language": "python", "version": spread_sidecar.__version__})


def answer(number: Any, result: Json) -> None:
    write({"id": number, "ok": result})


def failure(number: Any, error: BaseException) -> None:
    if isinstance(error, spread_sidecar.MessagesRefused):
        rejected = {"kind": "rejected", "errors": len(error.errors), "message": error.message}
        write({"id": number, "error": rejected})
    elif isinstance(error, spread_sidecar.SpreadError):
        write({"id": number, "error": failure_json(error)})
    else:
        message = str(error) if isinstance(error, DriverError) else f"{type(error).__name__}: {error}"
        write({"id": number, "error": {"kind": "driver", "message": message}})


def descriptors() -> Optional[int]:
    try:
        # One descriptor is the one that reads the folder.
        return len(os.listdir("/proc/self/fd")) - 1
    except OSError:
        return None
