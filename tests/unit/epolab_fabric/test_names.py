import string

from epolab_fabric.names import bridge_name, port_alias, port_alias_prefix, port_name, segment_alias

ALLOWED = set(string.ascii_lowercase + string.digits)


def test_device_names_fit_the_kernel_and_tell_segments_and_nodes_apart() -> None:
    names = [
        bridge_name("tokyo/lan"),
        bridge_name("tokyo/dmz"),
        port_name("tokyo/pc-1", "eth0"),
        port_name("tokyo/pc-1", "eth1"),
        port_name("tokyo/a-name-that-is-far-longer-than-a-device-may-be", "eth0"),
    ]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 15 and set(name) <= ALLOWED for name in names)


def test_names_are_the_same_in_every_run() -> None:
    assert bridge_name("tokyo/lan") == "brc37746fde35c"
    assert port_name("a/b", "eth0") == "vee0f5e0be234a"


def test_aliases_say_what_a_device_is_for() -> None:
    assert segment_alias("tokyo/lan") == "segment tokyo/lan"
    assert port_alias("tokyo/pc-1", "eth0") == "port tokyo/pc-1 eth0"
    assert port_alias("tokyo/pc-1", "eth0").startswith(port_alias_prefix("tokyo/pc-1"))
    assert not port_alias("tokyo/pc-10", "eth0").startswith(port_alias_prefix("tokyo/pc-1"))
