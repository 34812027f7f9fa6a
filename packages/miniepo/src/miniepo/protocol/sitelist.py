"""SiteList.xml, the repository list: which handlers and repositories an agent may use, in order (domain §2).

Published samples confirm the root `SiteLists` in namespace `naSiteList`, its one child `SiteList`, the site elements
and the attributes `Type`, `Name`, `Order`, `Enabled`, `Local`, `Server`, `ServerIP` and the child `RelativePath`.
Attributes that no published sample shows ([uncertain] in domain §2.1) have their names in `Dialect`, where each can
be renamed, or left out with None: a switch in the code, by the defaults of `Dialect`, and no setting. No sample shows
the element `SuperAgentSite`, `Type="master"` of handlers (`server.assignment`) or names of SuperAgents that begin with
`ePOSA_` (`store.repositories`) either: [uncertain]. Site elements have no white space between them: one published
parser breaks on it (domain §2.2).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from miniepo.errors import SiteListError
from miniepo.protocol.version import starts_datachannel

NAMESPACE = "naSiteList"
MAX_PORT = 65535
MAX_ORDER = 2**31 - 1
_MAX_DIGITS = 10
_DECLARED = re.compile(r"""<\?xml\s[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
_ENCODINGS = re.compile(r"utf-?8|utf-16|(us-)?ascii|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE)
_LONGEST_DECLARATION = 256
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SiteKind = Literal["SpipeSite", "HttpSite", "SuperAgentSite", "FTPSite", "UNCSite"]
_KINDS: dict[str, SiteKind] = {
    "SpipeSite": "SpipeSite",
    "HttpSite": "HttpSite",
    "SuperAgentSite": "SuperAgentSite",
    "FTPSite": "FTPSite",
    "UNCSite": "UNCSite",
}


_CREDENTIALS = {
    "HttpSite": '<UseAuth>0</UseAuth><UserName></UserName><Password Encrypted="1"></Password>',
    "FTPSite": '<UseAuth>0</UseAuth><UserName></UserName><Password Encrypted="1"></Password>',
    "UNCSite": "<UseLoggedonUserAccount>1</UseLoggedonUserAccount><DomainName></DomainName><UserName></UserName>"
    '<Password Encrypted="0"></Password>',
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """Names of the attributes whose real names are not known from a published sample; None leaves one out."""

    version: str | None = "Version"
    server_name: str | None = "ServerName"
    secure_port: str | None = "SecurePort"
    server_ipv6: str | None = "ServerIPV6"
    global_version: str | None = "GlobalVersion"


@dataclass(frozen=True, slots=True)
class Site:
    """One handler or repository.

    `type` is `master` (the server or a handler), `repository` or `fallback`. `address` and `address_v6` are IP texts
    without a port, `host` the FQDN, `netbios_name` the short name. `secure_port` is the TLS port of a SpipeSite,
    `share_name` the share of a UNCSite.
    """

    kind: SiteKind
    name: str
    type: str
    order: int
    host: str
    port: int
    address: str = ""
    address_v6: str = ""
    netbios_name: str = ""
    secure_port: int | None = None
    version: str = ""
    relative_path: str = "Software"
    enabled: bool = True
    local: bool = False
    share_name: str = ""

    @property
    def speaks_datachannel(self) -> bool:
        """Whether agents start their DataChannel with this handler: ePO version 4.5.0 or later (domain §2.1)."""
        return self.kind == "SpipeSite" and starts_datachannel(self.version)


@dataclass(frozen=True, slots=True)
class SiteList:
    """The whole list. `name` is the server's GUID or a text; `version` tells one list from the next.

    `type` is `Client` in what agents get.
    """

    name: str
    version: str
    sites: tuple[Site, ...]
    type: str = "Client"

    @property
    def handlers(self) -> tuple[Site, ...]:
        """The enabled handlers, in the order in which an agent tries them."""
        return self._enabled("SpipeSite")

    @property
    def repositories(self) -> tuple[Site, ...]:
        """Every enabled site that content can come from, in order; handlers answer repository requests too (§3.1)."""
        return tuple(sorted((site for site in self.sites if site.enabled), key=lambda site: site.order))

    def _enabled(self, kind: SiteKind) -> tuple[Site, ...]:
        chosen = (site for site in self.sites if site.kind == kind and site.enabled)
        return tuple(sorted(chosen, key=lambda site: site.order))


def join_host_port(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_host_port(text: str, default_port: int = 80) -> tuple[str, int]:
    """The host and the port of `host:port`, `[v6]:port` or a bare host; raises SiteListError."""
    bare_ipv6 = text.count(":") > 1 and not text.startswith("[")
    host, _, port = (text, "", "") if bare_ipv6 or text.endswith("]") else text.rpartition(":")
    if not host:
        host, port = text, ""
    return host.strip("[]"), _number(port, MAX_PORT) if port else default_port


def write(sitelist: SiteList, dialect: Dialect = Dialect()) -> str:
    """The file's text."""
    version = _attributes({dialect.global_version: sitelist.version or None})
    sites = "".join(_site_element(site, dialect) for site in sitelist.sites)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ns:SiteLists xmlns:ns="{NAMESPACE}" Type={quoteattr(sitelist.type)}{version}>'
        f'<SiteList Default="1" Name={quoteattr(sitelist.name)}>{sites}</SiteList></ns:SiteLists>\n'
    )


def _site_element(site: Site, dialect: Dialect) -> str:
    attributes = _attributes(
        {
            "Type": site.type,
            "Name": site.name,
            "Order": str(site.order),
            "Enabled": _flag(site.enabled),
            "Local": _flag(site.local),
            "Server": join_host_port(site.host, site.port),
            "ServerIP": join_host_port(site.address, site.port) if site.address else None,
            dialect.server_ipv6: join_host_port(site.address_v6, site.port) if site.address_v6 else None,
            dialect.server_name: f"{site.netbios_name}:{site.port}" if site.netbios_name else None,
            dialect.secure_port: str(site.secure_port) if site.secure_port else None,
            dialect.version: site.version or None,
        }
    )
    share = f"<ShareName>{_text(site.share_name)}</ShareName>" if site.kind == "UNCSite" else ""
    path = f"{share}<RelativePath>{_text(site.relative_path)}</RelativePath>"
    return f"<{site.kind}{attributes}>{path}{_credentials(site)}</{site.kind}>"


def _credentials(site: Site) -> str:
    """Empty credentials: the real ones are only obfuscated, so a list must never hold any of worth (§2.1)."""
    return _CREDENTIALS.get(site.kind, "")


def _attributes(values: dict[str | None, str | None]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if name and value is not None)


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def encoded(text: str) -> bytes:
    """The file of a text, in the encoding that its declaration names; raises SiteListError."""
    encoding = _declared(text)
    try:
        return text.encode(encoding)
    except (LookupError, UnicodeError) as error:
        raise SiteListError(f"SiteList.xml cannot be written as {encoding}: {error}") from error


def _decoded(data: bytes) -> str:
    """A file's text, in the encoding of its byte order mark, else in the one that its declaration names.

    It is text before it is XML, so that no encoding hides a document type.
    """
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    encoding = marked or _declared(data[:_LONGEST_DECLARATION].decode("latin-1"))
    try:
        return data.decode(encoding)
    except (LookupError, UnicodeError) as error:
        raise SiteListError(f"SiteList.xml is no text in {encoding}: {error}") from error


def _declared(text: str) -> str:
    found = _DECLARED.match(text[:_LONGEST_DECLARATION])
    encoding = found[1] if found else "utf-8"
    if not _ENCODINGS.fullmatch(encoding):
        raise SiteListError(f"SiteList.xml declares the encoding {encoding!r:.40}, which is not read here")
    return encoding


def parse(given: str | bytes, dialect: Dialect = Dialect()) -> SiteList:
    """Read a file's bytes, or its text; raises SiteListError for what is no site list."""
    text = _decoded(given) if isinstance(given, bytes) else given
    if "<!DOCTYPE" in text:
        raise SiteListError("SiteList.xml declares a document type; a site list has none, and its entities could grow")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise SiteListError(f"SiteList.xml is not XML: {error}") from error
    inner = root.find("SiteList")
    if root.tag != f"{{{NAMESPACE}}}SiteLists" or inner is None:
        raise SiteListError(f"SiteList.xml has no SiteList below SiteLists of namespace {NAMESPACE}")
    version = root.get(dialect.global_version, "") if dialect.global_version else ""
    return SiteList(inner.get("Name", ""), version, tuple(_sites(inner, dialect)), root.get("Type", "Client"))


def _sites(inner: ElementTree.Element, dialect: Dialect) -> Iterable[Site]:
    for element in inner:
        kind = _KINDS.get(element.tag)
        if kind is not None:
            yield _site(element, kind, dialect)


def _site(element: ElementTree.Element, kind: SiteKind, dialect: Dialect) -> Site:
    host, port = split_host_port(element.get("Server", ""))
    if not host:
        raise SiteListError(f"{element.tag} {element.get('Name', '')!r} has no Server")
    secure_port = _optional(element, dialect.secure_port)
    return Site(
        kind=kind,
        name=element.get("Name", ""),
        type=element.get("Type", ""),
        order=_number(element.get("Order", "0"), MAX_ORDER),
        host=host,
        port=port,
        address=split_host_port(element.get("ServerIP", ""))[0],
        address_v6=split_host_port(_optional(element, dialect.server_ipv6))[0],
        netbios_name=split_host_port(_optional(element, dialect.server_name))[0],
        secure_port=_number(secure_port, MAX_PORT) if secure_port else None,
        version=_optional(element, dialect.version),
        relative_path=element.findtext("RelativePath", ""),
        share_name=element.findtext("ShareName", ""),
        enabled=element.get("Enabled", "1") == "1",
        local=element.get("Local", "0") == "1",
    )


def _optional(element: ElementTree.Element, name: str | None) -> str:
    return element.get(name, "") if name else ""


def _number(text: str, at_most: int) -> int:
    """A number in plain digits; other scripts' digits, signs and endless numbers are none."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) <= at_most):
        raise SiteListError(f"{text[:40]!r} stands where a number up to {at_most} must")
    return int(text)
