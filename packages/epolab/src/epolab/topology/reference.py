"""The reference of topology files, `docs/topology.md`, made from the records that read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from epolab.topology import v1, words
from epolab.topology.compounds import Many, Record, Table, keys_of
from epolab.topology.policy_settings import CATEGORIES, SUPPORTED, PolicyKeys, PolicySpec
from epolab.topology.specs import Spec

COMPONENTS = {
    "server": "the management server with its built-in handler and Web API; exactly one in a lab",
    "sql": "the database; exactly one in a lab, on the server's node or its own",
    "handler": "a remote agent handler",
    "updates": "the vendor's update server, known as `update.nai.com`",
    "router": "the site's router; every site has one, so it is only written to name it or to give it other components",
    "dns": "a name server for its site; the implicit router is one already",
    "agent": "an agent",
    "relay": "an agent that becomes a relay by policy",
    "superagent": "an agent that becomes a SuperAgent with a repository by policy",
    "repository": "the same as `superagent`",
    "pushable": "no agent yet, but an administrator's account to push one to (`system.deployAgent`); its firewall has "
    "the exceptions that the agent will need",
    "swarm": "many agents in one process, as many as the key `swarm` says",
}

INTRODUCTION = """\
# Topology files

<!-- Generated: python -m epolab.topology reference > docs/topology.md -->

One YAML file describes one lab. `epolab validate FILE` shows everything that is wrong with it, each problem with line,
column and what would be right; `topologies/schema.json` lets an editor complete it
(`# yaml-language-server: $schema=schema.json` in its first line). Unknown and duplicate keys are errors, anchors and
aliases are allowed, merge keys (`<<`) and tags are not.

```yaml
epolab: 1
name: two-sites
asci: 10s

sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
  branch:
    networks:
      lan: {ipv4: 10.20.0.0/24, ipv6: "fd00:20::/64"}
    nodes:
      relay: {components: [relay], count: 2}
      pc: {components: [agent], count: 3}
    firewall:
      default: deny
      rules:
        - allow: {from: [relay], to: [hq], protocol: tcp, ports: [80, 443]}
        - allow: {from: [hq], to: [relay]}

wan:
  - between: [hq, branch]
    rate: 10mbit
    delay: 40ms
    loss: 0.1%
```

## What is filled in

- **Networks.** A site without `networks` has one, `lan`. Where a family is left out, the n-th site gets
  `10.n.0.0/24` and `fd00:n::/64` (n in hexadecimal) if those are free, its further networks `10.n.1.0/24` and so on.
  The router has `.1` and `::1`; nodes get `.10` and `::10` and up in the order of the file.
- **Routers.** A site without a node of component `router` has one called `router`, which is its name server too.
  It is on all networks of the site and has an interface `wan-<site>` per link, with addresses of `100.64.0.0/10` and
  `fd00:64::/32`. Routes follow the path with the fewest links; of equal ones that of the links that come first.
- **Names.** A node is `<node>.<site>.test`, by its addresses on its first network; `update.nai.com` is the update
  server.
- **Links.** A link without rate, delay, jitter and loss is a cable at LAN speed. The queue is `200ms`, on very thin
  lines the time of four full frames.
- **Agents.** Version `4.8.0`. The System Tree has one group per site, with its agents, and below it `1_SuperAgents`
  and `2_Relays`, each with the policy that turns them into what they are. Every category has a default policy at the
  root (`My Organization`); an agent with its own `asci` has a policy of its own. Without `tasks` there is one update
  task.
- **Roles.** The policy in force on an agent decides what it is: its own, else that of the nearest group. One that is
  `enabled` makes a relay or SuperAgent without any component; one that is not contradicts the component, which is an
  error. A relay and a SuperAgent serve the segment of their first network.
- **Firewalls of nodes.** Their exceptions follow the relays and SuperAgents that the file declares, by component or by
  policy. A role that is turned on later, at the server, opens nothing: what it listens on stays closed until the file
  declares it too.
- **Handlers.** The last handler rule is for everyone else: all handlers, the server first. Write
  `{group: My Organization, use: all}` to have agents draw among all of them instead.

## Equivalent forms

A single word may stand for a list of one: `components: agent`, `from: hq`, `use: hq/epo`, `ports: 443`. A site, a
network or a group may be empty. A node of a firewall rule's own site needs no `site/` in front. The name of a `count`
stands for all its nodes. Units may be written with a space, with `/s` and in any case: `10 Mbit/s`. In the path of a
group, `My Organization` in front and `\\` between levels are accepted. The forms of the example are the canonical ones.

## Components

"""


def reference() -> str:
    """The whole page."""
    return INTRODUCTION + "\n".join([*_components(), *_sections(), *_settings(), *_later()]) + "\n"


def _components() -> Iterator[str]:
    yield "| component | what it is |"
    yield "| --- | --- |"
    for word in words.COMPONENTS:
        yield f"| `{word}` | {COMPONENTS[word]} |"
    yield ""


def _sections() -> Iterator[str]:
    for record in _records(v1.LAB, []):
        yield f"## Keys of {record.noun}"
        yield ""
        yield "| key | value | meaning |"
        yield "| --- | --- | --- |"
        for name, (_, key) in keys_of(record.of).items():
            unless = f" unless `{key.unless}` is there" if key.unless else ""
            required = f" **Required{unless}.**" if key.required else ""
            yield f"| `{name}` | {key.spec.describe()} | {key.meaning}.{required} |".replace("..", ".")
        yield ""


def _records(spec: Spec[Any], seen: list[type[Any]]) -> Iterator[Record[Any]]:
    """All records, outer ones first, each once."""
    record = _record_of(spec)
    if record is None or record.of in seen:
        return
    seen.append(record.of)
    yield record
    for _, key in keys_of(record.of).values():
        yield from _records(key.spec, seen)


def _record_of(spec: Spec[Any]) -> Record[Any] | None:
    while isinstance(spec, Many | Table):
        spec = spec.item if isinstance(spec, Many) else spec.value
    if isinstance(spec, PolicySpec):
        return Record(PolicyKeys, "a policy")
    return spec if isinstance(spec, Record) else None


def _settings() -> Iterator[str]:
    yield "## Policy settings"
    yield ""
    yield "| category | setting | value | default | meaning |"
    yield "| --- | --- | --- | --- | --- |"
    for category, settings in CATEGORIES.items():
        for name, (spec, default, meaning) in settings.items():
            yield f"| `{category}` | `{name}` | {spec.describe()} | `{_shown(default)}` | {meaning} |"
    yield ""


def _shown(value: object) -> str:
    if value is None:
        return "by version"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _later() -> Iterator[str]:
    yield "## Not supported yet"
    yield ""
    known = {
        **words.COMPONENTS_LATER,
        **words.MANAGEMENT_LATER,
        **words.REPOSITORY_TYPES_LATER,
        **words.TASK_TYPES_LATER,
        "nat: true": "a site firewall can deny by default",
    }
    for word, instead in known.items():
        yield f"- `{word}`: {instead}."
    for name, (_, instead) in SUPPORTED.items():
        yield f"- Other values of the policy setting `{name}`: {instead}."
