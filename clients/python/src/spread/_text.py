"""Text or bytes: what comes in decides what comes out."""

from __future__ import annotations

from typing import Optional, Union

Text = Union[str, bytes]


class TextRule:
    """Which of both a mailbox gives.

    Names come as the program gave its last name, payloads as it gave its last payload; before the first payload as its
    names. Names are bytes in Spread: as text their characters U+0000 to U+00FF are those bytes. Payloads that are text
    are UTF-8; bytes that are not come as lone surrogates, which are sent as the same bytes again.
    """

    def __init__(self, fixed: Optional[bool]) -> None:
        """``fixed``: always text (True), always bytes (False), or by what comes in (None)."""
        self._fixed = fixed
        self._names_are_text = True
        self._payloads_are_text: Optional[bool] = None

    def name_in(self, name: Text, what: str) -> str:
        """A name of the program's, as text."""
        if isinstance(name, str):
            self._names_are_text = True
            return name
        if isinstance(name, (bytes, bytearray)):
            self._names_are_text = False
            return bytes(name).decode("latin-1")
        raise TypeError(f"{what} must be a string, not {type(name).__name__}")

    def payload_in(self, payload: object) -> bytes:
        """A payload of the program's, as bytes."""
        if isinstance(payload, str):
            self._payloads_are_text = True
            return payload.encode("utf-8", "surrogateescape")
        if isinstance(payload, (bytes, bytearray, memoryview)):
            self._payloads_are_text = False
            return bytes(payload)
        raise TypeError(f"message must be a string or bytes, not {type(payload).__name__}")

    def name_out(self, name: str) -> Text:
        return name if self._decide(self._names_are_text) else name.encode("latin-1")

    def names_out(self, names: tuple[str, ...]) -> tuple[Text, ...]:
        return tuple(self.name_out(name) for name in names)

    def payload_out(self, payload: bytes) -> Text:
        given = self._names_are_text if self._payloads_are_text is None else self._payloads_are_text
        return payload.decode("utf-8", "surrogateescape") if self._decide(given) else payload

    def _decide(self, given: bool) -> bool:
        return given if self._fixed is None else self._fixed
