from __future__ import annotations

from collections.abc import Iterator

import pytest

from spread_sidecar_testcontainers import DEFAULT_IMAGE, SpreadSidecarContainer


@pytest.fixture(scope="session")
def image() -> str:
    return DEFAULT_IMAGE


@pytest.fixture(scope="module")
def sidecar(image: str) -> Iterator[SpreadSidecarContainer]:
    """A sidecar for the tests that do not change it."""
    with SpreadSidecarContainer(image) as container:
        yield container
