"""Ansible module: chains of the kernel's packet filter are exactly those given, IPv4 and IPv6."""

from __future__ import annotations

import itertools
import pwd
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule  # type: ignore[import-untyped]

DOCUMENTATION = r"""
module: firewall
short_description: Chains of the packet filter are exactly those given
description:
  - Keeps the rules in C(/etc/iptables/rules.v4) and C(rules.v6), from where the node restores them when it boots;
    chains that are not given stay there as they are.
  - Replaces each table in one transaction of iptables-restore, and only if the kernel's rules differ from the file.
options:
  v4:
    description: Chains of IPv4 tables in the form of iptables-save; counters do not matter.
    type: str
    required: true
  v6:
    description: Chains of IPv6 tables in the form of ip6tables-save.
    type: str
    required: true
author: epolab
"""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "v4": {"type": "str", "required": True},
    "v6": {"type": "str", "required": True},
}
FAMILIES = (("v4", "iptables"), ("v6", "ip6tables"))
RULES = Path("/etc/iptables")
BUILT_IN = ("INPUT", "FORWARD", "OUTPUT")

Chain = tuple[str, list[str]]
Tables = dict[tuple[str, str], Chain]
EMPTY: Chain = ("ACCEPT", [])
Run = Callable[..., tuple[int, str, str]]


class TableError(Exception):
    """The kernel refused a table, or keeps another one than it was given."""


def parse(text: str) -> Tables:
    """The chains of saved rules, by table and name: the policy and the rules as they stand."""
    tables: Tables = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            tables[table, name] = (policy, [])
        elif line.startswith("-A "):
            tables[table, line.split()[1]][1].append(line)
    return tables


def compose(tables: Tables) -> str:
    """Saved rules with these chains, as iptables-restore reads them."""
    lines = []
    for table in sorted({table for table, _ in tables}):
        chains = {name: chain for (of, name), chain in tables.items() if of == table}
        lines += [f"*{table}", *(f":{name} {policy} [0:0]" for name, (policy, _) in sorted(chains.items()))]
        lines += [rule for _, (_, rules) in sorted(chains.items()) for rule in rules]
        lines += ["COMMIT"]
    return "\n".join([*lines, ""])


def merged(kept: str, given: str) -> str:
    """The kept rules with the given chains in place of theirs."""
    return compose({("filter", chain): EMPTY for chain in BUILT_IN} | parse(kept) | parse(given))


def difference(wanted: str, live: str) -> str | None:
    """The first rule in which a wanted chain and the kernel's differ, in words; None if all are the same."""
    there = parse(live)
    for (table, name), chain in parse(wanted).items():
        pairs = itertools.zip_longest(canonical(chain), canonical(there.get((table, name), EMPTY)))
        for number, (one, other) in enumerate(pairs):
            if one != other:
                return f"{table} {name}, rule {number}: wanted {_text(one)}, the kernel has {_text(other)}"
    return None


def canonical(chain: Chain) -> list[tuple[str, ...]]:
    """The policy and the rules without what is written in different ways: quotes and user names."""
    policy, rules = chain
    return [("policy", policy), *(tuple(_numbered(shlex.split(rule))) for rule in rules)]


def _numbered(words: list[str]) -> Iterator[str]:
    previous = ""
    for word in words:
        yield str(pwd.getpwnam(word).pw_uid) if previous == "--uid-owner" and not word.isdigit() else word
        previous = word


def _text(rule: tuple[str, ...] | None) -> str:
    return shlex.join(rule) if rule else "nothing"


def live_rules(run: Run, program: str) -> str:
    """The kernel's rules, all tables."""
    code, out, error = run([f"{program}-save"])
    if code != 0:
        raise TableError(f"{program}-save: {error.strip()}")
    return out


def restore(run: Run, program: str, rules: str) -> None:
    """Replace the kernel's tables, each in one transaction, and see that they are there."""
    code, _, error = run([f"{program}-restore", "--wait"], data=rules)
    if code != 0:
        raise TableError(f"{program}-restore: {error.strip()}")
    left = difference(rules, live_rules(run, program))
    if left is not None:
        raise TableError(f"{program} keeps other rules than it was given: {left}")


def keep(path: Path, table: str) -> None:
    """Write the rule file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f"{path.suffix}.new")
    fresh.write_text(table)
    fresh.rename(path)


def apply(run: Run, family: str, program: str, given: str, *, dry: bool, folder: Path = RULES) -> list[str]:
    """Make the given chains of one family true; says what differed."""
    path = folder / f"rules.{family}"
    kept = path.read_text() if path.exists() else ""
    rules = merged(kept, given)
    differs = difference(rules, live_rules(run, program))
    if rules != kept and not dry:
        keep(path, rules)
    if differs and not dry:
        restore(run, program, rules)
    return [*([f"{path} differs"] if rules != kept else []), *([f"{program}: {differs}"] if differs else [])]


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    changes: list[str] = []
    try:
        for family, program in FAMILIES:
            changes += apply(module.run_command, family, program, module.params[family], dry=module.check_mode)
    except (TableError, OSError, ValueError, KeyError) as error:
        module.fail_json(msg=str(error), invocation={})
    module.exit_json(changed=bool(changes), differences=changes, invocation={})


if __name__ == "__main__":
    main()
