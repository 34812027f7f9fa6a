"""A link between two routers: a carried pair of TAPs where it is shaped, a plain veth pair where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from epolab_fabric.devices import disable_offloads, make_tap
from epolab_fabric.documents import Documents
from epolab_fabric.errors import CableFault
from epolab_fabric.interfaces import apply_routes, bring_up, index_of, netlink_in, remove_link, require_index
from epolab_fabric.namespaces import Namespace, inode_of, namespace_of
from epolab_fabric.requests import EndRecord, LinkRecord
from epolab_fabric.sysctls import apply_sysctls
from epolab_fabric.wiring import joined

# Room for what arrives while the cable is off the processor.
TAP_QUEUE_FRAMES = 4000

Ask = Callable[[str], Any]
Counts = dict[str, int | None]


class OpenEnd:
    """One end of a link, its namespace open."""

    def __init__(self, record: EndRecord, namespace: Namespace, netlink: Any) -> None:
        self.record, self.namespace, self.netlink = record, namespace, netlink

    def kind(self) -> str | None:
        """What kind of device bears the interface's name; None where there is none."""
        index = self.index()
        if index is None:
            return None
        return str(self.netlink.get_links(index)[0].get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND"))

    def index(self) -> int | None:
        """The index of the interface, if it is there."""
        return index_of(self.netlink, self.record.interface)

    def clear(self) -> None:
        """The interface is gone."""
        index = self.index()
        if index is not None:
            remove_link(self.netlink, index)

    def ensure_tap(self) -> None:
        """The interface is a persistent TAP without offloads."""
        if self.kind() not in (None, "tun"):
            self.clear()
        self.namespace.run(lambda: make_tap(self.record.interface))
        self.netlink.link("set", index=require_index(self.netlink, self.record.interface), txqlen=TAP_QUEUE_FRAMES)
        self.namespace.run(lambda: disable_offloads(self.record.interface))

    def configure(self) -> None:
        """Settings and addresses are as declared, and the interface is up."""
        apply_sysctls(self.namespace, self.record.sysctls or {})
        index = require_index(self.netlink, self.record.interface)
        bring_up(self.netlink, index, self.record.mac, self.record.cidrs)

    def route(self) -> None:
        """The static routes over this end are as declared."""
        apply_routes(self.netlink, [require_index(self.netlink, self.record.interface)], self.record.routes)

    def document(self) -> dict[str, Any]:
        """What the cable must know of this end."""
        return {
            "path": self.record.path,
            "pid": self.record.pid,
            "inode": self.namespace.inode,
            "interface": self.record.interface,
        }


class Links:
    """The declared links of a fabric; the declaration is what a restarted cable carries again."""

    def __init__(self, documents: Documents, ask: Ask) -> None:
        self._documents, self._ask = documents, ask

    def apply(self, link: LinkRecord) -> None:
        """The link is as declared; a link that could not be made is not there."""
        prior = self._declared().get(link.name)
        if prior is not None and prior["driver"] != link.driver:
            self.remove(link.name)
        try:
            with _opened(link.a) as a, _opened(link.b) as b:
                self._apply(link, a, b)
        except Exception:
            if prior is None:
                self.remove(link.name)
            raise

    def remove(self, name: str) -> None:
        """The link and its devices are gone."""
        declared = self._declared()
        link = declared.pop(name, None)
        if link is None:
            return
        self._declare(declared)
        if link["driver"] == "cable":
            self._ask("reload")
        for side in ("a", "b"):
            _clear(link[side])

    def counters(self) -> dict[str, dict[str, Counts]]:
        """Frames and bytes handed over, and frames dropped, by link and direction; null where none can be read."""
        declared = self._declared()
        carried = self._ask("counters") if any(link["driver"] == "cable" for link in declared.values()) else {}
        return {name: carried.get(name) or _plain_counters(link) for name, link in declared.items()}

    def state(self) -> dict[str, Any]:
        """What is declared, and whether each end is there and carried."""
        declared = self._declared()
        carried = self._carried() if any(link["driver"] == "cable" for link in declared.values()) else {}
        for name, link in declared.items():
            for side in ("a", "b"):
                seen = carried.get(name, {}).get(side, {}) if link["driver"] == "cable" else _plain_state(link[side])
                link[side] |= {"attached": bool(seen.get("attached")), "error": seen.get("error")}
        return declared

    def attached(self) -> dict[tuple[str, str], int]:
        """The TAPs that the cable holds: (node path, interface) to the inode of the namespace."""
        cables = (link for link in self.state().values() if link["driver"] == "cable")
        ends = (link[side] for link in cables for side in ("a", "b"))
        return {(end["path"], end["interface"]): end["inode"] for end in ends if end["attached"]}

    def _apply(self, link: LinkRecord, a: OpenEnd, b: OpenEnd) -> None:
        if link.driver == "cable":
            a.ensure_tap()
            b.ensure_tap()
        else:
            _ensure_pair(a, b)
        shapes = {key: value for key, value in link.document().items() if key in ("a_to_b", "b_to_a", "driver")}
        self._declare({**self._declared(), link.name: {"a": a.document(), "b": b.document(), **shapes}})
        if link.driver == "cable":
            failed = self._ask("reload").get(link.name)
            if failed:
                raise CableFault(f"link {link.name}: {failed}")
        for end in (a, b):
            end.configure()
            end.route()

    def _carried(self) -> dict[str, Any]:
        try:
            return dict(self._ask("state")["links"])
        except CableFault:
            return {}

    def _declared(self) -> dict[str, Any]:
        return self._documents.read("links") or {}

    def _declare(self, links: Mapping[str, Any]) -> None:
        self._documents.write("links", links)


@contextmanager
def _opened(end: EndRecord) -> Iterator[OpenEnd]:
    with namespace_of(end.pid) as namespace, netlink_in(namespace) as netlink:
        yield OpenEnd(end, namespace, netlink)


def _ensure_pair(a: OpenEnd, b: OpenEnd) -> None:
    mine, other = a.index(), b.index()
    if mine is not None and other is not None and joined(a.netlink, mine, b.netlink, other):
        return
    a.clear()
    b.clear()
    peer = {"ifname": b.record.interface, "address": b.record.mac, "net_ns_fd": b.namespace.fd}
    a.netlink.link("add", ifname=a.record.interface, kind="veth", peer=peer)


@contextmanager
def _reopened(end: Mapping[str, Any]) -> Iterator[OpenEnd | None]:
    """A declared end whose namespace lives still; None where it died (and its devices with it)."""
    if inode_of(end["pid"]) != end["inode"]:
        yield None
        return
    with _opened(EndRecord(end["path"], end["pid"], end["interface"], "", ())) as opened:
        yield opened


def _clear(end: Mapping[str, Any]) -> None:
    with _reopened(end) as opened:
        if opened is not None:
            opened.clear()


def _plain_state(end: Mapping[str, Any]) -> dict[str, Any]:
    with _reopened(end) as opened:
        there = opened is not None and opened.index() is not None
    return {"attached": there, "error": None if there else f"{end['path']} has no {end['interface']}"}


def _plain_counters(link: Mapping[str, Any]) -> dict[str, Counts]:
    return {"a_to_b": _sent(link["a"]), "b_to_a": _sent(link["b"])}


def _sent(end: Mapping[str, Any]) -> Counts:
    with _reopened(end) as opened:
        index = None if opened is None else opened.index()
        if opened is None or index is None:
            return {"bytes": None, "packets": None, "dropped": None}
        counts = opened.netlink.get_links(index)[0].get_attr("IFLA_STATS64")
    return {"bytes": counts["tx_bytes"], "packets": counts["tx_packets"], "dropped": counts["tx_dropped"]}
