"""The shared lab keeps every promise before anything in it is broken."""

import pytest

from epolab.verify.promises import NAMES
from tests.acceptance.verdicts import Examined

pytestmark = pytest.mark.acceptance


def test_the_whole_verdict_is_positive(conversations: Examined) -> None:
    assert {row["promise"] for row in conversations.assert_positive()} == set(NAMES)
