"""The SuperAgent: a repository for its segment inside the agent's process, switched on by policy."""
