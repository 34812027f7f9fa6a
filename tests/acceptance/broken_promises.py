"""Breaking a lab behind its back, by hand on its nodes and in its fabric, and mending it the same way."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from epolab.components.wan import end_props
from epolab.model.topology import Topology
from tests.acceptance.lab import until

WORKER = ("python3", "-m", "epolab_fabric.worker")
STOP = "sv -w 60 force-stop /etc/service/{0}"
START = "sv -w 60 up /etc/service/{0}"
LIBRARY = "/opt/miniepo/lib/miniepo"
# a release's bytecode is taken for its code without a look, so it goes as long as the code is another
KEEP_CODE = "mkdir $kept && cp -p $from/$name.py $kept && mv $from/__pycache__/$name.*.pyc $kept && cat $from/$name.py"
OWN_CODE = "cp -p $kept/$name.py $from && mv $kept/$name.*.pyc $from/__pycache__ && rm -r $kept"
# a program that listens on a port in both families, and never answers
SQUATTER = """
import signal, socket
held = socket.create_server(("::", {port}), family=socket.AF_INET6, dualstack_ipv6=True)
signal.pause()
"""
PATIENCE_SECONDS = 30.0
SQL = "cd / && chpst -u postgres psql -qAtv ON_ERROR_STOP=1 epo -c"
TRIGGER = """CREATE FUNCTION stray() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$;
CREATE TRIGGER stray BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION stray();"""


def on(lab: str, node: str, script: str) -> str:
    """What a shell command prints on a node of the lab."""
    return inside(f"{lab}.{node.replace('/', '.')}", "bash", "-c", script)


def inside(container: str, *argv: str, given: str = "") -> str:
    """What a command prints in a container; it must succeed."""
    ran = subprocess.run(["docker", "exec", "-i", container, *argv], input=given, capture_output=True, text=True)
    assert ran.returncode == 0, f"{container}: {argv}: {ran.stderr}"
    return ran.stdout


@contextmanager
def undone(lab: str, node: str, script: str) -> Iterator[None]:
    """Whatever the block does, it is put back by this script."""
    try:
        yield
    finally:
        on(lab, node, script)


@contextmanager
def firewall_kept(lab: str, node: str, tool: str) -> Iterator[None]:
    """The firewall of a node (iptables or ip6tables) is afterwards what it was before."""
    saved = on(lab, node, f"{tool}-save")
    try:
        yield
    finally:
        inside(f"{lab}.{node.replace('/', '.')}", f"{tool}-restore", given=saved)


def rule(lab: str, node: str, tool: str, *words: str) -> str:
    """The first rule of INPUT that holds all these words, without its `-A INPUT`."""
    found = [line for line in rules(lab, node, tool) if all(word in line for word in words)]
    assert found, f"{node}: no rule with {words}"
    return found[0].removeprefix("-A INPUT ")


def rules(lab: str, node: str, tool: str) -> list[str]:
    """The rules of INPUT of a node (iptables or ip6tables), in their order."""
    return [line for line in on(lab, node, f"{tool} -S INPUT").splitlines() if line.startswith("-A INPUT ")]


@contextmanager
def file_kept(lab: str, node: str, *paths: str) -> Iterator[None]:
    """These files of a node are afterwards what they were before, owner and mode too."""
    names = " ".join(paths)
    on(lab, node, f"tar -cpPf /root/kept.tar {names}")
    with undone(lab, node, "tar -xpPf /root/kept.tar && rm /root/kept.tar"):
        yield


@contextmanager
def configured(lab: str, node: str, component: str, service: str, ready: str, **values: Any) -> Iterator[None]:
    """A component of a node runs with other values in its configuration; `ready` succeeds once it has started."""
    path = f"/etc/miniepo/{component}.json"
    changed = {**json.loads(on(lab, node, f"cat {path}")), **values}
    restart = f"sv -w 60 restart /etc/service/{service} && while ! {ready}; do sleep 0.2; done"
    with undone(lab, node, restart), file_kept(lab, node, path):
        on(lab, node, f"cat > {path} <<'END'\n{json.dumps(changed)}\nEND\n{restart}")
        yield


@contextmanager
def patched(lab: str, node: str, service: str, port: int, changes: Sequence[tuple[str, str, str]]) -> Iterator[None]:
    """A component of a node runs other code: in a module (such as `agent/wakeup.py`) a text becomes another.

    Afterwards it runs its own again, and listens on its port.
    """
    with ExitStack() as stack:
        stack.callback(restart, lab, node, service, port)
        for module in dict.fromkeys(module for module, _, _ in changes):
            room, _, name = module.removesuffix(".py").rpartition("/")
            words = f"from={LIBRARY}/{room} name={name} kept=/root/{service}.{name}.kept; "
            code = on(lab, node, words + KEEP_CODE)
            stack.enter_context(undone(lab, node, words + OWN_CODE))
            for _, old, new in (change for change in changes if change[0] == module):
                assert code.count(old) == 1, f"{node}: {module} has {old!r} {code.count(old)} times"
                code = code.replace(old, new)
            inside(f"{lab}.{node.replace('/', '.')}", "bash", "-c", words + "cat >$from/$name.py", given=code)
        restart(lab, node, service, port)
        yield


def restart(lab: str, node: str, service: str, port: int) -> None:
    """Start a service of a node anew, and wait until it listens on its port."""
    on(lab, node, f"{STOP}; {START}".format(service))
    assert until(lambda: listens(lab, node, port), PATIENCE_SECONDS), f"{node}: {service} is not on {port}/tcp"


@contextmanager
def port_taken(lab: str, node: str, port: int, service: str, user: str) -> Iterator[None]:
    """A service of a node is down, and a process of this user listens on its port in its place."""
    with undone(lab, node, START.format(service)):
        on(lab, node, STOP.format(service))
        program = shlex.quote(SQUATTER.format(port=port))
        squatter = on(lab, node, f"chpst -u {user} python3 -c {program} </dev/null &>/dev/null & echo $!").strip()
        with undone(lab, node, f"kill -KILL {squatter}"):
            assert until(lambda: listens(lab, node, port), PATIENCE_SECONDS), f"{node}: nobody took {port}/tcp"
            yield
    assert until(lambda: listens(lab, node, port), PATIENCE_SECONDS), f"{node}: {service} is not back on {port}/tcp"


def listens(lab: str, node: str, port: int) -> bool:
    """Whether somebody listens on a TCP port of a node."""
    return bool(on(lab, node, f"ss -Hltn 'sport = :{port}'").strip())


def is_down(lab: str, node: str, service: str) -> bool:
    """Whether a service of a node was stopped."""
    return on(lab, node, f"sv status /etc/service/{service}; true").startswith("down:")


@contextmanager
def led_away(lab: str, node: str, interface: str) -> Iterator[None]:
    """A node has an interface whose other end lies in a network namespace that is nobody's of the lab."""
    with subprocess.Popen(["unshare", "--net", "sleep", "infinity"]) as stranger:
        try:
            until_apart(stranger.pid)
            pair = ("type", "veth", "peer", "name", interface, "netns", str(stranger.pid))
            ip_of(lab, node, "link", "add", interface, *pair)
            try:
                yield
            finally:
                ip_of(lab, node, "link", "del", interface)
        finally:
            stranger.kill()


def until_apart(pid: int) -> None:
    """Wait until a process has left this process' network namespace."""
    ours = Path("/proc/self/ns/net").readlink()
    assert until(lambda: Path(f"/proc/{pid}/ns/net").readlink() != ours, PATIENCE_SECONDS), f"{pid} stays here"


def ip_of(lab: str, node: str, *words: str) -> None:
    """Run this machine's `ip` in the network namespace of a node; it must succeed."""
    asked = ["docker", "inspect", "-f", "{{.State.Pid}}", f"{lab}.{node.replace('/', '.')}"]
    pid = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    ran = subprocess.run(["nsenter", "-t", pid, "-n", "ip", *words], capture_output=True, text=True)
    assert ran.returncode == 0, f"{node}: ip {' '.join(words)}: {ran.stderr}"


@contextmanager
def rate_changed(lab: str, topology: Topology, name: str, factor: float) -> Iterator[None]:
    """The shaper of a link lets through another rate, in both directions."""
    link = next(link for link in topology.links if link.name == name)
    changed = {
        way: replace(shape, rate_bps=int((shape.rate_bps or 0) * factor))
        for way, shape in (("a_to_b", link.a_to_b), ("b_to_a", link.b_to_a))
    }
    declared = {"a_to_b": link.a_to_b, "b_to_a": link.b_to_a}
    ask_fabric(lab, "link_apply", **link_args(lab, topology, name), **{w: asdict(s) for w, s in changed.items()})
    try:
        yield
    finally:
        ask_fabric(lab, "link_apply", **link_args(lab, topology, name), **{w: asdict(s) for w, s in declared.items()})


def link_args(lab: str, topology: Topology, name: str) -> dict[str, Any]:
    """A link as it is applied now, but for its shapes."""
    link = next(link for link in topology.links if link.name == name)
    held = ask_fabric(lab, "link_state")[name]
    ends = {
        end: {**end_props(topology, link, site), "pid": held[end]["pid"], "sysctls": {}}
        for end, site in (("a", link.a), ("b", link.b))
    }
    return {"name": name, "driver": held["driver"], **ends}


def ask_fabric(lab: str, op: str, **args: Any) -> Any:
    """One operation of the fabric's worker."""
    asked = json.dumps({"id": 1, "op": op, "args": args}) + "\n"
    answer = json.loads(inside(f"{lab}.fabric", *WORKER, given=asked))
    assert answer["ok"], answer
    return answer["result"]


def foreign_certificate(names: str, days: int = 2) -> str:
    """A script that replaces a node's certificate by one for the same names, signed by a CA that the lab never saw."""
    tls = "/etc/miniepo/tls"
    return f"""set -e
cd "$(mktemp -d)"
curve="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
openssl req -x509 $curve -keyout ca.key -out ca.pem -days {days} -subj "/CN=Another CA" 2>/dev/null
openssl req $curve -keyout node.key -out node.csr -subj "/CN=node" 2>/dev/null
printf 'subjectAltName={names}\\n' > names
signed_by="-CA ca.pem -CAkey ca.key -CAcreateserial -days {days}"
openssl x509 -req -in node.csr $signed_by -extfile names -out node.pem 2>/dev/null
cat node.pem > {tls}/node.pem
cat node.key > {tls}/node.key
"""


def in_database(lab: str, statement: str) -> str:
    """What a statement gives on the node of the database."""
    return on(lab, "hq/sql", f"{SQL} {shlex.quote(statement)}").strip()


@contextmanager
def trigger(lab: str, table: str, body: str) -> Iterator[None]:
    """Each row that comes into a table of the database goes through this PL/pgSQL."""
    with undone(lab, "hq/sql", f"{SQL} {shlex.quote('DROP FUNCTION IF EXISTS stray CASCADE')}"):
        in_database(lab, TRIGGER.format(table=table, body=body))
        yield
