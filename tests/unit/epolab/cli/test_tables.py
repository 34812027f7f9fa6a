"""A lab's document as a person reads it."""

import io

import pytest

from epolab.cli.output import Output
from epolab.cli.tables import shape_text, show_certificate, show_nodes, show_timings

SHAPE = {"rate_bps": 10_000_000, "delay_ms": 40.0, "jitter_ms": 0.0, "loss_ratio": 0.001}
LAN = {"rate_bps": None, "delay_ms": 0.0, "jitter_ms": 0.0, "loss_ratio": 0.0}
LINK = {
    "name": "hq-tokyo",
    "a": "hq",
    "b": "tokyo",
    "driver": "cable",
    "declared": {"a_to_b": SHAPE, "b_to_a": LAN},
    "measured": None,
    "within": None,
    "degraded": [],
}
NODE = {
    "site": "hq",
    "name": "pc-1",
    "kind": "container",
    "components": ["agent", "relay"],
    "state": "running",
    "addresses": [{"interface": "eth0", "cidr": "10.1.0.1/24", "family": 4}],
}


def shown(show, document):
    stdout = io.StringIO()
    show(Output(json_wanted=False, verbose=False, stdout=stdout, stderr=io.StringIO()), document)
    return stdout.getvalue()


@pytest.mark.parametrize(("shape", "text"), [(SHAPE, "10 Mbit/s, 40 ms, 0.1 % loss"), (LAN, "LAN speed"), (None, "-")])
def test_a_shape_in_words(shape, text):
    assert shape_text(shape) == text


def test_nodes():
    text = shown(show_nodes, {"lab": "x", "state": "ready", "nodes": [NODE]})
    assert "lab x: ready" in text
    assert "hq/pc-1  container  agent relay  running  10.1.0.1" in text


def test_the_certificate_has_a_line_for_each_direction():
    measured = {"a_to_b": SHAPE, "b_to_a": LAN}
    text = shown(show_certificate, {"links": [LINK | {"measured": measured, "within": False, "degraded": ["loss"]}]})
    assert "hq → tokyo" in text
    assert "tokyo → hq" in text
    assert text.count("OUTSIDE (degraded: loss)") == 2


def test_a_link_that_was_not_measured_says_so():
    assert "not measured" in shown(show_certificate, {"links": [LINK]})


def test_no_links_no_certificate():
    assert shown(show_certificate, {"links": []}) == ""


def test_parts_that_did_not_run_are_not_shown():
    assert shown(show_timings, {"timings": {"images_s": None, "engine_s": 2.0}}) == "took: engine 2.0 s\n"
