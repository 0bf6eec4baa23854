from __future__ import annotations

import os
import threading
import time
from typing import Iterator

import pytest
from fake_sidecar import FakeSidecar


@pytest.fixture
def fake() -> Iterator[FakeSidecar]:
    sidecar = FakeSidecar()
    yield sidecar
    sidecar.stop()


@pytest.fixture
def target() -> str:
    """A real sidecar."""
    target = os.environ.get("SPREAD_SIDECAR_TARGET", "")
    if not target:
        pytest.skip("needs a sidecar: its target in SPREAD_SIDECAR_TARGET")
    return target


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """Fails a test that leaves threads."""

    def threads() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if not thread.name.startswith("fake-sidecar")}

    before = threads()
    yield
    deadline = time.monotonic() + 5
    while (left := threads() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, f"threads left: {left}"
