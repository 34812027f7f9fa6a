"""Many agents in one process: the protocol code of the agent, each agent with its own GUID and key, a little memory."""
