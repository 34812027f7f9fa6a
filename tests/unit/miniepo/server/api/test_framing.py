"""Replies to the byte (domain §7.2, §7.4)."""

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from miniepo.server.api import framing


def test_success_and_failure_have_cr_lf_after_the_first_line() -> None:
    assert framing.ok("true") == "OK:\r\ntrue"
    assert framing.error(1, "No such command: x") == "Error 1 :\r\nNo such command: x"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "[ ]"),
        ({"a": 1}, '{"a" : 1}'),
        (["x/y", "<b>"], '[ "x\\u002fy", "\\u003cb\\u003e" ]'),
        ({"t": datetime(2021, 11, 21, 21, 11, 42, tzinfo=UTC)}, '{"t" : "2021-11-21T21:11:42+00:00"}'),
        (None, "null"),
        (True, "true"),
    ],
)
def test_json_is_written_in_the_recorded_style(value: object, text: str) -> None:
    assert framing.write(value, "json") == text


def test_text_has_a_line_per_key_and_an_empty_line_between_objects() -> None:
    rows = [{"Id": 1, "Name": "a"}, {"Id": 2, "Name": None}]
    assert framing.write(rows, "terse") == "Id: 1\r\nName: a\r\n\r\nId: 2\r\nName: None\r\n"
    assert framing.write("abc", "verbose") == "abc"
    assert framing.write(["a", "b"], "terse") == "a\r\nb"


def test_xml_nests_each_entry_in_the_elements_of_its_command() -> None:
    text = framing.write([{"groupId": 2, "groupPath": "My <Org>\x01"}], "xml", "element/GroupEPO")
    root = ElementTree.fromstring(text.partition("\r\n")[2])
    assert root.tag == "result"
    assert root.findtext("list/element/GroupEPO/groupPath") == "My <Org>"
    plain = ElementTree.fromstring(framing.write("5.9.1", "xml").partition("\r\n")[2])
    assert plain.text == "5.9.1"
