"""Building an image when the engine does not have it: a new root file system, or another image with more on top."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from epolab.errors import CommandFailedError, HostError, ImageBuildError
from epolab.hands import debian
from epolab.hands.cache import Cache
from epolab.hands.image_store import ImageSettings, ImageStore
from epolab.images.content import EPOCH, Entry, archive, read_tree
from epolab.images.digest import digest, short
from epolab.images.recipe import PythonPackages, Recipe, read_recipe
from epolab.images.sources import debian_sources

REPOSITORY = Path(__file__).resolve().parents[5]
ROOT_INSIDE = "/vm/root.tar"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image the engine has; `root` is its file system as a tar, None where that is not kept."""

    reference: str
    digest: str
    root: Path | None


def image_reference(name: str, repository: Path = REPOSITORY) -> str:
    """The name an image has or will have, `epolab/<name>:<12 digits>`."""
    return f"epolab/{name}:{short(image_digest(name, repository))}"


def image_digest(name: str, repository: Path = REPOSITORY) -> str:
    """The whole digest of one of the repository's images."""
    recipe = read_recipe(repository / "images" / name)
    return digest(recipe, repository, _base_identity(recipe, repository), os.uname().machine)


def ensure_image(
    name: str,
    progress: Progress = lambda _line: None,
    *,
    with_root: bool = False,
    repository: Path = REPOSITORY,
    store: ImageStore | None = None,
    cache: Cache | None = None,
) -> BuiltImage:
    """The image, built now if the engine does not have it; ImageBuildError if that fails.

    `with_root` asks for the root file system's tar as well, which a virtual machine's disk is made from.
    """
    builder = _Builder(repository, store or ImageStore.connect(), cache or Cache("images"), progress)
    return builder.ensure(read_recipe(repository / "images" / name), with_root)


class _Builder:
    def __init__(self, repository: Path, store: ImageStore, cache: Cache, progress: Progress) -> None:
        self._repository = repository
        self._store = store
        self._cache = cache
        self._progress = progress

    def ensure(self, recipe: Recipe, with_root: bool = False) -> BuiltImage:
        full = image_digest(recipe.name, self._repository)
        reference = f"epolab/{recipe.name}:{short(full)}"
        if recipe.base:
            return self._extended(recipe, reference, full)
        return self._rooted(recipe, reference, full, with_root)

    def _rooted(self, recipe: Recipe, reference: str, full: str, with_root: bool) -> BuiltImage:
        key = f"{recipe.name}-{short(full)}"
        kept = self._cache.find(key)
        if self._store.has(reference) and (kept or not with_root):
            return BuiltImage(reference, full, kept and kept / "rootfs.tar")
        entry = self._cache.make(key, lambda folder: self._make_root(recipe, folder))
        root = entry / "rootfs.tar"
        with self._cache.busy(f"engine-{key}"):
            if not self._store.has(reference):
                self._progress(f"importing {reference}")
                self._store.import_root(root, reference, _settings(recipe, full))
        return BuiltImage(reference, full, root)

    def _extended(self, recipe: Recipe, reference: str, full: str) -> BuiltImage:
        if self._store.has(reference):
            return BuiltImage(reference, full, None)
        base = self._base(recipe)
        with self._cache.busy(f"engine-{recipe.name}-{short(full)}"):
            if not self._store.has(reference):
                self._progress(f"building {reference} from {base}")
                files = archive(_files(recipe, self._repository))
                self._store.extend(base, reference, files, recipe.finish, _settings(recipe, full))
        return BuiltImage(reference, full, None)

    def _base(self, recipe: Recipe) -> str:
        folder = self._repository / "images" / recipe.base
        return self.ensure(read_recipe(folder)).reference if folder.is_dir() else recipe.base

    def _make_root(self, recipe: Recipe, folder: Path) -> None:
        log = folder / "build.log"
        with TemporaryDirectory(prefix="epolab-files-", dir="/var/tmp") as scratch:
            files = Path(scratch, "files.tar")
            try:
                self._progress("fetching the nodes' Python packages")
                files.write_bytes(archive([*_files(recipe, self._repository), *self._packages(recipe, scratch, log)]))
                self._progress(f"installing Debian {recipe.suite} into a new root (about a minute)")
                request = root_request(recipe, files, _sources(recipe), self._root_inside(recipe))
                debian.make_root(request, folder / "rootfs.tar", log=log, on_line=self._show)
            except CommandFailedError as error:
                raise ImageBuildError(
                    f"the image {recipe.name} could not be built: {error}",
                    hint="epolab doctor",
                    evidence=error.evidence,
                ) from error

    def _root_inside(self, recipe: Recipe) -> Path | None:
        """The other image's root file system that this one is made with."""
        if not recipe.root_of:
            return None
        return self.ensure(read_recipe(self._repository / "images" / recipe.root_of), with_root=True).root

    def _packages(self, recipe: Recipe, scratch: str, log: Path) -> tuple[Entry, ...]:
        if recipe.python is None:
            return ()
        target = Path(scratch, "packages")
        debian.install_packages(self._repository / recipe.python.lock, recipe.python.version, target, log=log)
        return tuple(
            entry
            for entry in read_tree(target, site_packages(recipe.python))
            if "/site-packages/bin/" not in entry.path
        )

    def _show(self, line: str) -> None:
        if line.startswith("I: ") and line.endswith("..."):
            self._progress(line.removeprefix("I: ").removesuffix("..."))


def site_packages(python: PythonPackages) -> str:
    """Where the Python packages lie in the image."""
    return str(PurePosixPath(python.venv, "lib", f"python{python.version}", "site-packages"))


def root_request(recipe: Recipe, files: Path, sources: str, inside: Path | None = None) -> debian.RootRequest:
    """The recipe as an order to mmdebstrap; `files` is the tar of everything that is not a Debian package.

    `inside` is another image's root file system, which the finishing commands find at /vm/root.tar.
    """
    hooks = [f"tar-in {shlex.quote(str(files))} /"]
    if inside:
        hooks.append(f"upload {shlex.quote(str(inside))} {ROOT_INSIDE}")
    if recipe.python:
        venv = shlex.quote(recipe.python.venv)
        hooks.insert(0, f'chroot "$1" python3 -m venv --without-pip {venv}')
        hooks.append(f'chroot "$1" python3 -m compileall -q --invalidation-mode unchecked-hash {venv}/lib')
    hooks += [f'chroot "$1" sh -ec {shlex.quote(command)}' for command in recipe.finish]
    return debian.RootRequest(recipe.suite, recipe.variant, recipe.packages, recipe.exclude, hooks, sources, EPOCH)


def _sources(recipe: Recipe) -> str:
    sources = debian_sources(debian.apt_source_files(), debian.release_codename(), recipe.suite)
    if not sources:
        raise HostError(
            "this host's apt has no Debian source to build an image from", hint="ls /etc/apt/sources.list.d"
        )
    return sources


def _files(recipe: Recipe, repository: Path) -> list[Entry]:
    trees = [entry for tree in recipe.trees for entry in read_tree(repository / tree.source, tree.target)]
    return [*read_tree(recipe.files), *trees]


def _settings(recipe: Recipe, full: str) -> ImageSettings:
    own = recipe.container
    labels = {"epolab.image": recipe.name, "epolab.digest": full}
    return ImageSettings(own.command, own.environment, labels)


def _base_identity(recipe: Recipe, repository: Path) -> str:
    if recipe.root_of:
        return image_digest(recipe.root_of, repository)
    own = bool(recipe.base) and (repository / "images" / recipe.base).is_dir()
    return image_digest(recipe.base, repository) if own else recipe.base
