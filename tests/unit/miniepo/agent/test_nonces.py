"""A nonce is good once."""

from pathlib import Path

import pytest

from miniepo.agent.nonces import NonceMemory
from miniepo.errors import ReplayedEnvelopeError
from tests.unit.miniepo.standins import state_directory


def test_a_nonce_is_refused_the_second_time_also_after_a_restart(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    NonceMemory(state).use("n1", 1000.0)
    with pytest.raises(ReplayedEnvelopeError):
        NonceMemory(state).use("n1", 1001.0)


def test_it_is_kept_for_as_long_as_its_envelope_can_be_fresh(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    memory = NonceMemory(state)
    memory.use("n1", 1000.0)
    memory.use("n2", 1599.0)
    assert set(state.nonces) == {"n1", "n2"}
    memory.use("n3", 1601.0)
    assert set(state.nonces) == {"n2", "n3"}
