"""Systems of a System Tree as tests need them."""

from typing import Any

from miniepo.store.systems import System

_PLAIN: dict[str, Any] = {
    "id": 7, "group_id": 2, "group_path": "", "name": "pc-1", "guid": "G", "version": "4.8.0", "last_update": None,
    "public_key": "k", "props_version": "", "policy_version": "", "tasks_version": "", "sitelist_version": "",
    "problems": "", "last_wakeup_id": None, "via_relay": None, "remote_address": "", "computer_name": "PC-1",
    "fqdn": "pc-1.test", "address": "10.0.0.7", "ipv6": "", "last_handler_id": None, "properties": {},
}  # fmt: skip


def system(**values: Any) -> System:
    """A system with an agent; fields that no test names are empty."""
    known = {name: _PLAIN.get(name, _EMPTY.get(str(kind), "")) for name, kind in System.__annotations__.items()}
    return System(**{**known, **values})


_EMPTY: dict[str, Any] = {"int": 0, "bool": False, "float": 0.0}
