from epolab.model.management import Group, Policy


def test_a_group_is_written_below_my_organization() -> None:
    assert Group("tokyo/2_Relays", ()).tree_path == "My Organization\\tokyo\\2_Relays"
    assert Group("", ()).tree_path == "My Organization"


def test_a_policy_can_be_hashed_although_its_settings_cannot() -> None:
    assert len({Policy("a", "relay", {"enabled": True}), Policy("a", "relay", {"enabled": True})}) == 1
