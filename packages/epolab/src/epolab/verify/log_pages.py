"""The log pages that agents show on their port, fetched by the handlers that may call them, all of them at once."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from xml.etree import ElementTree

from epolab.model import facts
from epolab.model.node import Node
from epolab.verify.agents import port_of
from epolab.verify.witness import Witness

FETCH_SECONDS = 5.0
HANDLERS_AT_A_TIME = 4


@dataclass(frozen=True, slots=True)
class Page:
    """What came from an agent's address: the page, or nothing and what was said instead."""

    handler: str
    url: str
    text: str
    error: str


def fetch_script(urls: Sequence[str]) -> str:
    """A shell command that fetches them all at once; prints a page per line in base64, then what went wrong."""
    wanted = " ".join(f"{shlex.quote(url)} -o {number}" for number, url in enumerate(urls))
    fetch = f"curl -sS -g -Z --parallel-immediate --max-time {FETCH_SECONDS:g} {wanted} 2>said"
    show = f"for n in $(seq 0 {len(urls) - 1}); do base64 -w0 $n 2>/dev/null; echo; done; base64 -w0 said; echo"
    return f"bash -c {shlex.quote(f'cd $(mktemp -d) && {{ {fetch}; {show}; rm -r $PWD; }}')}"


def pages_of(handler: str, urls: Sequence[str], printed: str) -> list[Page]:
    """What the command printed, by URL."""
    *texts, said = (base64.b64decode(line).decode("utf-8", "replace") for line in printed.split("\n")[: len(urls) + 1])
    return [
        Page(handler, url, text, "" if text else said.strip() or "nothing came")
        for url, text in zip(urls, texts, strict=True)
    ]


def fetch(witness: Witness, nodes: Sequence[Node]) -> dict[str, list[Page]]:
    """The pages of these agents (by node path), by each handler that may call them, in both families."""
    found: dict[str, list[Page]] = {node.path: [] for node in nodes}
    handlers = facts.handlers(witness.topology)
    with ThreadPoolExecutor(HANDLERS_AT_A_TIME) as pool:
        for pages in pool.map(lambda handler: _fetch_from(witness, handler, nodes), handlers):
            for path, page in pages:
                found[path].append(page)
    return found


def _fetch_from(witness: Witness, handler: Node, nodes: Sequence[Node]) -> list[tuple[str, Page]]:
    """The pages that a handler may see, each with its agent's node path."""
    called = {
        f"http://{address}:{port_of(witness.topology, node)}/": node.path
        for node in nodes
        if handler in facts.wakers(witness.topology, node)
        for address in (str(node.ipv4), f"[{node.ipv6}]")
    }
    urls = list(called)
    pages = pages_of(handler.path, urls, witness.must(handler.path, fetch_script(urls))) if urls else []
    return [(called[page.url], page) for page in pages]


def page_troubles(node: Node, guid: str, pages: Sequence[Page]) -> list[tuple[str, str]]:
    """What is wrong with an agent's pages, as (expected, observed)."""
    wanted = ("naLog", node.name, f"{{{guid}}}")
    broken = []
    for page in pages:
        shown = f"{node.path}: {page.url} is shown to {page.handler}"
        try:
            root = ElementTree.fromstring(page.text)
        except ElementTree.ParseError as error:
            broken.append((shown, page.error or f"it is no XML: {error}"))
            continue
        seen = (root.tag, root.get("ComputerName"), root.get("AgentGUID"))
        if seen != wanted:
            broken.append((f"{node.path}: the page is {wanted}", f"it is {seen}"))
        elif root.find("Log") is None:
            broken.append((f"{node.path}: the log page has entries", "it has none"))
    return broken
