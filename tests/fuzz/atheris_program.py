"""One door under atheris: coverage shows it the way in. Arguments: the door's name, then libFuzzer's own."""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["miniepo"]):
    from tests.fuzz.doors import DOORS


def main() -> None:
    take, seeds = DOORS[sys.argv[1]]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for number, seed in enumerate(seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *sys.argv[2:], folder], take)
        atheris.Fuzz()


main()
