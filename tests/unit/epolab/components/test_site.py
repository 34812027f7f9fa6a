"""A site as a component."""


def test_each_site_is_a_component(told):
    assert set(told("Site")) == {"hq", "tokyo"}
