"""What the server's commands and tasks work with, in one hand."""

from __future__ import annotations

from dataclasses import dataclass

from nacl.signing import SigningKey

from miniepo import config
from miniepo.clock import Clock, Entropy
from miniepo.server.datachannel import DataChannelServer
from miniepo.server.jobs import Jobs
from miniepo.server.master import MasterRepository
from miniepo.server.run_now import RunNow
from miniepo.server.scheduler import Scheduler
from miniepo.store.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """`key` is the ASSC key."""

    store: Store
    settings: config.ServerConfig
    master: MasterRepository
    jobs: Jobs
    scheduler: Scheduler
    channel: DataChannelServer
    run_now: RunNow
    key: SigningKey
    clock: Clock
    entropy: Entropy
