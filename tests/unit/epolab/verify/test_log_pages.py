"""How log pages are fetched and judged."""

import base64
import subprocess
from pathlib import Path

import pytest

from epolab.topology import load_topology
from epolab.verify.log_pages import Page, fetch_script, page_troubles, pages_of

NODE = load_topology(Path(__file__).parents[4] / "topologies/minimal.yaml").nodes[0]
PAGE = f'<naLog ComputerName="{NODE.name}" AgentGUID="{{G}}"><Log/></naLog>'
URL = "http://10.0.0.1:8081/"


def test_pages_come_in_the_order_of_their_urls_and_what_failed_is_told(tmp_path: Path) -> None:
    there, gone = (tmp_path / "page").as_uri(), (tmp_path / "gone").as_uri()
    (tmp_path / "page").write_text("ä page\n")
    ran = subprocess.run(["sh", "-c", fetch_script([there, gone])], capture_output=True, text=True, check=True)
    found = pages_of("hq/epo", [there, gone], ran.stdout)
    assert found[0] == Page("hq/epo", there, "ä page\n", "")
    assert found[1].text == "" and "gone" in found[1].error


def test_a_page_that_did_not_come_is_told_even_without_words() -> None:
    printed = f"{base64.b64encode(b'x').decode()}\n\n\n"
    assert [page.error for page in pages_of("h", ["a", "b"], printed)] == ["", "nothing came"]


def test_the_agents_own_page_is_right() -> None:
    assert page_troubles(NODE, "G", [Page("hq/epo", URL, PAGE, "")]) == []


@pytest.mark.parametrize(
    ("text", "error", "expected", "observed"),
    [
        ("", "timed out", f"{URL} is shown to hq/epo", "timed out"),
        ("403", "", f"{URL} is shown to hq/epo", "it is no XML"),
        (PAGE.replace("{G}", "{H}"), "", "the page is", "{H}"),
        (PAGE.replace("<Log/>", ""), "", "has entries", "none"),
    ],
)
def test_any_other_page_is_wrong(text: str, error: str, expected: str, observed: str) -> None:
    ((wanted, seen),) = page_troubles(NODE, "G", [Page("hq/epo", URL, text, error)])
    assert expected in wanted and observed in seen
