"""The verdict's forms: document, lines, JUnit, HTML."""

from xml.etree import ElementTree

from epolab.verify.report import Report, Result, failure_lines, html_page, junit, promise_lines

PASSED = Result("iptables", "hq/pc-1", "passed", "a rule", "as promised", "the rule stands", 0.5)
FAILED = Result("wan", "hq-tokyo", "failed", "10 Mbit/s", "9 <Mbit/s>", "the rate holds", 2.0)
SKIPPED = Result("relay", None, "skipped", "relays", "not applicable", "it needs a relay", 0.0)
REPORT = Report("demo", (PASSED, FAILED, SKIPPED))


def test_the_document_counts_and_lists() -> None:
    document = REPORT.to_document()
    assert (document["passed"], document["failed"], document["skipped"]) == (1, 1, 1)
    assert list(document) == ["lab", "passed", "failed", "skipped", "results"]


def test_one_failure_or_nothing_checked_is_negative() -> None:
    assert Report("demo", (PASSED, SKIPPED)).positive
    assert not REPORT.positive
    assert not Report("demo", (SKIPPED,)).positive


def test_people_get_a_line_per_promise_and_the_failures_in_full() -> None:
    assert promise_lines(REPORT) == [
        "passed   iptables     1 checks, 0.5 s",
        "skipped  relay        it needs a relay",
        "FAILED   wan          1 of 1 checks failed, 2.0 s",
    ]
    assert failure_lines(REPORT.results) == [
        "wan on hq-tokyo: the rate holds",
        "    expected: 10 Mbit/s",
        "    observed: 9 <Mbit/s>",
    ]


def test_junit_has_a_suite_per_promise() -> None:
    root = ElementTree.fromstring(junit(REPORT))
    assert [(s.get("name"), s.get("failures"), s.get("skipped")) for s in root] == [
        ("iptables", "0", "0"),
        ("relay", "0", "1"),
        ("wan", "1", "0"),
    ]


def test_html_escapes_what_was_observed() -> None:
    page = html_page(REPORT)
    assert "9 &lt;Mbit/s&gt;" in page
    assert "negative" in page
