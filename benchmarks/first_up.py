"""The first `make up` on a machine where nothing of the project is installed: set-up, the quickstart lab, its verdict.

Promise: at most 20 minutes. Run it in a fresh clone, after `make uninstall` in an older one; it refuses where the first
time is over. It needs nothing but Python.

    sudo python3 benchmarks/first_up.py
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "epolab"
MADE_BY_SETUP = (ROOT / ".venv", CACHE, Path("/var/lib/epolab"))
BOUND_SECONDS = 20 * 60


def main() -> int:
    there = [str(path) for path in MADE_BY_SETUP if path.exists()]
    if there:
        print(f"not the first time: {', '.join(there)} is there; `make uninstall` takes it away", file=sys.stderr)
        return 2
    for program in ("dockerd", "mmdebstrap", "qemu-img"):
        found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        print(f"{program}: {'installed already' if found else 'to be installed'}")
    started = time.monotonic()
    ran = subprocess.run(["make", "up"], cwd=ROOT, stdin=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    held = ran.returncode == 0 and seconds <= BOUND_SECONDS
    verdict = "holds" if held else "DOES NOT HOLD"
    print(f"first make up: {seconds:.0f} s, exit code {ran.returncode}, bound {BOUND_SECONDS} s: {verdict}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
