"""What the server says about readiness."""

import pytest

from epolab.errors import ContainerError
from epolab.steps.ready import missing, parse

READY = {
    "systems": [{"name": "pc-1", "fqdn": "pc-1.hq.test", "ready": True}],
    "repositories": [{"name": "tokyo/sa", "ready": True}],
    "handlers": [{"name": "hq/epo", "ready": True}],
}


def test_nothing_is_missing():
    assert missing(READY, ["pc-1.hq.test"]) == []


def test_a_system_that_never_called_in_is_missed():
    assert missing(READY, ["pc-1.hq.test", "pc-2.hq.test"]) == ["pc-2.hq.test: has not called in"]


@pytest.mark.parametrize("kind", ["systems", "repositories", "handlers"])
def test_what_is_there_but_not_ready_is_named(kind):
    document = READY | {kind: [READY[kind][0] | {"ready": False, "problems": "slow"}]}
    assert missing(document, ["pc-1.hq.test"]) == [f"{READY[kind][0]['name']} ({kind}): slow"]


def test_the_web_apis_answer():
    assert parse('OK:\r\n{"systems": []}') == {"systems": []}


@pytest.mark.parametrize("text", ["", "Error 1 :\r\nno", "<html>"])
def test_another_answer_is_a_failure(text):
    with pytest.raises(ContainerError):
        parse(text)
