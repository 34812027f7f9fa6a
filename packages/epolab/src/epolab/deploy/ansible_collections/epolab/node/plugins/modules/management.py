"""Ansible module: the server's management tree says what it is told, by the Web API; nothing is done twice."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from ansible.module_utils.basic import AnsibleModule  # type: ignore[import-untyped]

DOCUMENTATION = r"""
module: management
short_description: The server's management tree says what it is told
description:
  - Talks to C(/remote/) on the node itself as a console user whose password is read on the node.
  - Adds and changes. Systems with a full name that it is not told of are deleted, and so are assignments of policies
    to the groups and systems that it is told of.
  - Other groups with their assignments, policies, tasks, and systems without a full name are left alone.
options:
  user: {description: The console user., type: str, required: true}
  password_file: {description: The file on the node that holds the password., type: path, required: true}
  ca: {description: The file on the node that holds the CA., type: path, required: true}
  groups: {description: C(path) and C(systems) (full names)., type: list, elements: dict, required: true}
  policies: {description: "C(name), C(category), C(settings).", type: list, elements: dict, required: true}
  assignments: {description: C(policy) and C(group) or C(system)., type: list, elements: dict, required: true}
  tasks: {description: "C(name), C(type), C(every_seconds), C(group).", type: list, elements: dict, required: true}
  handler_groups: {description: "C(name), C(handlers), C(spread).", type: list, elements: dict, required: true}
  handler_rules: {description: "C(name), C(group), C(subnets), C(use).", type: list, elements: dict, required: true}
author: epolab
"""

LISTS = ("groups", "policies", "assignments", "tasks", "handler_groups", "handler_rules")
ARGUMENTS: dict[str, dict[str, Any]] = {
    "user": {"type": "str", "required": True},
    "password_file": {"type": "path", "required": True, "no_log": False},
    "ca": {"type": "path", "required": True},
    **{name: {"type": "list", "elements": "dict", "required": True} for name in LISTS},
}
ADDRESS, PORT = "127.0.0.1", 8443
ANSWER_SECONDS, ATTEMPTS, PAUSE_SECONDS = 30, 40, 0.5
PORTION = 250
PRODUCT = "EPOAGENTMETA"
GROUP, FQDN = "EPOBranchNode.AutoID", "EPOComputerProperties.IPHostName"
SYSTEM = "EPOComputerProperties.ParentID"


class ApiError(Exception):
    """The server answered with an error, or not at all."""


class Api(Protocol):
    """What is needed of the Web API."""

    def call(self, command: str, **arguments: str) -> Any:
        """One command; its answer."""

    def upload(self, command: str, name: str, value: Any) -> Any:
        """One command with a JSON file; its answer."""


class WebApi:
    """The Web API of the server on this node, over one connection."""

    def __init__(self, user: str, password: str, ca: str) -> None:
        trusted = ssl.create_default_context(cafile=ca)
        self._connection = http.client.HTTPSConnection(ADDRESS, PORT, timeout=ANSWER_SECONDS, context=trusted)
        self._headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    def call(self, command: str, **arguments: str) -> Any:
        """One command; its answer."""
        return self._request("GET", command, arguments, b"", {})

    def upload(self, command: str, name: str, value: Any) -> Any:
        """One command with a JSON file; its answer."""
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.json"\r\n'
        body = f"{head}Content-Type: application/json\r\n\r\n{json.dumps(value)}\r\n--{boundary}--\r\n".encode()
        return self._request("POST", command, {}, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def _request(
        self, method: str, command: str, arguments: Mapping[str, str], body: bytes, headers: Mapping[str, str]
    ) -> Any:
        query = urlencode({**arguments, ":output": "json"})
        self._connection.request(method, f"/remote/{command}?{query}", body, {**self._headers, **headers})
        answer = self._connection.getresponse()
        return value_of(command, answer.status, answer.read().decode())


def value_of(command: str, status: int, text: str) -> Any:
    """The value of an answer; ApiError if it is none."""
    head, _, body = text.partition("\r\n")
    if status != 200 or head != "OK:":
        raise ApiError(f"{command}: HTTP {status}, {text[:300]!r}")
    return json.loads(body)


def until_answering(api: WebApi) -> None:
    """Wait until the server answers its version; the port may be open before the database is."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            api.call("epo.getVersion")
        except (ApiError, OSError, http.client.HTTPException) as error:
            if attempt == ATTEMPTS:
                raise ApiError(f"the server does not answer: {error}") from error
            time.sleep(PAUSE_SECONDS)
        else:
            return


def in_portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many names at a time as go into one request's line."""
    return (names[start : start + PORTION] for start in range(0, len(names), PORTION))


def tree_path(path: str) -> str:
    """A group's path in the System Tree; an empty one is the root itself."""
    return "\\".join(["My Organization", *(part for part in path.split("/") if part)])


class Tree:
    """Brings the server's tree to what is wanted, and notes what was not so."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.changes: list[str] = []
        self.groups: dict[str, str] = {}
        self.systems: dict[str, Mapping[str, Any]] = {}

    def note(self, what: str, changed: object) -> None:
        """Record a change, if it was one."""
        if changed:
            self.changes.append(what)

    def make_groups(self, wanted: Sequence[Mapping[str, Any]]) -> None:
        """The groups are there; their numbers are known afterwards."""
        for group in wanted:
            if group["path"]:
                made = self.api.call("miniepo.createGroup", path=tree_path(group["path"]))
                self.note(f"group {group['path']}", made["changed"])
        self.groups = {entry["groupPath"]: str(entry["groupId"]) for entry in self.api.call("system.findGroups")}

    def delete_systems(self, wanted: Sequence[Mapping[str, Any]]) -> None:
        """A system that is in no group has left the lab; its repository and its assignments go with it."""
        self._read_systems()
        declared = {name.lower() for group in wanted for name in group["systems"]}
        gone = [name for name in self.systems if name and name.lower() not in declared]
        for some in in_portions(gone):
            self.api.call("system.delete", names=",".join(some))
        for name in gone:
            self.note(f"system {name} deleted", True)

    def place_systems(self, wanted: Sequence[Mapping[str, Any]]) -> None:
        """Each system is in its group, also before its agent has ever called in."""
        self._read_systems()
        for group in wanted:
            number = self.groups[tree_path(group["path"])]
            new = [name for name in group["systems"] if name not in self.systems]
            astray = [n for n in group["systems"] if n in self.systems and str(self.systems[n][GROUP]) != number]
            for some in in_portions(new):
                self.api.call("system.importSystem", names=",".join(some), branchNodeID=number)
            for some in in_portions(astray):
                self.api.call("system.move", names=",".join(some), parentGroupId=number)
            for name in [*new, *astray]:
                self.note(f"system {name} in {group['path'] or 'the root'}", True)
        self._read_systems()

    def _read_systems(self) -> None:
        self.systems = {str(row[FQDN] or ""): row for row in self.api.call("system.find", searchText="")}

    def import_policies(self, wanted: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """The policies are there with their settings; by name, as the server shows them."""
        if not wanted:
            return {}
        rows = self.api.upload("policy.importPolicy", "file", [dict(policy) for policy in wanted])
        for row in rows:
            self.note(f"policy {row['objectName']}", row["changed"])
        return {row["objectName"]: row for row in rows}

    def assign(self, wanted: Sequence[Mapping[str, Any]], policies: Mapping[str, Mapping[str, Any]]) -> None:
        """Policies are assigned to their groups and systems."""
        there = {
            (_text(entry["groupId"]), _text(entry["systemId"]), str(entry["objectId"]))
            for entry in self.api.call("miniepo.listAssignments")
        }
        for entry in wanted:
            policy = policies[entry["policy"]]
            key = self._assignee(entry)
            if (*key, str(policy["objectId"])) not in there:
                self._assign_one(entry, policy, key[0])
                self.note(f"policy {entry['policy']} for {entry.get('system') or entry.get('group') or 'all'}", True)

    def withdraw(self, wanted: Mapping[str, Any]) -> None:
        """Where a group or system of the lab has no policy of a category any more, it inherits again."""
        categories = {policy["name"]: policy["category"] for policy in wanted["policies"]}
        kept = {(*self._assignee(entry), categories[entry["policy"]]) for entry in wanted["assignments"]}
        own = {(self.groups[tree_path(path)], ""): path for path in ("", *(g["path"] for g in wanted["groups"]))}
        systems = [name for group in wanted["groups"] for name in group["systems"]]
        own |= {("", str(self.systems[name][SYSTEM])): name for name in systems}
        for entry in self.api.call("miniepo.listAssignments"):
            target = (_text(entry["groupId"]), _text(entry["systemId"]))
            if target in own and (*target, entry["category"]) not in kept:
                self._withdraw_one(entry, own[target])
                self.note(f"policy {entry['objectName']} withdrawn from {own[target] or 'all'}", True)

    def _withdraw_one(self, entry: Mapping[str, Any], name: str) -> None:
        what = {"productId": PRODUCT, "objectId": str(entry["objectId"]), "resetInheritance": "true"}
        if entry["systemId"] is not None:
            self.api.call("policy.assignToSystem", names=name, typeId="0", **what)
        else:
            self.api.call("policy.assignToGroup", groupId=str(entry["groupId"]), **what)

    def _assignee(self, entry: Mapping[str, Any]) -> tuple[str, str]:
        if entry.get("system"):
            return ("", str(self.systems[entry["system"]][SYSTEM]))
        return (self.groups[tree_path(entry.get("group") or "")], "")

    def _assign_one(self, entry: Mapping[str, Any], policy: Mapping[str, Any], group: str) -> None:
        what = {"productId": PRODUCT, "objectId": str(policy["objectId"])}
        if entry.get("system"):
            self.api.call("policy.assignToSystem", names=entry["system"], typeId=str(policy["typeId"]), **what)
        else:
            self.api.call("policy.assignToGroup", groupId=group, **what)

    def import_tasks(self, wanted: Sequence[Mapping[str, Any]]) -> None:
        """The client tasks are there and assigned."""
        if not wanted:
            return
        schedules = [
            {"name": task["name"], "type": task["type"], "schedule": {"every_seconds": task["every_seconds"]}}
            for task in wanted
        ]
        for row in self.api.upload("clienttask.importClientTask", "importFileName", schedules):
            self.note(f"task {row['objectName']}", row["changed"])
        for task in wanted:
            done = self.api.call("miniepo.assignTask", task=task["name"], group=tree_path(task["group"]))
            self.note(f"task {task['name']} for {task['group'] or 'all'}", done["changed"])

    def set_handler_groups(self, wanted: Sequence[Mapping[str, Any]]) -> None:
        """The handler groups are these."""
        done = self.api.call("miniepo.setHandlerGroups", groups=json.dumps([dict(group) for group in wanted]))
        self.note("handler groups", done["changed"])

    def set_handler_rules(self, wanted: Sequence[Mapping[str, Any]]) -> None:
        """The handler rules are these, in this order."""
        rules = [{key: value for key, value in rule.items() if value not in (None, "", [])} for rule in wanted]
        done = self.api.call("miniepo.setHandlerRules", rules=json.dumps([{"use": [], **rule} for rule in rules]))
        self.note("handler rules", done["changed"])


def _text(value: object) -> str:
    return "" if value is None else str(value)


def apply(wanted: Mapping[str, Any], api: Api) -> list[str]:
    """Bring the whole tree to what is wanted; says what was not so."""
    tree = Tree(api)
    tree.make_groups(wanted["groups"])
    policies = tree.import_policies(wanted["policies"])
    tree.set_handler_groups(wanted["handler_groups"])
    tree.set_handler_rules(wanted["handler_rules"])
    tree.import_tasks(wanted["tasks"])
    tree.delete_systems(wanted["groups"])
    tree.place_systems(wanted["groups"])
    tree.assign(wanted["assignments"], policies)
    tree.withdraw(wanted)
    return tree.changes


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=False)
    wanted = module.params
    try:
        api = WebApi(wanted["user"], Path(wanted["password_file"]).read_text().strip(), wanted["ca"])
        until_answering(api)
        changes = apply(wanted, api)
    except (ApiError, OSError, KeyError, ValueError, http.client.HTTPException) as error:
        module.fail_json(msg=f"{type(error).__name__}: {error}", invocation={})
    module.exit_json(changed=bool(changes), changes=changes, invocation={})


if __name__ == "__main__":
    main()
