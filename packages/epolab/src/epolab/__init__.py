"""epolab: reproducible labs of an ePO-style endpoint-management estate, as code."""

import os

# The engine speaks gRPC with this process, and Ansible is forked from it. gRPC's own care for forks lets one child in
# fifty die of "epoll_wait error: Bad file descriptor"; it reads this when it is imported.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"
