"""The topology file, version 1, as it is written: its records, keys and what each value may be.

This is the file's own shape. `resolve` turns it into the model; the JSON Schema and the reference are made from it.
Every field is None where the key was left out or could not be understood.
"""

# ruff: noqa: RUF009 (the calls describe keys; what they return is frozen)

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from epolab.topology import words
from epolab.topology.compounds import Entries, Many, Record, Table, key
from epolab.topology.policy_settings import PolicyFile, PolicySpec
from epolab.topology.quantity import ASCI, DELAY, EVERY, LOSS, QUEUE, RATE, SIZE
from epolab.topology.report import Located
from epolab.topology.specs import AddressText, Amount, Choice, Flag, NetworkText, Text, Whole

Names = Located[tuple[Located[str], ...]]
Words = Many(words.END_REFERENCE, scalar_too=True, minimum=1)
NodeReferences = Many(words.NODE_REFERENCE, scalar_too=True, minimum=1)


@dataclass(frozen=True)
class NetworkFile:
    """One L2 segment of a site."""

    ipv4: Located[IPv4Network] | None = key(NetworkText(IPv4Network), "IPv4 network; left out: a free one is chosen")
    ipv6: Located[IPv6Network] | None = key(NetworkText(IPv6Network), "IPv6 network; left out: a free one is chosen")


@dataclass(frozen=True)
class NodeFile:
    """One node, or `count` identical ones."""

    components: Names | None = key(
        Many(Choice("component", words.COMPONENTS, words.COMPONENTS_LATER, "unknown-component", recover=True), True, 1),
        "What runs on the node. `relay` and `superagent` put an agent there, and declare policy, assignment and "
        "firewall exceptions; `repository` is a SuperAgent that keeps a repository, as `superagent` does by itself.",
        required=True,
        unless="swarm",
    )
    kind: Located[str] | None = key(Choice("kind", ("container", "vm")), "How the node runs; `container` by default")
    count: Located[int] | None = key(
        Whole(1, 200, "count-out-of-bounds"), "Makes that many nodes, named `<node>-1`, `<node>-2`, …"
    )
    swarm: Located[int] | None = key(
        Whole(1, 20_000, "swarm-out-of-bounds"),
        "Makes that many agents in one process of the node, and gives it the component `swarm`",
    )
    asci: Located[Decimal] | None = key(Amount(ASCI), "Agent-server communication interval of this node's agent")
    version: Located[str] | None = key(words.VERSION, "Agent version; `4.8.0` by default; a relay needs 4.8 or later")
    platform: Located[str] | None = key(
        Choice("platform", words.PLATFORMS),
        "What the agent says that it runs on, and behaves like; `Linux` by default; no relay runs on AIX",
    )
    image: Located[str] | None = key(Text("image"), "Image instead of the lab's own node image")
    memory: Located[Decimal] | None = key(Amount(SIZE), "Memory to reckon with; by default from the components")
    network: Names | None = key(
        Many(words.NETWORK_NAME, scalar_too=True, minimum=1),
        "The networks of the site that the node is on; by default the first one. A router is on all of them.",
    )
    ipv4: Located[IPv4Address] | None = key(AddressText(IPv4Address), "Fixed address on the node's first network")
    ipv6: Located[IPv6Address] | None = key(AddressText(IPv6Address), "Fixed address on the node's first network")


@dataclass(frozen=True)
class RuleBody:
    """Whom and what a firewall rule is about."""

    sources: Names | None = key(Words, "Where the connection comes from; left out: `any`", written="from")
    destinations: Names | None = key(Words, "Where the connection goes to; left out: `any`", written="to")
    protocol: Located[str] | None = key(
        Choice("protocol", ("tcp", "udp")), "Left out: every protocol, or `tcp` where ports are given"
    )
    ports: Located[tuple[Located[int], ...]] | None = key(
        Many(Whole(1, 65535, "bad-port", "leave `ports` out for all of them"), scalar_too=True, minimum=1),
        "Destination ports; left out: all",
    )


_RULE_BODY = Record(RuleBody, "a firewall rule")


@dataclass(frozen=True)
class RuleFile:
    """One firewall rule: `allow` or `deny`, exactly one of them."""

    allow: Located[RuleBody] | None = key(_RULE_BODY, "Let new connections through")
    deny: Located[RuleBody] | None = key(_RULE_BODY, "Drop new connections")


@dataclass(frozen=True)
class FirewallFile:
    """What a site's router forwards, in both directions; established connections always pass."""

    default: Located[str] | None = key(
        Choice("default", ("allow", "deny")), "What happens where no rule matches; `allow` by default"
    )
    rules: Located[tuple[Located[RuleFile], ...]] | None = key(
        Many(Record(RuleFile, "an entry of rules")), "Rules in order; the first that matches decides"
    )


@dataclass(frozen=True)
class SiteFile:
    """One site; its router is implicit unless a node has the component `router`."""

    networks: Located[Entries[Located[NetworkFile]]] | None = key(
        Table(words.NETWORK_NAME, Record(NetworkFile, "a network", empty_too=True)),
        "L2 segments by name; left out: one, called `lan`",
    )
    nodes: Located[Entries[Located[NodeFile]]] | None = key(
        Table(words.NODE_NAME, Record(NodeFile, "a node")), "Nodes by name"
    )
    nat: Located[bool] | None = key(
        Flag(),
        "Whether the site is behind NAT: what leaves it bears its router's address on the WAN link, in both families, "
        "and nobody outside opens a connection into it; `false` by default",
    )
    firewall: Located[FirewallFile] | None = key(
        Record(FirewallFile, "a site firewall", empty_too=True), "What the site's router forwards; left out: everything"
    )


@dataclass(frozen=True)
class ShapeFile:
    """One direction of a link, where it differs from the other."""

    rate: Located[Decimal] | None = key(Amount(RATE), "Bits per second")
    delay: Located[Decimal] | None = key(Amount(DELAY), "One way")
    jitter: Located[Decimal] | None = key(Amount(DELAY), "Standard deviation of the delay")
    loss: Located[Decimal] | None = key(Amount(LOSS), "Share of the packets that is lost")
    queue: Located[Decimal] | None = key(Amount(QUEUE), "Longest wait in the queue")


@dataclass(frozen=True)
class LinkFile:
    """One WAN link between two sites; without any shape it is a cable at LAN speed."""

    between: Names | None = key(Many(words.SITE_NAME, exactly=2), "The two sites, `[a, b]`", required=True)
    name: Located[str] | None = key(words.LINK_NAME, "Left out: `<a>-<b>`")
    rate: Located[Decimal] | None = key(Amount(RATE), "Bits per second; left out: not limited")
    delay: Located[Decimal] | None = key(Amount(DELAY), "One way, in each direction: a round trip takes twice as long")
    jitter: Located[Decimal] | None = key(Amount(DELAY), "Standard deviation of the delay, order kept")
    loss: Located[Decimal] | None = key(Amount(LOSS), "Share of the packets that is lost")
    queue: Located[Decimal] | None = key(
        Amount(QUEUE), "How long a packet may wait before the tail is dropped; `200ms` by default"
    )
    a_to_b: Located[ShapeFile] | None = key(Record(ShapeFile, "a direction"), "What differs from `a` to `b`")
    b_to_a: Located[ShapeFile] | None = key(Record(ShapeFile, "a direction"), "What differs from `b` to `a`")
    accept: Names | None = key(
        Many(Choice("property", ("rate", "delay", "jitter", "loss", "queue")), scalar_too=True),
        "What a host that cannot honour it may leave out, aloud",
    )


@dataclass(frozen=True)
class GroupFile:
    """One group of the System Tree."""

    systems: Names | None = key(Many(words.NODE_REFERENCE, scalar_too=True), "The agents in the group, as `site/node`")


@dataclass(frozen=True)
class AssignmentFile:
    """A policy for a group or for one system."""

    policy: Located[str] | None = key(words.TITLE, "Name of a policy", required=True)
    group: Located[str] | None = key(words.GROUP_PATH, "Path of a group")
    system: Located[str] | None = key(words.NODE_REFERENCE, "An agent, as `site/node`")


@dataclass(frozen=True)
class ScheduleFile:
    """When a task runs."""

    every: Located[Decimal] | None = key(Amount(EVERY), "Interval between two runs", required=True)


@dataclass(frozen=True)
class TaskFile:
    """A client task for the agents of a group."""

    name: Located[str] | None = key(words.TITLE, "Name of the task", required=True)
    type: Located[str] | None = key(
        Choice("task type", ("update",), words.TASK_TYPES_LATER), "What the task does", required=True
    )
    schedule: Located[ScheduleFile] | None = key(Record(ScheduleFile, "a schedule"), "When it runs", required=True)
    group: Located[str] | None = key(words.GROUP_PATH, "Path of a group; left out: all agents")


@dataclass(frozen=True)
class HandlerGroupFile:
    """Handlers under one name."""

    handlers: Names | None = key(
        NodeReferences, "Its handlers in order, as `site/node`; one may be in several groups", required=True
    )
    spread: Located[bool] | None = key(Flag(), "`true`: agents draw among them; `false`, in order, by default")


@dataclass(frozen=True)
class HandlerRuleFile:
    """Which handlers the agents of a group and of subnets use, in order."""

    name: Located[str] | None = key(words.TITLE, "Left out: made from the group or subnet")
    group: Located[str] | None = key(words.GROUP_PATH, "Path of a group")
    subnet: Names | None = key(
        Many(Text("subnet", r"[0-9a-fA-F:./]+", "a network such as `10.2.0.0/24`"), scalar_too=True, minimum=1),
        "Networks",
    )
    use: Names | None = key(
        Many(words.TITLE, scalar_too=True, minimum=1),
        "Handlers (`site/node`) and handler groups in priority order; `all`: agents draw among all handlers",
        required=True,
    )


@dataclass(frozen=True)
class RepositoryFile:
    """A distributed repository."""

    node: Located[str] | None = key(words.NODE_REFERENCE, "The SuperAgent that keeps it, as `site/node`", required=True)
    type: Located[str] | None = key(
        Choice("repository type", ("superagent",), words.REPOSITORY_TYPES_LATER), "`superagent` by default"
    )
    name: Located[str] | None = key(words.TITLE, "Name in site lists; left out: `ePOSA_<NODE>`")


@dataclass(frozen=True)
class ManagementFile:
    """What the server manages, beside what components stand for."""

    groups: Located[Entries[Located[GroupFile]]] | None = key(
        Table(words.GROUP_PATH, Record(GroupFile, "a group", empty_too=True)),
        "Groups by their path under My Organization; there is one per site already",
    )
    policies: Located[tuple[Located[PolicyFile], ...]] | None = key(Many(PolicySpec()), "Policy objects")
    assignments: Located[tuple[Located[AssignmentFile], ...]] | None = key(
        Many(Record(AssignmentFile, "an assignment")), "Which policy is in force where"
    )
    tasks: Located[tuple[Located[TaskFile], ...]] | None = key(Many(Record(TaskFile, "a task")), "Client tasks")
    handler_groups: Located[Entries[Located[HandlerGroupFile]]] | None = key(
        Table(words.HANDLER_GROUP, Record(HandlerGroupFile, "a handler group")), "Handlers that rules name together"
    )
    handlers: Located[tuple[Located[HandlerRuleFile], ...]] | None = key(
        Many(Record(HandlerRuleFile, "a handler rule")), "Handler assignment rules in priority order"
    )
    repositories: Located[tuple[Located[RepositoryFile], ...]] | None = key(
        Many(Record(RepositoryFile, "a repository")), "Distributed repositories beside those of components"
    )


@dataclass(frozen=True)
class LabFile:
    """A topology file."""

    epolab: Located[int] | None = key(
        Whole(1, 1, "unsupported-version"), "Version of the file format: `1`", required=True
    )
    name: Located[str] | None = key(words.LAB_NAME, "Name of the lab; left out: the file's stem")
    description: Located[str] | None = key(Text(), "What the lab is for")
    asci: Located[Decimal] | None = key(
        Amount(ASCI), "Agent-server communication interval: time compression; `10s` by default"
    )
    sites: Located[Entries[Located[SiteFile]]] | None = key(
        Table(words.SITE_NAME, Record(SiteFile, "a site", empty_too=True), minimum=1), "Sites by name", required=True
    )
    wan: Located[tuple[Located[LinkFile], ...]] | None = key(Many(Record(LinkFile, "a link")), "Links between sites")
    management: Located[ManagementFile] | None = key(
        Record(ManagementFile, "management", empty_too=True, later=words.MANAGEMENT_LATER), "What the server manages"
    )


LAB = Record(LabFile, "a topology")
