"""The log page."""

import logging
from xml.etree import ElementTree

from miniepo.agent.log_page import LogPage


def record(name: str, level: int, text: str, created: float = 0.0) -> logging.LogRecord:
    made = logging.LogRecord(name, level, "", 0, text, None, None)
    made.created = created
    return made


def test_lines_carry_component_time_and_type() -> None:
    page = LogPage()
    page.handle(record("agent.enforcement", logging.INFO, "enforced"))
    page.handle(record("agent.update", logging.WARNING, "a < b & c\x00"))
    page.handle(record("agent.tasks", logging.ERROR, "late", 86_400.0))
    page.handle(record("agent.app", logging.INFO, "started"))
    root = ElementTree.fromstring(page.render('pc"1', "4.8.0", "E0F5"))
    assert (root.tag, root.attrib) == (
        "naLog",
        {"ComputerName": 'pc"1', "version": "4.8.0", "AgentGUID": "{E0F5}"},
    )
    lines = [(line.get("component"), line.get("type"), line.text) for line in root]
    assert lines == [
        ("2", "3", "enforced"),
        ("4", "2", "a < b & c "),
        ("64", "1", "late"),
        ("8192", "3", "started"),
    ]
    assert [line.get("time") for line in root][1:3] == ["1970-01-01T00:00:00", "1970-01-02T00:00:00"]


def test_the_declaration_and_the_stylesheet_come_first() -> None:
    first, second, _ = LogPage().render("pc-1", "4.8.0", "G").split("\n", 2)
    assert first == '<?xml version="1.0" encoding="UTF-8"?>'
    assert second == '<?xml-stylesheet type="text/xsl" href="FrameworkLog.xsl"?>'


def test_only_the_latest_lines_are_kept() -> None:
    page = LogPage(capacity=2)
    for text in ("one", "two", "three"):
        page.handle(record("agent", logging.INFO, text))
    assert ">one<" not in page.render("pc", "4", "G") and ">three<" in page.render("pc", "4", "G")
