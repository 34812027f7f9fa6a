"""The management tree: what is missing is made, what is there is not made again, and each change is told."""

import json
from typing import Any

import pytest

from epolab.deploy.ansible_collections.epolab.node.plugins.modules.management import (
    ApiError,
    apply,
    in_portions,
    tree_path,
    value_of,
)

WANTED: dict[str, Any] = {
    "groups": [{"path": "tokyo", "systems": ["pc-1.tokyo.test"]}, {"path": "tokyo/2_Relays", "systems": []}],
    "policies": [{"name": "Relay on", "category": "relay", "settings": {"enabled": True}}],
    "assignments": [
        {"policy": "Relay on", "group": "tokyo/2_Relays", "system": None},
        {"policy": "Relay on", "group": None, "system": "pc-1.tokyo.test"},
    ],
    "tasks": [{"name": "Update", "type": "update", "every_seconds": 60.0, "group": ""}],
    "handler_groups": [{"name": "DMZ", "handlers": ["dmz/ah-1", "dmz/ah-2"], "spread": True}],
    "handler_rules": [{"name": "Default", "group": None, "subnets": [], "use": ["hq/epo"]}],
}


class Server:
    """A server that remembers; `said` are the commands that changed something."""

    def __init__(self) -> None:
        self.groups = {"My Organization": 2}
        self.systems: dict[str, int] = {}
        self.policies: dict[str, Any] = {}
        self.assignments: list[dict[str, Any]] = []
        self.tasks: dict[str, Any] = {}
        self.assigned: set[tuple[str, str]] = set()
        self.rules: Any = None
        self.handler_groups: Any = []
        self.said: list[str] = []

    def call(self, command: str, **arguments: str) -> Any:
        answer: Any = getattr(self, command.replace(".", "_"))(**arguments)
        return answer

    def upload(self, command: str, name: str, value: Any) -> Any:
        kept = self.policies if command == "policy.importPolicy" else self.tasks
        rows = []
        for number, entry in enumerate(value, start=1):
            rows.append({"objectName": entry["name"], "objectId": number, "typeId": 3})
            rows[-1]["changed"] = kept.get(entry["name"]) != entry
            kept[entry["name"]] = entry
        return rows

    def miniepo_createGroup(self, path: str) -> Any:
        changed = path not in self.groups
        self.groups.setdefault(path, len(self.groups) + 2)
        return {"groupId": self.groups[path], "changed": changed}

    def system_findGroups(self) -> Any:
        return [{"groupPath": path, "groupId": number} for path, number in self.groups.items()]

    def system_find(self, searchText: str) -> Any:
        return [
            {
                "EPOComputerProperties.IPHostName": name,
                "EPOBranchNode.AutoID": group,
                "EPOComputerProperties.ParentID": 7 + number,
            }
            for number, (name, group) in enumerate(self.systems.items())
        ]

    def system_delete(self, names: str) -> Any:
        self.said.append("delete")
        for name in names.split(","):
            del self.systems[name]

    def system_importSystem(self, names: str, branchNodeID: str) -> Any:
        self.said.append("import")
        self.systems |= {name: int(branchNodeID) for name in names.split(",")}

    def system_move(self, names: str, parentGroupId: str) -> Any:
        self.said.append("move")
        self.systems |= {name: int(parentGroupId) for name in names.split(",")}

    def miniepo_listAssignments(self) -> Any:
        return self.assignments

    def policy_assignToGroup(self, groupId: str, productId: str, objectId: str, resetInheritance: str = "") -> Any:
        self._assign(int(groupId), None, int(objectId), resetInheritance)

    def policy_assignToSystem(
        self, names: str, typeId: str, productId: str, objectId: str, resetInheritance: str = ""
    ) -> Any:
        self._assign(None, 7 + list(self.systems).index(names), int(objectId), resetInheritance)

    def _assign(self, group: int | None, system: int | None, number: int, reset: str) -> None:
        """One policy of a category stands on a target at most, as in the server's own table."""
        name, policy = list(self.policies.items())[number - 1]
        target = {"groupId": group, "systemId": system, "category": policy["category"]}
        self.assignments = [there for there in self.assignments if not target.items() <= there.items()]
        if reset != "true":
            self.assignments.append({**target, "objectId": number, "objectName": name})

    def miniepo_assignTask(self, task: str, group: str) -> Any:
        changed = (task, group) not in self.assigned
        self.assigned.add((task, group))
        return {"changed": changed}

    def miniepo_setHandlerGroups(self, groups: str) -> Any:
        changed, self.handler_groups = self.handler_groups != json.loads(groups), json.loads(groups)
        return {"changed": changed}

    def miniepo_setHandlerRules(self, rules: str) -> Any:
        changed, self.rules = self.rules != json.loads(rules), json.loads(rules)
        return {"changed": changed}


def test_a_new_server_gets_everything() -> None:
    server = Server()
    changes = apply(WANTED, server)
    assert changes == [
        "group tokyo",
        "group tokyo/2_Relays",
        "policy Relay on",
        "handler groups",
        "handler rules",
        "task Update",
        "task Update for all",
        "system pc-1.tokyo.test in tokyo",
        "policy Relay on for tokyo/2_Relays",
        "policy Relay on for pc-1.tokyo.test",
    ]
    assert server.rules == [{"name": "Default", "use": ["hq/epo"]}]
    assert server.tasks["Update"]["schedule"] == {"every_seconds": 60.0}


def test_the_second_time_nothing_changes() -> None:
    server = Server()
    apply(WANTED, server)
    server.said.clear()
    assert apply(WANTED, server) == []
    assert server.said == []
    assert len(server.assignments) == 2


def test_a_system_in_another_group_is_moved() -> None:
    server = Server()
    server.systems["pc-1.tokyo.test"] = 99
    assert "system pc-1.tokyo.test in tokyo" in apply(WANTED, server)
    assert server.said == ["move"]


def test_a_system_that_left_the_lab_is_deleted() -> None:
    server = Server()
    apply(WANTED, server)
    server.said.clear()
    server.systems |= {"gone.tokyo.test": 3, "": 3}
    assert apply(WANTED, server) == ["system gone.tokyo.test deleted"]
    assert list(server.systems) == ["pc-1.tokyo.test", ""], "what has no full name was put there by hand"
    assert server.said == ["delete"]
    assert apply(WANTED, server) == []


def test_an_assignment_that_left_the_lab_is_withdrawn() -> None:
    server = Server()
    apply(WANTED, server)
    assert apply(WANTED | {"assignments": WANTED["assignments"][:1]}, server) == [
        "policy Relay on withdrawn from pc-1.tokyo.test"
    ]
    changes = apply(WANTED | {"assignments": []}, server)
    assert changes == ["policy Relay on withdrawn from tokyo/2_Relays"]
    assert server.assignments == []


def test_a_group_that_people_made_keeps_what_they_assigned() -> None:
    server = Server()
    apply(WANTED, server)
    server.groups["My Organization\\by hand"] = 50
    server.policy_assignToGroup("50", "", "1")
    assert apply(WANTED, server) == []
    assert len(server.assignments) == 3


def test_another_policy_of_the_category_takes_the_place_of_the_first() -> None:
    server = Server()
    apply(WANTED, server)
    policies = [*WANTED["policies"], {"name": "Relay off", "category": "relay", "settings": {"enabled": False}}]
    assignments = [WANTED["assignments"][0] | {"policy": "Relay off"}, WANTED["assignments"][1]]
    changes = apply(WANTED | {"policies": policies, "assignments": assignments}, server)
    assert changes == ["policy Relay off", "policy Relay off for tokyo/2_Relays"]
    assert [there["objectName"] for there in server.assignments] == ["Relay on", "Relay off"]


def test_a_group_is_below_the_root() -> None:
    assert tree_path("tokyo/2_Relays") == "My Organization\\tokyo\\2_Relays"
    assert tree_path("") == "My Organization"


def test_an_answer_is_a_value_or_an_error() -> None:
    assert value_of("x", 200, 'OK:\r\n{"a" : 1}') == {"a": 1}
    with pytest.raises(ApiError, match="No such command"):
        value_of("x", 200, "Error 1 :\r\nNo such command: x")
    with pytest.raises(ApiError, match="HTTP 401"):
        value_of("x", 401, "OK:\r\n1")


def test_names_go_in_portions_that_fit_a_requests_line() -> None:
    assert [len(some) for some in in_portions(["x"] * 501)] == [250, 250, 1]
    assert list(in_portions([])) == []
