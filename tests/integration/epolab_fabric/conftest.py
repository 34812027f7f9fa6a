"""A neighbourhood for each test."""

import os
from collections.abc import Iterator

import pytest

from tests.integration.epolab_fabric.neighbourhood import Neighbourhood


@pytest.fixture
def neighbourhood() -> Iterator[Neighbourhood]:
    if os.geteuid() != 0:
        pytest.skip("only root may make network namespaces")
    made = Neighbourhood()
    try:
        yield made
    finally:
        made.close()
