"""The agent of an endpoint: calls in, enforces policies, runs client tasks, answers on the wake-up port."""
