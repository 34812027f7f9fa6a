"""Firewall rules about nobody, and about nodes that NAT hides from them."""

from __future__ import annotations

from epolab.model.firewall import ANY
from epolab.topology.draft import Draft, DraftSite
from epolab.topology.report import Located, Report, did_you_mean
from epolab.topology.v1 import RuleFile

MEANING = ("meaning", "firewalls")


def check_firewalls(draft: Draft, report: Report) -> None:
    """The firewall of every site."""
    for site in draft.sites:
        for rule in site.firewall.rules.value if site.firewall.rules else ():
            _check_rule(draft, site, rule, report)


def _check_rule(draft: Draft, site: DraftSite, rule: Located[RuleFile], report: Report) -> None:
    given = [body for body in (rule.value.allow, rule.value.deny) if body is not None]
    if len(given) != 1 and not report.spoiled("topology", "sites", site.name, "firewall", "rules"):
        message = "a rule is either `allow` or `deny`"
        report.error(rule.place, "rule-shape", message, "write `- allow: {from: …, to: …}`", MEANING)
    for body in given:
        for names in (body.value.sources, body.value.destinations):
            for name in names.value if names else ():
                _check_end(draft, site, name, report)
        for name in body.value.sources.value if body.value.sources else ():
            _check_hidden(draft, site, name, report)


def _check_end(draft: Draft, site: DraftSite, name: Located[str], report: Report) -> None:
    if draft.ends(name.value, site.name) or nodes_uncertain(report):
        return
    here = [node.name for node in site.nodes] + [node.base for node in site.nodes]
    known = [ANY, *draft.site_names, *draft.by_reference, *here]
    message = f'"{name.value}" is neither a site nor a node{did_you_mean(name.value, known)}'
    hint = f"sites: {', '.join(draft.site_names)}; nodes as `site/node`"
    report.error(name.place, "unknown-end", message, hint, MEANING)


def _check_hidden(draft: Draft, site: DraftSite, name: Located[str], report: Report) -> None:
    """A firewall does not see which node of a site behind NAT a connection comes from."""
    behind = {other.name for other in draft.sites if other.nat and other.name != site.name}
    ends = draft.ends(name.value, site.name)
    hidden = next((end for end in ends if "/" in end and end.partition("/")[0] in behind), None)
    if hidden is not None and "router" not in draft.by_path[hidden].components:
        home = hidden.partition("/")[0]
        message = f'"{home}" is behind NAT: the firewall of "{site.name}" never sees {hidden}, only the router there'
        report.warning(name.place, "source-behind-nat", message, f'write "{home}" for all of the site')


def nodes_uncertain(report: Report) -> bool:
    """Whether some node was not understood, so that a reference may well be to it."""
    return report.lost("topology", "sites", "*", "nodes", "*", "count")
