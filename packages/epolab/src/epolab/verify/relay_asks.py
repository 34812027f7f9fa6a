"""Requests to relays, made by a client on their segment, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from epolab.model.node import Node
from epolab.verify.relay_plan import Ask
from epolab.verify.witness import Witness

RELAY_PROGRAM = resources.files("epolab.verify").joinpath("relay_program.py").read_text()
MORE_ROUNDS = 2
"""Where a line loses packets, or the machine stands still for two seconds, a relay says that it reaches nobody, or
says nothing in time. Whatever else it says, or a site behind it shows, counts at once."""
UNREACHABLE, IN_SILENCE = "unreachable", "TimeoutError: "

Said = tuple[Ask, dict[str, Any]]


def answers_to(witness: Witness, client: Node, asks: Sequence[Ask]) -> list[Said]:
    """What came of these requests, made by a client all at once."""
    said = witness.python(client.path, RELAY_PROGRAM, [ask.to_document() for ask in asks])
    return list(zip(asks, said, strict=True))


def patient_answers_to(witness: Witness, client: Node, asks: Sequence[Ask]) -> list[Said]:
    """The same, and who was not reached is asked for again: only a site that is never reached is out of reach."""
    found = dict(answers_to(witness, client, asks))
    for _ in range(MORE_ROUNDS):
        left = [ask for ask, said in found.items() if _is_unreached(said)]
        if not left:
            break
        found.update(answers_to(witness, client, left))
    return list(found.items())


def _is_unreached(said: Mapping[str, Any]) -> bool:
    """Whether a request came to nothing because somebody was not reached in time."""
    silent = not said["code"] and str(said["text"]).startswith(IN_SILENCE)
    return not said["ok"] and (said["code"] == UNREACHABLE or silent)
