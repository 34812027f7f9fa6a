"""The agent's own product on the DataChannel, EPOAGENT3000: it answers an `echo` with what it heard."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from miniepo.protocol.datachannel import ChannelMessage


class Echo:
    """Answers each echo once per message, however often it is asked to: the answer's id is made of the question's."""

    def __init__(self, send: Callable[[ChannelMessage], None], computer_name: str) -> None:
        self._send = send
        self._computer_name = computer_name

    async def handle(self, message: ChannelMessage) -> None:
        """Say it back; what is no echo has no answer."""
        if message.kind == "echo":
            payload = {**message.payload, "computer_name": self._computer_name}
            answer = msgspec.structs.replace(message, id=f"{message.id}/echo", kind="echoed", payload=payload)
            self._send(answer)
