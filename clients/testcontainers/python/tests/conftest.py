from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from spread_sidecar_testcontainers import SpreadSidecarContainer


@pytest.fixture(scope="session")
def image() -> str:
    return os.environ.get("SPREAD_SIDECAR_IMAGE", "spread-sidecar:test")


@pytest.fixture(scope="module")
def sidecar(image: str) -> Iterator[SpreadSidecarContainer]:
    """One for the tests that change nothing of it."""
    with SpreadSidecarContainer(image) as container:
        yield container
