"""A lab's life as lists of steps."""

from __future__ import annotations

from epolab.steps import build, certify, deploy, engine, preflight, ready
from epolab.steps.work import Step

CREATE = (
    Step("preflight", preflight.run),
    Step("build", build.run),
    Step("engine", engine.run),
    Step("measure", certify.run),
)
MANAGE = (
    Step("deploy", deploy.run),
    Step("ready", ready.run),
)
UP = CREATE + MANAGE
