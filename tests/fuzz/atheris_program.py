"""One door under atheris: coverage shows it the way in. Arguments: its name, an empty folder, libFuzzer's own.

The folder is the caller's: libFuzzer ends this process without a word to Python, which could remove nothing of it.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["miniepo"]):
    from tests.fuzz.doors import DOORS


def main() -> None:
    name, folder, *options = sys.argv[1:]
    take, seeds = DOORS[name]
    for number, seed in enumerate(seeds):
        (Path(folder) / str(number)).write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, folder], take)
    atheris.Fuzz()


main()
