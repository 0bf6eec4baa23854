"""Text or bytes: the type of the program's arguments decides the type of the results."""

from __future__ import annotations

from typing import Optional, Union

Text = Union[str, bytes]

#: The values of SPREAD_CLIENT_TEXT: whether names and payloads are text. None: the arguments decide.
TEXT_MODES: dict[str, tuple[Optional[bool], Optional[bool]]] = {
    "auto": (None, None),
    "text": (True, True),
    "bytes": (False, False),
    "names": (True, False),
}


class TextRule:
    """The types of a mailbox's results.

    Names have the type of the last name that the program gave. Payloads have the type of the last payload, and
    before the first payload the type of names. Names are bytes in Spread: the characters U+0000 to U+00FF of
    text are those bytes. Text payloads are UTF-8. Invalid bytes become lone surrogates, which are converted
    back when they are sent.
    """

    __slots__ = ("_fixed_names", "_fixed_payloads", "gives_bytes", "names_are_text", "payloads_are_text")

    #: Whether returned names are text.
    names_are_text: bool
    #: Whether returned payloads are text.
    payloads_are_text: bool
    #: Whether the last payload that the program gave was bytes. None if there was none.
    gives_bytes: Optional[bool]

    def __init__(self, mode: str) -> None:
        """``mode``: one of TEXT_MODES."""
        self._fixed_names, self._fixed_payloads = TEXT_MODES[mode]
        self.gives_bytes = None
        self.names_are_text = self.payloads_are_text = True
        self.record_name_type(True)

    def record_name_type(self, is_text: bool) -> None:
        """Records the type of a name from the program."""
        self.names_are_text = is_text if self._fixed_names is None else self._fixed_names
        if self.gives_bytes is None:
            self.payloads_are_text = self.names_are_text if self._fixed_payloads is None else self._fixed_payloads

    def record_payload_type(self, is_text: bool) -> None:
        """Records the type of a payload from the program."""
        self.gives_bytes = not is_text
        self.payloads_are_text = is_text if self._fixed_payloads is None else self._fixed_payloads

    def name_in(self, name: object, what: str) -> str:
        """Converts a name from the program to text."""
        if isinstance(name, str):
            # Invalid text raises UnicodeEncodeError, as in every C extension.
            name.encode("utf-8")
            self.record_name_type(True)
            text = name
        elif isinstance(name, (bytes, bytearray)):
            self.record_name_type(False)
            text = bytes(name).decode("latin-1")
        else:
            raise TypeError(f"{what} must be a string, not {type(name).__name__}")
        if "\0" in text:
            raise ValueError(f"{what} has an embedded null character")
        return text

    def payload_in(self, payload: object) -> bytes:
        """Converts a payload from the program to bytes."""
        if isinstance(payload, str):
            encoded = payload.encode("utf-8", "surrogateescape")
            self.record_payload_type(True)
            return encoded
        if isinstance(payload, (bytes, bytearray, memoryview)):
            self.record_payload_type(False)
            return bytes(payload)
        raise TypeError(f"message must be a string or bytes, not {type(payload).__name__}")

    def name_out(self, name: str) -> Text:
        """Converts a name for the program."""
        return name if self.names_are_text else name.encode("latin-1")

    def names_out(self, names: tuple[str, ...]) -> tuple[Text, ...]:
        """Converts names for the program."""
        return names if self.names_are_text else tuple([name.encode("latin-1") for name in names])

    def payload_out(self, payload: bytes) -> Text:
        """Converts a payload for the program."""
        return payload.decode("utf-8", "surrogateescape") if self.payloads_are_text else payload
