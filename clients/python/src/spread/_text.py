"""Text or bytes: the type of the program's input decides the type of its output."""

from __future__ import annotations

from typing import Optional, Union

Text = Union[str, bytes]

#: The values of SPREAD_CLIENT_TEXT: whether names, and whether payloads, are text; None: what comes in decides.
TEXT_MODES: dict[str, tuple[Optional[bool], Optional[bool]]] = {
    "auto": (None, None),
    "text": (True, True),
    "bytes": (False, False),
    "names": (True, False),
}


class TextRule:
    """Whether a mailbox returns text or bytes.

    Names have the type of the program's last name, and payloads that of its last payload. Before the first payload,
    payloads have the type of names. Names are bytes in Spread; as text, their characters U+0000 to U+00FF are those
    bytes. Payloads as text are UTF-8. Other bytes become lone surrogates, which are sent as the same bytes again.
    """

    __slots__ = ("_fixed_names", "_fixed_payloads", "gives_bytes", "names_are_text", "payloads_are_text")

    #: Whether names come out as text.
    names_are_text: bool
    #: Whether payloads come out as text.
    payloads_are_text: bool
    #: Whether the last payload that the program gave was bytes; None: it gave none.
    gives_bytes: Optional[bool]

    def __init__(self, mode: str) -> None:
        """``mode``: one of TEXT_MODES."""
        self._fixed_names, self._fixed_payloads = TEXT_MODES[mode]
        self.gives_bytes = None
        self.names_are_text = self.payloads_are_text = True
        self.heard_name(True)

    def heard_name(self, is_text: bool) -> None:
        """Records the type of a name of the program."""
        self.names_are_text = is_text if self._fixed_names is None else self._fixed_names
        if self.gives_bytes is None:
            self.payloads_are_text = self.names_are_text if self._fixed_payloads is None else self._fixed_payloads

    def heard_payload(self, is_text: bool) -> None:
        """Records the type of a payload of the program."""
        self.gives_bytes = not is_text
        self.payloads_are_text = is_text if self._fixed_payloads is None else self._fixed_payloads

    def name_in(self, name: object, what: str) -> str:
        """A name of the program, as text."""
        if isinstance(name, str):
            # What is no text at all is a UnicodeEncodeError, as in every extension that is written in C.
            name.encode("utf-8")
            self.heard_name(True)
            text = name
        elif isinstance(name, (bytes, bytearray)):
            self.heard_name(False)
            text = bytes(name).decode("latin-1")
        else:
            raise TypeError(f"{what} must be a string, not {type(name).__name__}")
        if "\0" in text:
            raise ValueError(f"{what} has an embedded null character")
        return text

    def payload_in(self, payload: object) -> bytes:
        """A payload of the program, as bytes."""
        if isinstance(payload, str):
            encoded = payload.encode("utf-8", "surrogateescape")
            self.heard_payload(True)
            return encoded
        if isinstance(payload, (bytes, bytearray, memoryview)):
            self.heard_payload(False)
            return bytes(payload)
        raise TypeError(f"message must be a string or bytes, not {type(payload).__name__}")

    def name_out(self, name: str) -> Text:
        """A name in the program's type."""
        return name if self.names_are_text else name.encode("latin-1")

    def names_out(self, names: tuple[str, ...]) -> tuple[Text, ...]:
        """Names in the program's type."""
        return names if self.names_are_text else tuple([name.encode("latin-1") for name in names])

    def payload_out(self, payload: bytes) -> Text:
        """A payload in the program's type."""
        return payload.decode("utf-8", "surrogateescape") if self.payloads_are_text else payload
