"""Check-in of packages: uploaded files become a package of a branch (domain §7.3, repository.checkInPackage)."""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from miniepo.errors import CommandError, ContentError
from miniepo.protocol import content
from miniepo.protocol.content import BRANCHES, CatalogEntry, PackageCatalog, PackageFile, is_plain_name
from miniepo.server.master import Payload, describe
from miniepo.server.scheduler import MANUAL
from miniepo.server.services import Services

DESCRIPTION = "PkgCatalog.xml"
_ZIP_MAGIC = b"PK\x03\x04"
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
_RESERVED = {content.REPLICA_LOG.lower(), content.PACKAGE_CATALOG.lower()}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class PackageRequest:
    """What the caller says of the package; an archive with a PkgCatalog.xml says product, type and version itself."""

    branch: str = "Current"
    product: str = ""
    type: str = ""
    version: str = ""
    lang: str = "0000"
    name: str = ""
    replicate: bool = False


async def check_in(services: Services, uploads: Sequence[Upload], request: PackageRequest, user: str) -> PackageCatalog:
    """Take a package into the master repository; raises CommandError for what is no package."""
    folder = Path(tempfile.mkdtemp(dir=services.master.incoming))
    try:
        package, payload = await asyncio.to_thread(prepare, folder, uploads, request)
        await services.master.check_in(package, payload)
    except ContentError as error:
        raise CommandError(f"the package cannot be checked in: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    await services.store.repositories.save_package(package, user)
    log_id = await services.store.task_log.open("Check In Package", user, MANUAL)
    await services.store.task_log.add(log_id, f"{package.entry.path}: version {package.entry.version}")
    await services.store.task_log.close(log_id, "Completed")
    if request.replicate:
        await services.scheduler.replicate((), True, user)
    return package


def prepare(folder: Path, uploads: Sequence[Upload], request: PackageRequest) -> tuple[PackageCatalog, list[Payload]]:
    """Lay the files out in a folder and describe them."""
    if request.branch not in BRANCHES:
        raise CommandError(f"there is no branch {request.branch!r}; there are {', '.join(BRANCHES)}")
    described: PackageCatalog | None = None
    for name, data in _members(uploads):
        if name == DESCRIPTION:
            described = _description(data.decode("utf-8", "replace"))
        else:
            (folder / _checked(name)).write_bytes(data)
    package = described or _from_request(request)
    return _filled(replace(package, entry=replace(package.entry, branch=request.branch)), folder)


def _members(uploads: Sequence[Upload]) -> Iterator[tuple[str, bytes]]:
    """The files themselves, and those inside of a single zip archive."""
    if len(uploads) == 1 and uploads[0].data.startswith(_ZIP_MAGIC):
        yield from _unzipped(uploads[0])
        return
    for upload in uploads:
        yield upload.name.replace("\\", "/").rpartition("/")[2], upload.data


def _unzipped(upload: Upload) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(upload.data)) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            if sum(each.file_size for each in members) > MAX_UNPACKED_BYTES:
                raise CommandError(f"{upload.name} holds more than {MAX_UNPACKED_BYTES} bytes")
            for each in members:
                yield each.filename, archive.read(each)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise CommandError(f"{upload.name} is not a zip archive that can be read: {error}") from error


def _checked(name: str) -> str:
    if not is_plain_name(name) or name.startswith(".") or name.lower() in _RESERVED:
        raise CommandError(f"{name!r} is no name for a file of a package")
    return name


def _description(xml: str) -> PackageCatalog:
    """PkgCatalog.xml of the archive; sizes and hashes may be left out, they are taken from the files."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise CommandError(f"{DESCRIPTION} is not XML: {error}") from error
    root.attrib.setdefault("Branch", "Current")
    root.attrib.setdefault("LangID", "0000")
    for file in root.iter("File"):
        file.attrib.setdefault("Size", "0")
    try:
        return content.parse_package_catalog(ElementTree.tostring(root, encoding="unicode"))
    except ContentError as error:
        raise CommandError(f"{DESCRIPTION}: {error}") from error


def _from_request(request: PackageRequest) -> PackageCatalog:
    entry = CatalogEntry(request.branch, request.product, request.type, request.lang, request.version)
    words = {"productId": entry.product, "packageType": entry.type, "version": entry.version, "langId": entry.lang}
    wrong = [name for name, value in words.items() if not is_plain_name(value)]
    if wrong:
        raise CommandError(f"without a {DESCRIPTION} in a zip archive, give also {', '.join(wrong)}")
    return PackageCatalog(entry, (), request.name or entry.product)


def _filled(package: PackageCatalog, folder: Path) -> tuple[PackageCatalog, list[Payload]]:
    """The package with every file of the folder, as it really is; declared sizes and hashes must be true."""
    declared = {file.name: file for file in package.files}
    files: list[PackageFile] = []
    for path in sorted(folder.iterdir()):
        said = declared.pop(path.name, PackageFile(path.name, 0, ""))
        file = describe(path, said)
        if said.sha256 and said.sha256 != file.sha256:
            raise CommandError(f"{path.name} has another SHA-256 than {DESCRIPTION} says")
        files.append(file)
    if declared or not files:
        raise CommandError(f"the package lacks {', '.join(declared) or 'any file'}")
    complete = replace(package, files=tuple(files))
    return complete, [Payload(file, folder / file.name) for file in files]
