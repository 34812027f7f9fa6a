"""SiteList.xml, the repository list: which handlers and repositories an agent may use, in order (domain §2).

Published samples confirm the root `SiteLists` in namespace `naSiteList`, its one child `SiteList`, the site elements
and the attributes `Type`, `Name`, `Order`, `Enabled`, `Local`, `Server`, `ServerIP` and the child `RelativePath`.
Attributes that no published sample shows ([uncertain] in domain §2.1) have their names in `Dialect`, where each can
be renamed, or left out with None. Site elements have no white space between them: one published parser breaks on it
(domain §2.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from miniepo.errors import SiteListError

NAMESPACE = "naSiteList"
SiteKind = Literal["SpipeSite", "HttpSite", "SuperAgentSite", "FTPSite", "UNCSite"]
_KINDS: dict[str, SiteKind] = {
    "SpipeSite": "SpipeSite",
    "HttpSite": "HttpSite",
    "SuperAgentSite": "SuperAgentSite",
    "FTPSite": "FTPSite",
    "UNCSite": "UNCSite",
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
    without a port, `host` the FQDN, `netbios_name` the short name. `secure_port` is the TLS port of a SpipeSite.
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

    @property
    def speaks_datachannel(self) -> bool:
        """Whether agents start their DataChannel with this handler: ePO version 4.5.0 or later (domain §2.1)."""
        return self.kind == "SpipeSite" and _version_key(self.version) >= (4, 5, 0)


@dataclass(frozen=True, slots=True)
class SiteList:
    """The whole list. `name` is the server's GUID or a text; `version` tells one list from the next."""

    name: str
    version: str
    sites: tuple[Site, ...]

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
    if port and not port.isdigit():
        raise SiteListError(f"{text!r} does not end in a port number")
    return host.strip("[]"), int(port) if port else default_port


def write(sitelist: SiteList, dialect: Dialect = Dialect()) -> str:
    """The file's text."""
    version = _attributes({dialect.global_version: sitelist.version or None})
    sites = "".join(_site_element(site, dialect) for site in sitelist.sites)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ns:SiteLists xmlns:ns="{NAMESPACE}" Type="Client"{version}>'
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
    path = f"<RelativePath>{_text(site.relative_path)}</RelativePath>"
    return f"<{site.kind}{attributes}>{path}{_credentials(site)}</{site.kind}>"


def _credentials(site: Site) -> str:
    """Empty credentials: the real ones are only obfuscated, so a list must never hold any of worth (§2.1)."""
    if site.kind != "HttpSite":
        return ""
    return '<UseAuth>0</UseAuth><UserName></UserName><Password Encrypted="1"></Password>'


def _attributes(values: dict[str | None, str | None]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if name and value is not None)


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def parse(text: str, dialect: Dialect = Dialect()) -> SiteList:
    """Read a file's text; raises SiteListError for what is no site list."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise SiteListError(f"SiteList.xml is not XML: {error}") from error
    inner = root.find("SiteList")
    if root.tag != f"{{{NAMESPACE}}}SiteLists" or inner is None:
        raise SiteListError(f"SiteList.xml has no SiteList below SiteLists of namespace {NAMESPACE}")
    version = root.get(dialect.global_version, "") if dialect.global_version else ""
    return SiteList(inner.get("Name", ""), version, tuple(_sites(inner, dialect)))


def _sites(inner: ElementTree.Element, dialect: Dialect) -> Iterable[Site]:
    for element in inner:
        kind = _KINDS.get(element.tag)
        if kind is not None:
            yield _site(element, kind, dialect)


def _site(element: ElementTree.Element, kind: SiteKind, dialect: Dialect) -> Site:
    host, port = split_host_port(element.get("Server", ""))
    secure_port = _optional(element, dialect.secure_port)
    return Site(
        kind=kind,
        name=element.get("Name", ""),
        type=element.get("Type", ""),
        order=_integer(element.get("Order", "0")),
        host=host,
        port=port,
        address=split_host_port(element.get("ServerIP", ""))[0],
        address_v6=split_host_port(_optional(element, dialect.server_ipv6))[0],
        netbios_name=split_host_port(_optional(element, dialect.server_name))[0],
        secure_port=_integer(secure_port) if secure_port else None,
        version=_optional(element, dialect.version),
        relative_path=element.findtext("RelativePath", ""),
        enabled=element.get("Enabled", "1") == "1",
        local=element.get("Local", "0") == "1",
    )


def _optional(element: ElementTree.Element, name: str | None) -> str:
    return element.get(name, "") if name else ""


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SiteListError(f"{text!r} stands where a number must") from error


def _version_key(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
