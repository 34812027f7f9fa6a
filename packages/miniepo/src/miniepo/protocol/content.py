"""The files that make a directory a repository: catalog.z, PkgCatalog.z, SiteStat.xml and Replica.log (domain §3.3).

Layout below a site's root: `catalog.z`, `SiteStat.xml`, `Replica.log`, and `<Branch>/<ProductID>/<Type>/<Lang>/` with
`PkgCatalog.z`, `Replica.log` and the package's files. The file names are the product's; what is inside them is this
project's own, since the real wrapping is neither published nor needed:

- a `.z` file is one line `MINIEPO-Z1 <base64 ed25519 signature of the rest, or ->` and the zlib-compressed XML;
- `Replica.log`, one in every directory, has a line `file <size> <sha256> <name>` or `folder <name>` per entry of that
  directory, itself left out; what it does not list, a mirror deletes;
- `SiteStat.xml` holds one `SiteStatus` with `Status` and `CatalogVersion` (markup [uncertain] in the domain).
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from miniepo.errors import ContentError

CATALOG = "catalog.z"
PACKAGE_CATALOG = "PkgCatalog.z"
SITE_STAT = "SiteStat.xml"
REPLICA_LOG = "Replica.log"
BRANCHES = ("Current", "Previous", "Evaluation")
DAT_PRODUCT = "VSCANDAT1000"
DAT_DETECTION_SCRIPT = "V2datdet.mcs"
BASE_DAT_VERSION = 10000
"""The DAT version that an agent's installer brings along: the first increment starts from it."""

_MAGIC = b"MINIEPO-Z1 "
_MAX_XML_BYTES = 32 << 20
_MAX_DIGITS = 18
_SIGNATURE_CONTEXT = b"miniepo-content-1\n"
Role = Literal["full", "increment", "script", "index", "file"]
_ROLES: dict[str, Role] = {
    "full": "full",
    "increment": "increment",
    "script": "script",
    "index": "index",
    "file": "file",
}


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A package of the site: the directory is `<branch>/<product>/<type>/<lang>`."""

    branch: str
    product: str
    type: str
    lang: str
    version: str

    @property
    def path(self) -> str:
        return f"{self.branch}/{self.product}/{self.type}/{self.lang}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """catalog.xml: every package of a site; `version` rises whenever anything of the site changes."""

    version: int
    entries: tuple[CatalogEntry, ...]


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file of a package. An `increment` leads from DAT version `from_version` to `to_version`; `full` needs nothing;
    `script` is the detection script; `index` lists increments; `file` is any other payload."""

    name: str
    size: int
    sha256: str
    role: Role = "file"
    from_version: str = ""
    to_version: str = ""


@dataclass(frozen=True, slots=True)
class PackageCatalog:
    """PkgCatalog.xml: one package's version and files."""

    entry: CatalogEntry
    files: tuple[PackageFile, ...]
    name: str = ""

    def increments_from(self, installed: str) -> tuple[PackageFile, ...] | None:
        """The chain of increments from an installed version to this one, shortest first step first; None if broken."""
        chain: list[PackageFile] = []
        steps = {file.from_version: file for file in self.files if file.role == "increment"}
        version = installed
        while version != self.entry.version:
            step = steps.pop(version, None)
            if step is None:
                return None
            chain.append(step)
            version = step.to_version
        return tuple(chain)


@dataclass(frozen=True, slots=True)
class ReplicaFile:
    """A file's line of a Replica.log."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ReplicaLog:
    """What one directory of a repository holds."""

    files: tuple[ReplicaFile, ...]
    folders: tuple[str, ...]


# --- .z files --------------------------------------------------------------------------------------------------------


def pack(xml: str, sign: Callable[[bytes], bytes] | None) -> bytes:
    """A `.z` file around an XML text; `sign` makes the raw signature of the bytes it is given."""
    body = zlib.compress(xml.encode(), 9)
    signature = base64.b64encode(sign(_SIGNATURE_CONTEXT + body)) if sign else b"-"
    return _MAGIC + signature + b"\n" + body


def unpack(data: bytes, verify: Callable[[bytes, bytes], bool] | None) -> str:
    """The XML text of a `.z` file; `verify(signed bytes, signature)` believes it or not; raises ContentError."""
    line, newline, body = data.partition(b"\n")
    if not line.startswith(_MAGIC) or not newline:
        raise ContentError("not a .z file of this project: its first line is not MINIEPO-Z1")
    if verify is not None and not verify(_SIGNATURE_CONTEXT + body, _signature(line)):
        raise ContentError("the .z file is not signed by the key that it must be signed by")
    try:
        decompressor = zlib.decompressobj()
        text = decompressor.decompress(body, _MAX_XML_BYTES)
    except zlib.error as error:
        raise ContentError(f"the .z file is damaged: {error}") from error
    if not decompressor.eof:
        raise ContentError("the .z file is cut short, or larger than any catalog")
    return text.decode()


def _signature(line: bytes) -> bytes:
    try:
        return base64.b64decode(line[len(_MAGIC) :], validate=True)
    except binascii.Error:
        return b""


# --- catalog.xml, PkgCatalog.xml, SiteStat.xml -----------------------------------------------------------------------


def write_catalog(catalog: Catalog) -> str:
    root = ElementTree.Element("Catalog", Version=str(catalog.version))
    for entry in catalog.entries:
        ElementTree.SubElement(root, "Package", _entry_attributes(entry))
    return ElementTree.tostring(root, encoding="unicode")


def parse_catalog(xml: str) -> Catalog:
    root = _root(xml, "Catalog")
    return Catalog(_integer(root, "Version"), tuple(_entry(element) for element in root.iter("Package")))


def write_package_catalog(package: PackageCatalog) -> str:
    root = ElementTree.Element("PkgCatalog", {**_entry_attributes(package.entry), "Name": package.name})
    for file in package.files:
        attributes = {"Name": file.name, "Size": str(file.size), "Sha256": file.sha256, "Role": file.role}
        if file.role == "increment":
            attributes |= {"From": file.from_version, "To": file.to_version}
        ElementTree.SubElement(root, "File", attributes)
    return ElementTree.tostring(root, encoding="unicode")


def parse_package_catalog(xml: str) -> PackageCatalog:
    root = _root(xml, "PkgCatalog")
    return PackageCatalog(_entry(root), tuple(_file(element) for element in root.iter("File")), root.get("Name", ""))


def write_site_stat(catalog_version: int, status: str = "Enabled") -> str:
    root = ElementTree.Element("SiteStatus", Status=status, CatalogVersion=str(catalog_version))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def parse_site_stat(xml: str) -> int:
    """The catalog version that a SiteStat.xml publishes."""
    return _integer(_root(xml, "SiteStatus"), "CatalogVersion")


def _entry_attributes(entry: CatalogEntry) -> dict[str, str]:
    return {
        "Branch": entry.branch,
        "ProductID": entry.product,
        "Type": entry.type,
        "LangID": entry.lang,
        "Version": entry.version,
    }


def _entry(element: ElementTree.Element) -> CatalogEntry:
    names = ("Branch", "ProductID", "Type", "LangID", "Version")
    parts = [element.get(name, "") for name in names]
    if not all(map(is_plain_name, parts)):
        raise ContentError(f"a package of the catalog has an unusable name: {parts}")
    return CatalogEntry(*parts)


def _file(element: ElementTree.Element) -> PackageFile:
    name, role = element.get("Name", ""), _ROLES.get(element.get("Role", "file"))
    if not is_plain_name(name) or role is None:
        raise ContentError(f"a file of the package catalog has an unusable name or role: {name!r}")
    return PackageFile(
        name, _integer(element, "Size"), element.get("Sha256", ""), role, element.get("From", ""), element.get("To", "")
    )


def is_plain_name(text: str) -> bool:
    """Whether a text is safe as one path component: no separators, no control characters, not `.` or `..`, and no more
    bytes than a file's name may have, with some to spare."""
    if not text.isprintable() or not 0 < len(text.encode()) <= 200:
        return False
    return text not in (".", "..") and not set(text) & set("/\\:")


def _root(xml: str, tag: str) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise ContentError(f"not XML where a {tag} must be: {error}") from error
    if root.tag != tag:
        raise ContentError(f"{root.tag} where a {tag} must be")
    return root


def _integer(element: ElementTree.Element, name: str) -> int:
    text = element.get(name, "")
    if not _is_number(text):
        raise ContentError(f"{element.tag} has no number {name}")
    return int(text)


def _is_number(text: str) -> bool:
    """Whether a text is a number in plain digits, and none without an end."""
    return len(text) <= _MAX_DIGITS and text.isascii() and text.isdigit()


# --- Replica.log -----------------------------------------------------------------------------------------------------


def write_replica_log(files: Iterable[ReplicaFile], folders: Iterable[str]) -> str:
    lines = [f"folder {name}" for name in sorted(folders)]
    lines += [f"file {file.size} {file.sha256} {file.name}" for file in sorted(files, key=lambda file: file.name)]
    return "".join(line + "\n" for line in lines)


def parse_replica_log(text: str) -> ReplicaLog:
    files: list[ReplicaFile] = []
    folders: list[str] = []
    for line in filter(None, text.splitlines()):
        kind, _, rest = line.partition(" ")
        if kind == "folder" and is_plain_name(rest):
            folders.append(rest)
        elif kind == "file":
            files.append(_replica_file(rest))
        else:
            raise ContentError(f"Replica.log has a line that is neither file nor folder: {line!r}")
    return ReplicaLog(tuple(files), tuple(folders))


def _replica_file(text: str) -> ReplicaFile:
    parts = text.split(" ", 2)
    if len(parts) != 3 or not _is_number(parts[0]) or not is_plain_name(parts[2]):
        raise ContentError(f"Replica.log has a damaged line: {text!r}")
    return ReplicaFile(parts[2], int(parts[0]), parts[1])
