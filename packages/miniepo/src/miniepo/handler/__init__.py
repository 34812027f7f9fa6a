"""An Agent Handler, built in or remote: answers agents, serves content, executes the work queue; holds no state."""
