"""WAN links that lead nowhere or promise what no line keeps, and sites that nothing leads to."""

from __future__ import annotations

from epolab.model.link import Link
from epolab.model.paths import site_path
from epolab.topology.draft import Draft
from epolab.topology.report import Located, Report, did_you_mean
from epolab.topology.shaping import frame_ms, link_name, resolve_link
from epolab.topology.v1 import LinkFile
from epolab.yaml_file import Place

CABLE_BPS = 1_000_000_000


def check_links(draft: Draft, report: Report) -> None:
    """All links, each alone and against the others."""
    ends: dict[frozenset[str], Place] = {}
    names: dict[str, Place] = {}
    for link in draft.links:
        if link.value.between is None or len(link.value.between.value) != 2:
            continue
        _check_ends(draft, link, ends, report)
        _check_name(link, names, report)
        _check_shapes(link, report)
    if not report.spoiled("topology", "wan") and not report.lost("topology", "sites", "*"):
        _check_reached(draft, report)


def _check_ends(draft: Draft, link: Located[LinkFile], seen: dict[frozenset[str], Place], report: Report) -> None:
    between = link.value.between.value if link.value.between else ()
    unknown = [site for site in between if site.value not in draft.site_names]
    for site in unknown:
        if not report.lost("topology", "sites", "*"):
            message = f'there is no site "{site.value}"{did_you_mean(site.value, draft.site_names)}'
            report.error(
                site.place, "unknown-site", message, f"sites: {', '.join(draft.site_names)}", ("topology", "wan")
            )
    pair = frozenset(site.value for site in between)
    if len(pair) == 1:
        message = f'a link joins "{between[0].value}" with itself'
        report.error(between[1].place, "self-link", message, "name two sites", ("topology", "wan"))
    elif pair in seen:
        message = f"{between[0].value} and {between[1].value} are joined already on line {seen[pair].line}"
        report.error(link.place, "duplicate-link", message, "one link per pair of sites", ("topology", "wan"))
    else:
        seen[pair] = link.place


def _check_name(link: Located[LinkFile], seen: dict[str, Place], report: Report) -> None:
    name = link_name(link.value)
    written = link.value.name
    if name in seen and written is not None:
        message = f'another link is called "{name}"; it is on line {seen[name].line}'
        report.error(written.place, "link-name-taken", message, "give every link a name of its own")
    seen.setdefault(name, link.place)


def _check_shapes(link: Located[LinkFile], report: Report) -> None:
    resolved = resolve_link(link.value)
    found: dict[tuple[Place, str, str], tuple[str, str]] = {}
    for direction in ("a_to_b", "b_to_a"):
        _check_jitter(link.value, resolved, direction, report, found)
        _check_queue(link.value, resolved, direction, found)
        _check_rate(link.value, resolved, direction, found)
    for (place, code, severity), (message, hint) in found.items():
        (report.error if severity == "error" else report.warning)(place, code, message, hint)


def _place(link: LinkFile, direction: str, *names: str) -> Place:
    """Where the first of some values is written: in the direction, else in the link."""
    own = getattr(link, direction)
    records = ([own.value] if own else []) + [link]
    places = (getattr(record, name) for name in names for record in records)
    located = next((p for p in places if p is not None), None)
    return located.place if located is not None else Place(1, 1)


Found = dict[tuple[Place, str, str], tuple[str, str]]


def _check_jitter(link: LinkFile, resolved: Link, direction: str, report: Report, found: Found) -> None:
    shape = resolved.a_to_b if direction == "a_to_b" else resolved.b_to_a
    if shape.jitter_ms > shape.delay_ms and not report.spoiled("topology", "wan", "delay"):
        message = f"the jitter ({shape.jitter_ms:g} ms) is more than the delay ({shape.delay_ms:g} ms)"
        hint = "packets cannot arrive before they leave: raise the delay or lower the jitter"
        found[_place(link, direction, "jitter"), "jitter-exceeds-delay", "error"] = (message, hint)


def _check_queue(link: LinkFile, resolved: Link, direction: str, found: Found) -> None:
    shape = resolved.a_to_b if direction == "a_to_b" else resolved.b_to_a
    if shape.rate_bps is not None and shape.queue_ms < frame_ms(shape.rate_bps):
        least = frame_ms(shape.rate_bps)
        message = f"a queue of {shape.queue_ms:g} ms is too small: one full frame takes {least:.3g} ms at this rate"
        hint = f"at least {int(least) + 1}ms, better several times as much"
        found[_place(link, direction, "queue"), "queue-too-small", "error"] = (message, hint)


def _check_rate(link: LinkFile, resolved: Link, direction: str, found: Found) -> None:
    shape = resolved.a_to_b if direction == "a_to_b" else resolved.b_to_a
    if shape.rate_bps is not None and shape.rate_bps > CABLE_BPS:
        message = f"{shape.rate_bps / 1e9:g} Gbit/s is more than a userspace cable carries (1 Gbit/s)"
        hint = "leave the rate out for LAN speed, or expect the measurement to fail"
        found[_place(link, direction, "rate"), "rate-above-cable", "warning"] = (message, hint)


def _check_reached(draft: Draft, report: Report) -> None:
    links = tuple(resolve_link(link.value) for link in draft.links)
    servers = draft.with_component("server")
    start = servers[0].site if servers else next(iter(draft.site_names), "")
    for site in draft.sites:
        if site_path(links, start, site.name) is None:
            message = f'no link leads from "{start}" to the site "{site.name}"'
            hint = f"add `- between: [{start}, {site.name}]` to wan"
            report.error(site.place, "site-unreachable", message, hint, ("topology", "wan"))
