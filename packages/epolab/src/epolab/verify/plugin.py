"""The pytest plugin of the verdict: parametrises by the topology, holds the lock, and turns reports into results."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from pluggy import Result as HookResult

from epolab.errors import EpolabError
from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.absent import ends_of_link, others_live_by, refuse_absent
from epolab.verify.broken import PromiseBrokenError
from epolab.verify.drawing import drawing, movable
from epolab.verify.firewall_plan import strangers_visits, walled
from epolab.verify.nat_rules import masked, routers_behind_nat
from epolab.verify.outside import uncalled
from epolab.verify.preferred import shared
from epolab.verify.promises import PROMISES
from epolab.verify.refused import refusable
from epolab.verify.relay_lacks import fed
from epolab.verify.relay_load_plan import crowds
from epolab.verify.relay_plan import client_of
from epolab.verify.relay_trials import switchable
from epolab.verify.replication_plan import replication_subjects
from epolab.verify.report import Outcome, Result
from epolab.verify.run_now_trials_plan import cut_agents
from epolab.verify.seclusion import secluded
from epolab.verify.segment_plan import listeners, shouting, unreachable
from epolab.verify.turns import Turns
from epolab.verify.wake_trials_plan import tried
from epolab.verify.without_server import askers
from epolab.verify.witness import Witness

Protocol = Generator[None, HookResult[object], None]
OF_MODULE = {promise.module: promise.name for promise in PROMISES}


def subjects(topology: Topology) -> dict[str, tuple[str, ...]]:
    """What a check can be parametrised by: fixture name to node paths or link names."""
    agents, relays = facts.agents(topology), facts.relays(topology)
    needy = [node for node in agents if facts.needs_relay(topology, node)]
    return {
        "agent": tuple(node.path for node in agents),
        "commander": (facts.server(topology).path,) if agents else (),
        "forgetful": (facts.server(topology).path,) if cut_agents(topology) else (),
        "cut_agent": cut_agents(topology),
        "tried": tried(topology),
        "walled": tuple(node.path for node in walled(topology)),
        "guarded": tuple(dict.fromkeys(visit.host for visit in strangers_visits(topology))),
        "unwakeable": tuple(node.path for node in unreachable(topology)),
        "heard_superagent": tuple(sa.path for sa in shouting(topology) if listeners(topology, sa)),
        "pushable": tuple(node.path for node in facts.pushables(topology)),
        "wakeable": tuple(node.path for node in agents if facts.wakers(topology, node)),
        "relay": tuple(node.path for node in relays),
        "visited_relay": tuple(node.path for node in relays if client_of(topology, node) != node),
        "superagent": tuple(node.path for node in facts.superagents(topology)),
        "repository": tuple(node.path for node in facts.repositories(topology)),
        **replication_subjects(topology),
        "needy": tuple(node.path for node in needy),
        "uncallable": tuple(node.path for node in uncalled(topology)),
        "masked": tuple(node.path for node in masked(topology)),
        "hiding": tuple(node.path for node in routers_behind_nat(topology)),
        "crowded": tuple(crowd.nodes[0].path for crowd in crowds(topology)),
        "needy_with_choice": tuple(node.path for node in needy if len(facts.relays_for(topology, node)) > 1),
        "fed": tuple(node.path for node in fed(topology)),
        "switched_relay": switchable(topology),
        "refusing": tuple(node.path for node in agents if facts.refuses_relay(topology, node)),
        "direct": tuple(node.path for node in agents if not facts.needs_relay(topology, node)),
        "secluded": secluded(topology),
        "swarm": tuple(node.path for node in facts.swarms(topology)),
        "handler": tuple(node.path for node in facts.handlers(topology)),
        "drawing": tuple(node.path for node in drawing(topology)),
        "movable": tuple(node.path for node in movable(topology)),
        "asked_handler": tuple(askers(topology)),
        "refusable_swarm": tuple(refusable(topology)),
        "shared": tuple(node.path for node in shared(topology)),
        "link": tuple(link.name for link in topology.links),
        "node": tuple(node.path for node in topology.nodes),
    }


class VerdictPlugin:
    """One run of the acceptance files on one lab; `tell` gets each result as it comes."""

    def __init__(self, witness: Witness, tell: Callable[[Result], None]) -> None:
        self.witness = witness
        self.results: list[Result] = []
        self.interrupted = False
        self.failure: EpolabError | None = None
        self._set_up: dict[str, float] = {}
        self._tell = tell
        self._subjects = subjects(witness.topology)
        self._turns = Turns(witness.folder)

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "disturbs: the check needs the lab alone, though its file does not")

    @pytest.fixture(scope="session", name="witness")
    def witness_fixture(self) -> Witness:
        return self.witness

    @pytest.fixture(scope="session", name="topology")
    def topology_fixture(self) -> Topology:
        return self.witness.topology

    @pytest.fixture(scope="session", name="folder")
    def folder_fixture(self) -> Path:
        return self.witness.folder

    @pytest.fixture(scope="session", name="whole")
    def whole_fixture(self) -> None:
        """What a check asks for that cannot be made while a node is missing by which others live."""
        topology = self.witness.topology
        refuse_absent((node.path for node in topology.nodes if others_live_by(node)), self.witness.absent)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A check of a node that does not run, or of a link that ends at one, has failed before it began."""
        subject = subject_of(item)
        if subject is not None:
            refuse_absent((subject, *ends_of_link(self.witness.topology, subject)), self.witness.absent)

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
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Protocol:
        """A turn lasts as long as the fixtures that may disturb: to the end of the file's last check of its kind."""
        self._turns.enter(place_of(item), alone=disturbs(item))
        outcome = yield
        if outcome.excinfo is None and nextitem is not None and place_of(nextitem) != place_of(item):
            self._turns.leave()

    def pytest_unconfigure(self) -> None:
        """By now every fixture is torn down, also after an interruption."""
        self._turns.leave()

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """An error of our own, such as a lock that does not come free, is for the caller to tell."""
        self.failure = excinfo.value if isinstance(excinfo.value, EpolabError) else None
        return self.failure is not None

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
    """Whether a check measures or disturbs: its module says so by `DISTURBS = True`, or it does by the mark."""
    module = getattr(item, "module", None)
    return bool(getattr(module, "DISTURBS", False)) or item.get_closest_marker("disturbs") is not None


def place_of(item: pytest.Item) -> str:
    """What keeps a turn together: the file, and whether the check disturbs."""
    return f"{item.path} {disturbs(item)}"


def promise_of(item: pytest.Item) -> str:
    """The promise whose acceptance file holds the check."""
    return OF_MODULE.get(item.path.name, item.path.stem)


def subject_of(item: pytest.Item) -> str | None:
    """The node or link the check is about; None when it is about the lab."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    named = [value for value in params.values() if isinstance(value, str)]
    return named[0] if named else None


def result_of(item: pytest.Item, call: pytest.CallInfo[None], prepared_seconds: float = 0.0) -> Result:
    """The result of one phase of a check: its call (with its preparation), or a set-up or tear-down that failed.

    What is torn down was there for all checks of the file: the lab is to blame, not the node that came last.
    """
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
        subject_of(item) if call.when != "teardown" else None,
        outcome,
        expected,
        observed,
        title,
        round(prepared_seconds + call.duration, 3),
    )


def _outcome(call: pytest.CallInfo[None]) -> Outcome:
    """A check that pytest would skip was applicable and not evaluated: that is a failure."""
    return "passed" if call.excinfo is None else "failed"
