"""Checks arguments in the same way as a C extension."""

from __future__ import annotations

import operator
from typing import Mapping, Sequence


def to_int(value: object, what: str) -> int:
    """A C int. Raises TypeError for other types, and OverflowError for numbers out of range."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{what} must be an integer, not {type(value).__name__}") from None
    if not -0x80000000 <= number <= 0x7FFFFFFF:
        raise OverflowError(f"{what} does not fit in a C int: {number}")
    return number


def to_int16(value: object, what: str) -> int:
    """A C short. The C library uses only the low 16 bits."""
    return (to_int(value, what) + 0x8000 & 0xFFFF) - 0x8000


def bind(
    function: str, parameters: Sequence[tuple[str, ...]], args: tuple[object, ...], keywords: Mapping[str, object]
) -> dict[str, object]:
    """The arguments by the first name of each parameter. A parameter may have several names."""
    if len(args) > len(parameters):
        raise TypeError(f"{function}() takes at most {len(parameters)} arguments ({len(args)} given)")
    given = {names[0]: value for names, value in zip(parameters, args)}
    for keyword, value in keywords.items():
        names = next((names for names in parameters if keyword in names), None)
        if names is None:
            raise TypeError(f"{function}() got an unexpected keyword argument '{keyword}'")
        if names[0] in given:
            raise TypeError(f"{function}() got multiple values for argument '{names[0]}'")
        given[names[0]] = value
    return given
