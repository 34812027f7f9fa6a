"""The fabric as a resource."""

from epolab.provider import fabric


def test_the_fabric_knows_every_segment(told, topology):
    assert told("Fabric")["fabric"]["segments"] == [segment.path for segment in topology.segments]


def test_it_is_told_what_the_provider_requires(told):
    assert fabric.check(told("Fabric")["fabric"]) == []
