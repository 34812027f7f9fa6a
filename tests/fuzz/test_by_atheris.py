"""Every door under coverage-guided fuzzing: a fixed seed and number of runs, a limit on memory and on each run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.doors import DOORS

pytest.importorskip("atheris", reason="atheris has no wheel for this Python or machine")
ROOT = Path(__file__).parents[2]
RUNS = 20_000
MAX_BYTES = 4096
MEMORY_MIB = 512
ONE_RUN_SECONDS = 5


@pytest.mark.parametrize("name", DOORS)
def test_a_door_stands(name: str, tmp_path: Path) -> None:
    """No crash, no hang, no unbounded memory in all the runs."""
    corpus, crashes = tmp_path / "corpus", tmp_path / "crashes"
    corpus.mkdir()
    crashes.mkdir()
    command = [sys.executable, "-m", "tests.fuzz.atheris_program", name, str(corpus), f"-runs={RUNS}", "-seed=7"]
    limits = [f"-max_len={MAX_BYTES}", f"-rss_limit_mb={MEMORY_MIB}", f"-timeout={ONE_RUN_SECONDS}"]
    kept = [f"-artifact_prefix={crashes}/", "-print_final_stats=1"]
    ran = subprocess.run([*command, *limits, *kept], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, f"{ran.stderr[-3000:]}\n{[each.read_bytes() for each in crashes.iterdir()]}"
    done = re.search(r"number_of_executed_units: (\d+)", ran.stderr)
    assert done is not None and int(done[1]) >= RUNS, ran.stderr[-500:]
