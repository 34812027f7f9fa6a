"""The second half of set-up, once `.venv` is there: Pulumi and the images; `--plan` only says what is missing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from epolab.errors import EpolabError
from epolab.hands import pulumi_engine
from epolab.hands.beside import side_by_side
from epolab.hands.image_store import ImageStore
from epolab.images import ensure_image, image_reference

HERE = Path(__file__).resolve().parent
IMAGES = sorted(path.parent.name for path in HERE.parent.glob("images/*/recipe.yaml"))
BIN = Path(sys.prefix) / "bin"


def missing() -> Iterator[str]:
    """What a run would do, one line each."""
    if not (BIN / "pulumi").exists():
        yield f"Pulumi {pulumi_engine.VERSION}: from the cache or PATH, else its installer, else built (5 minutes)"
    store = ImageStore.connect()
    for name in IMAGES:
        if not store.has(image_reference(name)):
            yield f"build the image {image_reference(name)}"


def provide() -> list[BaseException]:
    """Make what is missing, saying what goes on; Pulumi and the images beside each other: neither needs the other."""
    started = time.monotonic()

    def progress(line: str) -> None:
        print(f"  [{time.monotonic() - started:4.0f} s] {line}", file=sys.stderr, flush=True)

    return side_by_side((provide_pulumi, provide_images), progress)


def provide_pulumi(progress: Callable[[str], None]) -> None:
    """The engine, linked into `.venv`."""
    if not (BIN / "pulumi").exists():
        pulumi_engine.link(pulumi_engine.provide(progress, install_go), BIN)


def provide_images(progress: Callable[[str], None]) -> None:
    """The images of the nodes."""
    for name in IMAGES:
        ensure_image(name, progress)


def install_go() -> None:
    """Any Go will do: it only fetches the pinned one."""
    subprocess.run(["sh", str(HERE / "setup.sh"), "packages", "golang-go"], check=True)


def main() -> int:
    """Plan or provide; an error is said with what to type next."""
    if "--plan" in sys.argv[1:]:
        try:
            for line in missing():
                print(f"  - {line}")
        except EpolabError as error:
            return tell(error)
        return 0
    failures = provide()
    codes = [tell(error) for error in failures if isinstance(error, EpolabError)]
    for error in failures:
        if not isinstance(error, EpolabError):
            raise error
    return max(codes, default=0)


def tell(error: EpolabError) -> int:
    """Say an error with its evidence and what to type next; gives its exit code."""
    for line in error.evidence:
        print(f"    {line}", file=sys.stderr)
    print(f"set-up: {error.message}\n    try: {error.hint}", file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
