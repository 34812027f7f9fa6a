"""What the probe finds is what the kernel does when asked by hand."""

import json
import subprocess

import pytest

from tests.integration.epolab_fabric.neighbourhood import Neighbourhood

pytestmark = pytest.mark.integration


def test_the_probe_agrees_with_the_kernel(neighbourhood: Neighbourhood) -> None:
    argv = neighbourhood.inside_fabric("epolab_fabric.host_facts")
    facts = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
    neighbourhood.node("scratch")
    by_hand = neighbourhood.argv_in("scratch", ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"])
    assert facts == {"tun": True, "netem": subprocess.run(by_hand, capture_output=True, check=False).returncode == 0}
