"""Settings of a lab that is declared in tests."""

import pytest

from epolab.components.settings import LabSettings


@pytest.fixture(name="settings")
def settings_fixture() -> LabSettings:
    images = {"fabric": "epolab/fabric:1", "node": "epolab/node:1", "vm": "epolab/vm:1"}
    return LabSettings("lab", "me", "2026-01-01T00:00:00Z", None, images, True, {"hq-tokyo": "cable"})
