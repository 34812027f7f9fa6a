"""A lab's life as lists of steps."""

from __future__ import annotations

from epolab.steps import build, certify, deploy, engine, preflight, ready
from epolab.steps.work import Step

CHECK = (Step("preflight", preflight.run),)
MAKE = (Step("build", build.run), Step("engine", engine.run))
MEASURE = (Step("measure", certify.run),)
DEPLOY = (Step("deploy", deploy.run),)
READY = (Step("ready", ready.run),)
UP = CHECK + MAKE + MEASURE + DEPLOY + READY
