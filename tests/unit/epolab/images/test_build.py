"""An image is made once, of what its recipe says, and a half-made one is never used."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from epolab.hands.cache import Cache
from epolab.hands.image_store import ImageSettings, ImageStore
from epolab.images.build import ensure_image, image_reference, root_request, site_packages
from epolab.images.recipe import Container, PythonPackages, Recipe


class EngineOfImages(ImageStore):
    """Remembers what it was asked to make."""

    def __init__(self, *there: str) -> None:
        self.there = set(there)
        self.made: list[tuple[str, str]] = []

    def size(self, reference: str) -> int | None:
        return 1 if reference in self.there else None

    def import_root(self, root: Path, reference: str, settings: ImageSettings) -> None:
        self.made.append((reference, root.name))
        self.there.add(reference)

    def extend(self, base: str, reference: str, files: bytes, commands: Sequence[str], settings: ImageSettings) -> None:
        self.made.append((reference, base))
        self.there.add(reference)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, text in {
        "node": "recipe: 1\nsuite: bookworm\ncontainer: {command: [/init]}\n",
        "fabric": "recipe: 1\nfrom: node\ncontainer: {command: [/init]}\n",
    }.items():
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "recipe.yaml").write_text(text)
    return tmp_path


def ensure(name: str, repository: Path, engine: EngineOfImages, **wanted: bool) -> str:
    cache = Cache("images", repository / "cache")
    return ensure_image(name, repository=repository, store=engine, cache=cache, **wanted).reference


def kept_root(repository: Path, name: str) -> None:
    entry = repository / "cache/images" / image_reference(name, repository).removeprefix("epolab/").replace(":", "-")
    entry.mkdir(parents=True)
    (entry / "rootfs.tar").write_bytes(b"tar")


def test_an_image_the_engine_has_is_not_made_again(repository: Path) -> None:
    reference = image_reference("node", repository)
    engine = EngineOfImages(reference)
    assert ensure("node", repository, engine) == reference
    assert engine.made == []


def test_a_root_in_the_cache_is_imported_not_built(repository: Path) -> None:
    kept_root(repository, "node")
    engine = EngineOfImages()
    reference = ensure("node", repository, engine, with_root=True)
    assert engine.made == [(reference, "rootfs.tar")]


def test_an_image_from_another_brings_that_one_along(repository: Path) -> None:
    kept_root(repository, "node")
    engine = EngineOfImages()
    fabric = ensure("fabric", repository, engine)
    node = image_reference("node", repository)
    assert engine.made == [(node, "rootfs.tar"), (fabric, node)]


def test_a_change_of_the_base_renames_what_is_made_of_it(repository: Path) -> None:
    before = image_reference("fabric", repository)
    (repository / "images/node/recipe.yaml").write_text("recipe: 1\nsuite: trixie\ncontainer: {command: [/init]}\n")
    assert image_reference("fabric", repository) != before


def test_the_order_to_make_a_root_puts_files_before_finishing(tmp_path: Path) -> None:
    python = PythonPackages("3.11", "node.lock", "/opt/venv")
    recipe = Recipe("node", tmp_path, Container(("/init",)), suite="bookworm", python=python, finish=("a 'b'",))
    request = root_request(recipe, tmp_path / "files.tar", "deb x\n", None)
    assert request.hooks == [
        'chroot "$1" python3 -m venv --without-pip /opt/venv',
        f"tar-in {tmp_path}/files.tar /",
        'chroot "$1" python3 -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib',
        "chroot \"$1\" sh -ec 'a '\"'\"'b'\"'\"''",
    ]
    assert site_packages(python) == "/opt/venv/lib/python3.11/site-packages"
