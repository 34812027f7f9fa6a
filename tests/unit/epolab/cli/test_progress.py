"""Progress as plain lines where there is no terminal."""

import io

from epolab.cli.output import Output
from epolab.cli.progress import PeopleProgress


def told(*, verbose):
    stderr = io.StringIO()
    with PeopleProgress(Output(json_wanted=False, verbose=verbose, stdout=io.StringIO(), stderr=stderr)) as progress:
        progress.begin("engine")
        progress.note("created node hq/[pc-1]")
        progress.end("engine", 1.25, skipped=False)
        progress.begin("measure")
        progress.end("measure", 0.0, skipped=True)
    return stderr.getvalue().splitlines()


def test_a_line_when_a_step_begins_and_ends():
    assert told(verbose=False) == ["engine ...", "engine: 1.2 s", "measure ...", "measure: nothing to do"]


def test_a_warning_is_shown_however_little_else_is():
    stderr = io.StringIO()
    with PeopleProgress(Output(json_wanted=True, verbose=False, stdout=io.StringIO(), stderr=stderr)) as progress:
        progress.warn("link hq-tokyo is degraded")
    assert stderr.getvalue() == "link hq-tokyo is degraded\n"


def test_what_happens_within_when_asked_for():
    assert told(verbose=True)[1] == "  created node hq/[pc-1]"
