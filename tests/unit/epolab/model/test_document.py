import json
from ipaddress import IPv4Interface, IPv6Network

from epolab.model.document import to_document
from epolab.model.topology import Topology


def test_records_become_plain_values(quickstart: Topology) -> None:
    document = to_document(quickstart)
    assert json.loads(json.dumps(document)) == document
    assert document["sites"][1]["segments"][0]["ipv4"] == "10.1.0.0/24"


def test_addresses_become_text_and_numbers_stay() -> None:
    given = {"a": (IPv4Interface("10.0.0.1/8"), IPv6Network("fd00::/64")), "b": [1, 2.5, True, None]}
    assert to_document(given) == {"a": ["10.0.0.1/8", "fd00::/64"], "b": [1, 2.5, True, None]}
