from epolab.model.link import Link, Shape
from epolab.wan.document import certificate_entry, declared_document, detail_document, measured_document
from epolab.wan.driver import PlainVeth, UserspaceCable
from epolab.wan.judge import Breach, Verdict
from epolab.wan.measured import DirectionFigures, LinkFigures, Loss, RoundTrips

SHAPE = Shape(rate_bps=2_000_000, delay_ms=60.0, loss_ratio=0.001)
LINK = Link("hq-india", "hq", "india", SHAPE, Shape(), ("rate", "delay", "loss"))
SEEN = LinkFigures(
    DirectionFigures(1_999_990.4, 60.1234, 0.05, Loss(40, 40_000), None),
    DirectionFigures(),
    RoundTrips(60.2, 60.9, 60.25, 200, 199),
    0.31234,
    None,
    12.34567,
)


def test_measured_is_as_the_contract_has_it_and_what_is_missing_is_null() -> None:
    assert measured_document(SEEN, "2026-01-31T12:00:00Z") == {
        "a_to_b": {"rate_bps": 1_999_990, "delay_ms": 60.123, "jitter_ms": 0.05, "loss_ratio": 0.001},
        "b_to_a": {"rate_bps": None, "delay_ms": None, "jitter_ms": None, "loss_ratio": None},
        "rtt_ms": {"median": 60.2, "p99": 60.9},
        "at": "2026-01-31T12:00:00Z",
        "noise_ms": 0.312,
    }
    nothing = measured_document(LinkFigures(DirectionFigures(), DirectionFigures()), "now")
    assert nothing["rtt_ms"] == {"median": None, "p99": None}


def test_declared_has_the_same_shape() -> None:
    declared = declared_document(LINK)
    assert declared["a_to_b"] == {"rate_bps": 2_000_000, "delay_ms": 60.0, "jitter_ms": 0.0, "loss_ratio": 0.001}
    assert declared["b_to_a"] == {"rate_bps": None, "delay_ms": 0.0, "jitter_ms": 0.0, "loss_ratio": 0.0}


def test_an_entry_says_what_is_degraded() -> None:
    assert certificate_entry(LINK, UserspaceCable(), SEEN, Verdict(()), "now")["degraded"] == []
    entry = certificate_entry(LINK, PlainVeth(), SEEN, Verdict(()), "now")
    assert (entry["within"], entry["degraded"]) == (True, ["rate", "delay", "loss"])


def test_the_detail_names_breaches_and_samples() -> None:
    detail = detail_document(SEEN, Verdict((Breach("rate", "a_to_b", "2", "1"),)), 3)
    assert (detail["breaches"], detail["tries"]) == (["rate a_to_b: 2, not 1"], 3)
    assert detail["a_to_b"] == {"loss_sample": 40_000, "lost": 40, "goodput_bps": None}
    assert (detail["rtt_mean_ms"], detail["rtt_sample"], detail["stall_ms"]) == (60.25, 199, 12.346)
