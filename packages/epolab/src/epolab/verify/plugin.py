"""The pytest plugin of the verdict: parametrises by the topology, holds the lock, and turns reports into results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from epolab.hands.reader_lock import reader_lock
from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.broken import PromiseBrokenError
from epolab.verify.promises import PROMISES
from epolab.verify.report import Outcome, Result
from epolab.verify.witness import Witness

LOCK_LIMIT_SECONDS = 300.0
OF_MODULE = {promise.module: promise.name for promise in PROMISES}


def subjects(topology: Topology) -> dict[str, tuple[str, ...]]:
    """What a check can be parametrised by: fixture name to node paths or link names."""
    needy = [node for node in facts.agents(topology) if facts.needs_relay(topology, node)]
    return {
        "agent": tuple(node.path for node in facts.agents(topology)),
        "relay": tuple(node.path for node in facts.relays(topology)),
        "superagent": tuple(node.path for node in facts.superagents(topology)),
        "repository": tuple(node.path for node in facts.repositories(topology)),
        "needy": tuple(node.path for node in needy),
        "direct": tuple(node.path for node in facts.agents(topology) if not facts.needs_relay(topology, node)),
        "handler": tuple(node.path for node in facts.handlers(topology)),
        "link": tuple(link.name for link in topology.links),
        "node": tuple(node.path for node in topology.nodes),
    }


class VerdictPlugin:
    """One run of the acceptance files on one lab; `tell` gets each result as it comes."""

    def __init__(self, witness: Witness, tell: Callable[[Result], None]) -> None:
        self.witness = witness
        self.results: list[Result] = []
        self.interrupted = False
        self._set_up: dict[str, float] = {}
        self._tell = tell
        self._subjects = subjects(witness.topology)
        self._prepared_seconds = 0.0

    @pytest.fixture(scope="session", name="witness")
    def witness_fixture(self) -> Witness:
        return self.witness

    @pytest.fixture(scope="session", name="topology")
    def topology_fixture(self) -> Topology:
        return self.witness.topology

    @pytest.fixture(scope="session", name="folder")
    def folder_fixture(self) -> Path:
        return self.witness.folder

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for name, values in self._subjects.items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, values, ids=list(values))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Checks without a subject are left out; read-only ones come first, disturbing ones need the lock alone."""
        items[:] = sorted((item for item in items if has_subject(item)), key=disturbs)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            promise = OF_MODULE.get(Path(report.nodeid).name, report.nodeid)
            why = str(report.longrepr)[-2000:]
            self._add(Result(promise, None, "failed", "the acceptance file can be read", why, "collection", 0.0))

    def pytest_keyboard_interrupt(self) -> None:
        self.interrupted = True

    def _add(self, result: Result) -> None:
        self.results.append(result)
        self._tell(result)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        path = self.witness.folder / "locks" / "verify"
        with reader_lock(path, alone=disturbs(item), limit_seconds=LOCK_LIMIT_SECONDS, pause=time.sleep):
            yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        yield
        if call.when == "setup":
            self._set_up[item.nodeid] = call.duration
        if call.when == "call" or call.excinfo is not None:
            prepared = self._set_up.pop(item.nodeid, 0.0) if call.when == "call" else 0.0
            self._add(result_of(item, call, prepared))


def has_subject(item: pytest.Item) -> bool:
    """Whether the topology has something the check can be about."""
    return not any(
        mark.kwargs.get("reason", "").startswith("got empty parameter set") for mark in item.iter_markers("skip")
    )


def disturbs(item: pytest.Item) -> bool:
    """Whether a check measures or disturbs, as its module says by `DISTURBS = True`."""
    module = getattr(item, "module", None)
    return bool(getattr(module, "DISTURBS", False))


def promise_of(item: pytest.Item) -> str:
    """The promise whose acceptance file holds the check."""
    return OF_MODULE.get(item.path.name, item.path.stem)


def subject_of(item: pytest.Item) -> str | None:
    """The node or link the check is about; None when it is about the lab."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    named = [value for value in params.values() if isinstance(value, str)]
    return named[0] if named else None


def result_of(item: pytest.Item, call: pytest.CallInfo[None], prepared_seconds: float = 0.0) -> Result:
    """The result of one phase of a check: its call (with its preparation), or a set-up or tear-down that failed."""
    title = (getattr(getattr(item, "obj", None), "__doc__", None) or item.name).strip().splitlines()[0]
    expected, observed, outcome = title, "as promised", _outcome(call)
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, PromiseBrokenError):
        expected, observed = error.expected, error.observed
    elif error is not None:
        observed = f"{type(error).__name__}: {error}"
    if outcome == "failed" and call.when != "call":
        title = f"{title} ({call.when})"
    return Result(
        promise_of(item),
        subject_of(item),
        outcome,
        expected,
        observed,
        title,
        round(prepared_seconds + call.duration, 3),
    )


def _outcome(call: pytest.CallInfo[None]) -> Outcome:
    """A check that pytest would skip was applicable and not evaluated: that is a failure."""
    return "passed" if call.excinfo is None else "failed"
