"""`epolab doctor` as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
EPOLAB = Path(sys.prefix) / "bin" / "epolab"
pytestmark = pytest.mark.integration


def doctor(*words: str, **environment: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [EPOLAB, "--json", "doctor", *words], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, document


def test_a_host_that_was_set_up_is_well() -> None:
    code, document = doctor("--for", "topologies/quickstart.yaml")
    assert document["ok"], [check for check in document["checks"] if not check["ok"]]
    assert code == 0
    assert all(set(check) == {"name", "ok", "observed", "hint"} for check in document["checks"])


def test_without_an_engine_it_says_so_and_what_to_type(tmp_path: Path) -> None:
    code, document = doctor(DOCKER_HOST=f"unix://{tmp_path}/no.sock")
    engine = document["checks"][0]
    assert (code, document["ok"], engine["name"], engine["ok"]) == (3, False, "engine", False)
    assert engine["hint"] == "make setup"
