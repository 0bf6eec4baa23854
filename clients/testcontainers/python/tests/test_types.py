"""The hand-written code passes the strictest type checks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_mypy(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
