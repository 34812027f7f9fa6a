"""Running the verdict: the acceptance files of the promises that apply, on one lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from epolab.errors import ArgumentError
from epolab.hands.beside import beside
from epolab.model.topology import Topology
from epolab.verify.absent import untold
from epolab.verify.plugin import VerdictPlugin
from epolab.verify.promises import PROMISES, Promise, applies, choose
from epolab.verify.report import Report, Result
from epolab.verify.witness import Witness

ACCEPTANCE = Path(__file__).parent / "acceptance"
QUIET = (
    "-p",
    "no:terminal",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-p",
    "no:testinfra",
    "--import-mode=importlib",
)


def verify(
    lab: str,
    topology: Topology,
    folder: Path,
    expression: str | None = None,
    tell: Callable[[Result], None] = lambda _: None,
    absent: Mapping[str, str] | None = None,
) -> Report:
    """Examine a lab that is up; `expression` is the contract's `-k EXPR`; `tell` gets each result as it comes.

    `absent` says of each node (path) that does not run what was seen of it: that breaks the promises about it.
    Raises ArgumentError when the expression selects nothing.
    """
    names, rest = choose(expression)
    chosen = [promise for promise in PROMISES if promise.name in names]
    witness = Witness(lab, topology, folder, absent or {})
    plugin = VerdictPlugin(witness, tell)
    if expression is None:
        beside(lambda: witness.greet(witness.running(topology.nodes)))
    _run_pytest([p for p in chosen if applies(p.name, topology)], rest, plugin)
    if rest is not None and not plugin.results:
        raise ArgumentError(f"no check matches -k {expression!r}", hint="epolab verify --help lists the promises")
    told = {result.promise for result in plugin.results}
    applying = [promise.name for promise in chosen if rest is None and applies(promise.name, topology)]
    missed = untold(topology, applying, absent or {}, plugin.results)
    told |= {result.promise for result in missed}
    silent = [_silent(p, topology) for p in chosen if rest is None and p.name not in told]
    for result in (*missed, *silent):
        tell(result)
    return Report(lab, (*plugin.results, *missed, *silent))


def _run_pytest(chosen: list[Promise], rest: str | None, plugin: VerdictPlugin) -> None:
    if not chosen:
        return
    files = [str(ACCEPTANCE / promise.module) for promise in chosen]
    select = ["-k", rest] if rest else []
    code = pytest.main(["-c", "/dev/null", "--rootdir", str(ACCEPTANCE), *QUIET, *select, *files], plugins=[plugin])
    if plugin.interrupted:
        raise KeyboardInterrupt
    if plugin.failure is not None:
        raise plugin.failure
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        raise ArgumentError(f"the acceptance files could not be run (pytest: {code!r})", hint="check the -k expression")


def _silent(promise: Promise, topology: Topology) -> Result:
    """A promise without a result: skipped when it has nothing to be about, else failed, because nobody looked."""
    if applies(promise.name, topology):
        return Result(promise.name, None, "failed", promise.text, "nothing was evaluated", "the promise applies", 0.0)
    reason = f"the topology has nothing it applies to: it needs {promise.needs}"
    return Result(promise.name, None, "skipped", promise.text, "not applicable", reason, 0.0)
