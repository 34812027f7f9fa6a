from pathlib import Path

import pytest

from epolab.topology.report import Report
from epolab.topology.v1 import LAB
from epolab.yaml_file import parse_text, read_yaml

ROOT = Path(__file__).parents[4]


def test_the_quickstart_is_read_without_a_word() -> None:
    report = Report("f")
    root = read_yaml(ROOT / "topologies/quickstart.yaml").root
    assert root is not None
    lab = LAB.decode(root, ("topology",), report)
    assert report.problems == [] and lab is not None and lab.value.sites is not None
    assert [name.value for name, _ in lab.value.sites.value] == ["internet", "hq", "dmz", "tokyo", "india"]


FORMS = ("{components: agent}", "{components: [agent]}", "\n        components:\n        - agent")


@pytest.mark.parametrize("form", FORMS)
def test_equivalent_forms_are_read_alike(form: str) -> None:
    root = parse_text(f"epolab: 1\nsites:\n  hq:\n    nodes:\n      pc: {form}\n", "f").root
    assert root is not None
    lab = LAB.decode(root, ("topology",), Report("f"))
    assert lab is not None and lab.value.sites is not None
    nodes = lab.value.sites.value[0][1].value.nodes
    assert nodes is not None and nodes.value[0][1].value.components is not None
    assert [word.value for word in nodes.value[0][1].value.components.value] == ["agent"]
