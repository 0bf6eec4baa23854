"""The README's code is code that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import spread_sidecar_testcontainers

HOME = Path(__file__).parent.parent
BLOCKS = re.findall(r"^```python\n(.*?)^```", (HOME / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0].strip())
def test_every_block_is_cut_from_a_test(block: str) -> None:
    assert any(block.strip() in test.read_text() for test in (HOME / "tests").glob("test_sample*.py"))


def test_there_are_blocks() -> None:
    assert len(BLOCKS) == 3


def test_the_package_has_its_version() -> None:
    metadata = (HOME / "pyproject.toml").read_text()
    assert f'\nversion = "{spread_sidecar_testcontainers.__version__}"\n' in metadata
