from ipaddress import IPv6Address

from epolab.model import ports


def test_the_ports_are_those_of_the_domain() -> None:
    assert (ports.HTTP, ports.HTTPS, ports.CONSOLE, ports.CLIENT_AUTHENTICATED) == (80, 443, 8443, 8444)
    assert (ports.AGENT_WAKEUP, ports.BROADCAST, ports.RELAY) == (8081, 8082, 8083)
    assert ports.RELAY_DISCOVERY == (8082, 8083)


def test_the_discovery_group_is_on_the_link() -> None:
    group = IPv6Address(ports.DISCOVERY_GROUP_V6)
    assert group.is_multicast and group.packed[1] & 0x0F == 2
