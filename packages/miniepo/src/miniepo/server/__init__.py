"""The ePO server: System Tree, policies, master repository, replication, server tasks and the Web API."""
