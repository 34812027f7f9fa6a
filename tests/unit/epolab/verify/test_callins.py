"""Which call-in of an agent counts: the last one, whatever order the server tells them in."""

from epolab.verify.callins import CallIn, newest


def row(fqdn: str, handler: str, received: float, relay: str | None = None) -> dict[str, object]:
    return {"fqdn": fqdn, "handler": handler, "via_relay": relay, "reason": "asci", "received": received}


def test_the_last_call_in_of_each_agent_counts() -> None:
    rows = [row("pc.a.test", "hq/epo", 3.0), row("pc.a.test", "dmz/ah", 2.0), row("pc.b.test", "dmz/ah", 1.0, "r-1")]
    assert newest(rows) == {
        "pc.a.test": CallIn("hq/epo", None, "asci", 3.0),
        "pc.b.test": CallIn("dmz/ah", "r-1", "asci", 1.0),
    }


def test_a_call_in_names_its_relay() -> None:
    assert CallIn("hq/epo", None, "asci", 0.0).text == "hq/epo"
    assert CallIn("hq/epo", "r-1", "asci", 0.0).text == "hq/epo through relay r-1"
