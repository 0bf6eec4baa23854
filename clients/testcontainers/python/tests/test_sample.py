"""A test as users of the module write it. The README shows it."""

from spread_sidecar import AGREED_MESS, RegularMessage

from spread_sidecar_testcontainers import SpreadSidecarContainer


def test_a_greeting_reaches_the_group() -> None:
    with SpreadSidecarContainer() as sidecar:
        with sidecar.client().connect(private_name="alice") as alice:
            alice.join("greetings", await_view=True)
            alice.multicast(AGREED_MESS, "greetings", "hello, group", 7)

            messages = (event for event in alice if isinstance(event, RegularMessage))
            message = next(messages)
            assert (message.sender, message.text()) == ("#alice#localhost", "hello, group")
