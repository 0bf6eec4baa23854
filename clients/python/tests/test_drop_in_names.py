"""The drop-in module's names: constants, both forms of import, arguments, environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fake_sidecar import FakeSidecar

import spread

ROOT = Path(__file__).parents[3]


def documented() -> dict[str, int]:
    """All constants and errors of the page that lists Spread's names, with their values."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| `(-?(?:0x)?[0-9a-f]+)` \|", (ROOT / "docs/spread-api.md").read_text(), re.M)
    return {name: int(value, 0) for name, value in rows}


def test_every_constant_of_spread_is_there_with_its_value() -> None:
    constants = documented()
    assert len(constants) > 50
    # Two constants are the wrapper's own, with the values of the wrapper.
    own = {"DEFAULT_BUFFER_SIZE": 10000, "DEFAULT_GROUPS_SIZE": 10}
    # A C int in the wrapper, so that it is negative.
    own["ENDIAN_RESERVED"] = constants["ENDIAN_RESERVED"] - (1 << 32)
    assert {name: getattr(spread, name, None) for name in constants} == {**constants, **own}


def test_everything_is_imported_by_a_star() -> None:
    names: dict[str, object] = {}
    exec("from spread import *", names)
    wanted = {"connect", "version", "error", "SpreadError", "MailboxType", "RegularMsgType", "MembershipMsgType"}
    assert wanted | set(documented()) <= set(names)
    assert names["DEFAULT_BUFFER_SIZE"] == 10000
    assert len(spread.__all__) == len(set(spread.__all__))


@pytest.fixture
def box(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch) -> spread.MailboxType:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    return spread.connect()


class Index:
    """A number of another type, as in numerical libraries."""

    def __index__(self) -> int:
        return spread.SAFE_MESS


def test_numbers_are_converted_as_in_a_c_extension(box: spread.MailboxType) -> None:
    assert box.multicast(Index(), "g", "four", True) == 4  # type: ignore[arg-type]
    for wrong, error in ((0.5, TypeError), ("1", TypeError), (None, TypeError), (1 << 31, OverflowError)):
        with pytest.raises(error):
            box.multicast(spread.SAFE_MESS, "g", "x", wrong)  # type: ignore[arg-type]
        with pytest.raises(error):
            box.multicast(wrong, "g", "x")  # type: ignore[arg-type]


def test_payloads_may_be_anything_that_has_bytes(box: spread.MailboxType) -> None:
    for payload in ("caf\xe9", b"12345", bytearray(5), memoryview(b"12345")):
        assert box.multicast(spread.SAFE_MESS, "g", payload) == 5
    for wrong in (5, None, ["x"], object()):
        with pytest.raises(TypeError):
            box.multicast(spread.SAFE_MESS, "g", wrong)


def test_names_that_are_none(box: spread.MailboxType) -> None:
    for wrong, error in ((None, TypeError), (5, TypeError), ("a\0b", ValueError), ("\udc80", UnicodeEncodeError)):
        for call in (box.join, box.leave, lambda group: box.multicast(spread.SAFE_MESS, group, "x")):
            with pytest.raises(error):
                call(wrong)  # type: ignore[arg-type]


def test_the_private_group_is_of_the_kind_that_senders_are(box: spread.MailboxType) -> None:
    assert box.private_group == "#me#fake"
    box.join(b"g")
    as_senders: object = box.private_group
    assert as_senders == b"#me#fake"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("SPREAD_CLIENT_TEXT", "utf-8", "SPREAD_CLIENT_TEXT must be auto, text, bytes or names; got utf-8"),
        ("SPREAD_SIDECAR_TLS", "maybe", "SPREAD_SIDECAR_TLS must be true, false, 1 or 0; got 'maybe'"),
        ("SPREAD_SIDECAR_TLS_KEY", "/nowhere/key.pem", "SPREAD_SIDECAR_TLS_KEY must be the path of a readable PEM file"),
    ],
)
def test_mistakes_in_the_environment(name: str, value: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(spread.SpreadError, match=text) as caught:
        spread.connect()
    assert len(caught.value.args) == 1


def test_the_token_is_read_before_each_call(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token = tmp_path / "token"
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    monkeypatch.setenv("SPREAD_SIDECAR_TOKEN_FILE", str(token))
    with pytest.raises(spread.SpreadError) as caught:
        spread.version()
    assert caught.value.args[0] == spread.REJECT_AUTH
    for secret in ("one", "two"):
        token.write_text(f"{secret}\n")
        spread.version()
        assert fake.tokens[-1] == f"Bearer {secret}"


def test_the_daemon_that_is_asked_for_may_be_another(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    for setting in (None, "", "4803@other"):
        if setting is not None:
            monkeypatch.setenv("SPREAD_CLIENT_DAEMON", setting)
        spread.connect("4803@named").disconnect()
    assert fake.daemons == ["4803@named", "", "4803@other"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [("elevenchars", "elevenchar"), ("python_user", "python_use"), ("a" * 300, "a" * 10), ("alice", "alice"), ("", "")],
)
def test_a_private_name_is_cut_as_the_c_library_cuts_it(
    given: str, sent: str, fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    spread.connect("", given).disconnect()
    assert fake.connects[0].private_name == sent
    assert fake.connects[0].end_with_connection


@pytest.mark.parametrize("override", [None, "", "4803@other"])
@pytest.mark.parametrize(
    "name", ["4803x", "x", "not a daemon", "4803@", "@host", "4803@ host", "48 03", "4803@" + "h" * 300]
)
def test_a_daemon_name_that_the_c_library_rejects_is_rejected(
    name: str, override: str | None, fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    if override is not None:
        monkeypatch.setenv("SPREAD_CLIENT_DAEMON", override)
    with pytest.raises(spread.SpreadError) as caught:
        spread.connect(name)
    assert caught.value.args[0] == spread.ILLEGAL_SPREAD
    assert fake.daemons == []


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (" 4803@host", "4803@host"),
        ("4803 @host", "4803@host"),
        ("04803@host", "4803@host"),
        ("+4803@host", "4803@host"),
        ("4803@host and more", "4803@host"),
        ("4803 ", "4803"),
        ("4803", "4803"),
        ("4803@::1", "4803@::1"),
        ("/tmp/4803", "/tmp/4803"),
    ],
)
def test_a_daemon_name_is_read_as_the_c_library_reads_it(
    given: str, sent: str, fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    spread.connect(given).disconnect()
    assert fake.daemons == [sent]


def test_the_private_group_may_be_assigned_and_nothing_else(box: spread.MailboxType) -> None:
    mine: object = b"mine"
    box.private_group = mine
    assert box.private_group == mine
    del box.private_group
    nothing: object = box.private_group
    assert nothing is None
    with pytest.raises(AttributeError):
        box.other = 1  # type: ignore[attr-defined]


def test_methods_take_no_keywords(box: spread.MailboxType) -> None:
    calls: list[tuple[str, tuple[object, ...], dict[str, object]]] = [
        ("multicast", (spread.FIFO_MESS, "g", "x"), {"message_type": 3}),
        ("multicast", (spread.FIFO_MESS, "g"), {"message": "x"}),
        ("multigroup_multicast", (spread.FIFO_MESS, ("g",), "x"), {"message_type": 3}),
        ("join", (), {"group": "g"}),
        ("leave", (), {"group": "g"}),
    ]
    for method, args, keywords in calls:
        with pytest.raises(TypeError, match="keyword"):
            getattr(box, method)(*args, **keywords)
