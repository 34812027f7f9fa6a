import re

from epolab.topology import load_text
from epolab.topology.compounds import keys_of
from epolab.topology.policy_settings import CATEGORIES
from epolab.topology.reference import reference
from epolab.topology.v1 import LabFile, LinkFile, NodeFile


def test_every_key_and_setting_is_there() -> None:
    page = reference()
    words = {*keys_of(LabFile), *keys_of(NodeFile), *keys_of(LinkFile)}
    words |= {name for settings in CATEGORIES.values() for name in settings}
    assert [word for word in words if f"`{word}`" not in page] == []


def test_its_example_is_valid() -> None:
    found = re.search(r"```yaml\n(.*?)```", reference(), re.DOTALL)
    assert found is not None
    loaded = load_text(found[1].encode(), "example.yaml")
    assert loaded.valid, [problem.render() for problem in loaded.problems]


def test_tables_are_whole() -> None:
    for line in reference().splitlines():
        assert not line.startswith("|") or line.endswith("|")
