"""The examples of the client rules, which are common to all languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[3] / "test" / "conformance" / "rules"

Json = dict[str, Any]


class Members:
    """The members of an object of an example. A test takes each one, so that unknown members fail."""

    def __init__(self, members: Json) -> None:
        self._left = dict(members)

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str) -> Any:
        """A required member."""
        return self._left.pop(name)

    def get(self, name: str, default: Any = None) -> Any:
        """An optional member."""
        return self._left.pop(name, default)

    def end(self) -> None:
        """Fails if a member was not taken."""
        assert not self._left, f"unknown members: {sorted(self._left)}"


def file_names() -> set[str]:
    """The names of all files with examples."""
    return {file.name for file in _FOLDER.glob("*.json")}


def examples_of(file_name: str) -> list[Json]:
    """The examples of a file."""
    content = Members(json.loads((_FOLDER / file_name).read_text("utf-8")))
    examples: list[Json] = content.take("examples")
    content.end()
    assert examples, f"{file_name} has no examples"
    return examples
