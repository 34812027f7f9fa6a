from epolab.model.firewall import FirewallException, SiteFirewall


def test_a_site_without_firewall_lets_everything_through() -> None:
    assert SiteFirewall() == SiteFirewall("allow", ())


def test_exceptions_are_values() -> None:
    one = FirewallException("tcp", 8081, ("10.0.0.1/32",), (), None, "x")
    other = FirewallException("tcp", 8081, ("10.0.0.1/32",), (), None, "x")
    assert len({one, other}) == 1
