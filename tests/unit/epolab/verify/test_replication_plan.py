"""Whom the checks of a replication are about, and that the plans of checks need nothing of the lab."""

import subprocess
import sys

import pytest

from epolab.topology import load_text
from epolab.verify.replication_plan import replication_subjects

LAB = b"""epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      sa: {components: superagent}
      pc: {components: agent}
  far:
    networks: {lan: {}, office: {}}
    nodes:
      sb: {components: superagent, network: lan}
      pc: {components: agent, network: lan}
      pd: {components: agent, network: office}
wan: [{between: [hq, far]}]
"""


def test_subjects_are_remote_repositories_and_each_agent_of_their_segments() -> None:
    topology = load_text(LAB, "lab.yaml").topology
    assert topology is not None
    assert replication_subjects(topology) == {
        "remote_repository": ("far/sb",),
        "client": ("hq/sa", "hq/pc", "far/sb", "far/pc"),
    }


@pytest.mark.parametrize("plan", ["absent", "firewall_plan", "line_time", "relay_plan", "replication_plan"])
def test_plans_are_made_without_what_looks_at_a_lab(plan: str) -> None:
    look = f"import sys, epolab.verify.{plan}; print(*({{'testinfra', 'docker', 'paramiko'}} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
