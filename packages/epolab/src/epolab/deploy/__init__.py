"""Bringing nodes to what their components are: inventory, secrets, release, roles."""

from epolab.deploy.rollout import DeployReport, deploy

__all__ = ["DeployReport", "deploy"]
