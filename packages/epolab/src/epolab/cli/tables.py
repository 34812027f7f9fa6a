"""A lab's documents as tables for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from epolab.cli.output import Output


def shape_text(shape: Mapping[str, Any] | None) -> str:
    """One direction of a link, short."""
    if shape is None:
        return "-"
    parts = [] if shape["rate_bps"] is None else [f"{shape['rate_bps'] / 1e6:g} Mbit/s"]
    parts += [f"{shape['delay_ms']:.4g} ms"] if shape["delay_ms"] else []
    parts += [f"± {shape['jitter_ms']:.3g} ms"] if shape["jitter_ms"] else []
    parts += [f"{shape['loss_ratio'] * 100:.3g} % loss"] if shape["loss_ratio"] else []
    return ", ".join(parts) or "LAN speed"


def show_nodes(out: Output, document: Mapping[str, Any]) -> None:
    """The nodes of a lab."""
    rows = [
        (
            f"{node['site']}/{node['name']}",
            node["kind"],
            " ".join(node["components"]),
            node["state"],
            " ".join(address["cidr"].partition("/")[0] for address in node["addresses"][:2]),
        )
        for node in document["nodes"]
    ]
    out.table(f"lab {document['lab']}: {document['state']}", ("node", "kind", "components", "state", "addresses"), rows)


def show_certificate(out: Output, document: Mapping[str, Any]) -> None:
    """The WAN certificate: declared against measured."""
    rows = [row for link in document["links"] for row in _link_rows(link)]
    if rows:
        out.table("WAN certificate", ("link", "direction", "driver", "declared", "measured", "verdict"), rows)


def _link_rows(link: Mapping[str, Any]) -> list[tuple[str, ...]]:
    verdict = {True: "within", False: "OUTSIDE", None: "not measured"}[link["within"]]
    if link["degraded"]:
        verdict += f" (degraded: {', '.join(link['degraded'])})"
    measured = link["measured"] or {}
    return [
        (
            link["name"],
            arrow.format(**link),
            link["driver"],
            shape_text(link["declared"][way]),
            shape_text(measured.get(way)),
            verdict,
        )
        for way, arrow in (("a_to_b", "{a} → {b}"), ("b_to_a", "{b} → {a}"))
    ]


def show_timings(out: Output, document: Mapping[str, Any]) -> None:
    """How long it took."""
    parts = [
        f"{key.removesuffix('_s')} {value:.1f} s" for key, value in document["timings"].items() if value is not None
    ]
    if parts:
        out.show("took: " + ", ".join(parts))


def show_lab(out: Output, document: Mapping[str, Any]) -> None:
    """All of a lab that was just brought up, and what can be done with it."""
    show_nodes(out, document)
    show_certificate(out, document)
    show_timings(out, document)
    outside = [link["name"] for link in document["links"] if link["within"] is False]
    if outside:
        out.say(f"warning: measured outside its declaration: {', '.join(outside)} (epolab wan measure)")
    lab = document["lab"]
    first = next((f"{n['site']}/{n['name']}" for n in document["nodes"] if "agent" in n["components"]), "NODE")
    out.show(f"next: epolab verify {lab} | epolab ssh {lab}:{first} | epolab status {lab} | epolab down {lab}")


def show_counters(out: Output, links: Sequence[Mapping[str, Any]]) -> None:
    """The links as declared, and what they have carried."""
    rows = [
        (
            link["name"],
            link["driver"],
            way,
            shape_text(link["declared"][way]),
            *map(str, link["counters"][way].values()),
        )
        for link in links
        for way in ("a_to_b", "b_to_a")
    ]
    out.table("", ("link", "driver", "direction", "declared", "bytes", "packets", "dropped"), rows)
