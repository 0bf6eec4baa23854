"""Environment variables as the defaults of a channel: the shared cases of all clients, for both APIs."""

from __future__ import annotations

import asyncio
import json
import traceback
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from fake_sidecar import FakeSidecar

import spread_sidecar as s
from spread_sidecar import aio
from spread_sidecar._core.environment import complete_options
from spread_sidecar.options import DEFAULT_TARGET, SidecarOptions

SHARED = json.loads((Path(__file__).parents[3] / "test/conformance/environment.json").read_text())
VARIABLES = {name for case in SHARED["cases"] for name in case["environment"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in SHARED["files"].items():
        (tmp_path / name).write_text(text)
    return tmp_path


def plain(options: SidecarOptions) -> dict[str, Any]:
    """The options that the shared cases compare."""
    tls, token = options.get("tls"), options.get("token")
    return {
        "target": options.get("target", DEFAULT_TARGET),
        "tls": None
        if not isinstance(tls, s.TlsOptions)
        else {
            "ca": text(tls.ca),
            "cert": text(tls.cert),
            "key": text(tls.key),
            "serverName": tls.server_name,
        },
        "token": token() if callable(token) else token,
        "insecure": options.get("insecure", False),
    }


def text(pem: Any) -> Optional[str]:
    return pem.decode() if isinstance(pem, bytes) else pem


@pytest.mark.parametrize("case", SHARED["cases"], ids=lambda case: case["name"])
def test_the_shared_cases(case: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {name: value.replace("FOLDER", str(folder)) for name, value in case["environment"].items()}
    given: SidecarOptions = case["given"]
    if "error" not in case:
        assert plain(complete_options(given, environment)) == case["expected"]
        return
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if case["error"]["at"] == "call":
        expect_error(case, lambda: plain(complete_options(given, environment)))
        return
    expect_error(case, lambda: s.SpreadSidecar(**given))
    expect_error(case, lambda: aio.SpreadSidecar(**given))


def expect_error(case: dict[str, Any], failing: Callable[[], object]) -> None:
    error = case["error"]
    with pytest.raises(s.SpreadError) as caught:
        failing()
    assert error["message"] in caught.value.message
    assert caught.value.reason == "FIELD_INVALID"
    if "field" in error:
        assert caught.value.metadata["field"] == error["field"]


def test_tls_of_the_program_replaces_that_of_the_environment(folder: Path) -> None:
    environment = {"SPREAD_SIDECAR_TLS": "true", "SPREAD_SIDECAR_TLS_CA": str(folder / "ca.pem")}
    given: SidecarOptions = {"tls": False}
    assert complete_options(given, environment).get("tls") is False


def test_both_apis_read_the_environment(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    token = folder / "token"
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    monkeypatch.setenv("SPREAD_SIDECAR_TOKEN_FILE", str(token))

    async def ask() -> None:
        async with aio.SpreadSidecar() as sidecar:
            await sidecar.version()

    with s.SpreadSidecar() as sidecar:
        assert sidecar.target == fake.target
        for secret in ("one", "two"):
            token.write_text(f"{secret}\n")
            sidecar.version()
            asyncio.run(ask())
            assert fake.tokens[-2:] == [f"Bearer {secret}"] * 2
        token.unlink()
        with pytest.raises(s.SpreadError, match="SPREAD_SIDECAR_TOKEN_FILE") as caught:
            sidecar.version()
        assert (caught.value.status, caught.value.outcome) == ("UNAUTHENTICATED", "not-sent")
        with pytest.raises(s.SpreadError) as async_caught:
            asyncio.run(ask())
        for error in (caught.value, async_caught.value):
            report = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            assert report.count("SpreadError: ") == 1


def test_the_page_has_every_variable() -> None:
    page = (Path(__file__).parents[3] / "docs/client-environment.md").read_text()
    assert {name for name in VARIABLES if f"`{name}`" not in page} == set()
