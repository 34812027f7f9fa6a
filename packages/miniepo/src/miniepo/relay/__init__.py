"""The relay: lets agents that cannot reach a handler through to the sites of its own site list, and to nothing else."""
