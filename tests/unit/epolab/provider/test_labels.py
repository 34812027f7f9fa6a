"""Names and labels."""

from epolab.provider import labels


def test_names_of_containers():
    assert labels.fabric_container("lab") == "lab.fabric"
    assert labels.node_container("lab", "tokyo/pc-1") == "lab.tokyo.pc-1"


def test_no_expiry_is_a_word():
    props = {"lab": "a", "owner": "b", "expires": ""}
    assert labels.lab_labels(props) == {"epolab.lab": "a", "epolab.owner": "b", "epolab.expires": "never"}


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert labels.digest_of({"a": 1, "b": 2}) == labels.digest_of({"b": 2, "a": 1})
    assert labels.digest_of({"a": 1}) != labels.digest_of({"a": 2})
