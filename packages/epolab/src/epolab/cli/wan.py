"""`epolab wan`: the links of a lab."""

from __future__ import annotations

import argparse

from epolab.cli.output import Output
from epolab.cli.progress import PeopleProgress
from epolab.cli.tables import show_certificate, show_counters
from epolab.hands.docker import Docker
from epolab.steps.labs import own_labs
from epolab.steps.names import owner_name, pick_lab
from epolab.steps.wan import list_links, measure_links

SUMMARY = "the links of a lab: list them with their counters, or measure them anew"
EXAMPLES = "  epolab wan ls\n  epolab wan measure hq-tokyo"
INTERRUPTED = "the certificate is as it was before; the same command measures from the start"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    actions = parser.add_subparsers(dest="action", metavar="ls|measure", required=True)
    listing = actions.add_parser("ls", help="the links, declared and counted")
    measuring = actions.add_parser("measure", help="measure the certificate anew")
    measuring.add_argument("link", nargs="?", metavar="LINK")
    for each in (listing, measuring):
        each.add_argument("--lab", metavar="LAB", help="the lab (may be left out when there is one)")
        each.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
        each.add_argument("-v", "--verbose", action="store_true", default=argparse.SUPPRESS)


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    docker = Docker.connect()
    lab = pick_lab(args.lab, own_labs(docker, owner_name()))
    if args.action == "measure":
        return _measure(out, docker, lab, args.link)
    links = list_links(docker, lab)
    out.document(links)
    show_counters(out, links)
    return 0


def _measure(out: Output, docker: Docker, lab: str, link: str | None) -> int:
    with PeopleProgress(out) as progress:
        links = measure_links(docker, lab, link, progress.note, progress.warn)
    out.document(links)
    show_certificate(out, {"links": links})
    return 1 if any(each["within"] is False for each in links) else 0
