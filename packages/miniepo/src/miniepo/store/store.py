"""All nouns of the database in one hand, and transactions over them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from miniepo.store.database import Database
from miniepo.store.datachannel import DataChannelStore
from miniepo.store.events import Events
from miniepo.store.groups import Groups
from miniepo.store.handlers import Handlers
from miniepo.store.info import ServerInfo
from miniepo.store.orion import SchedulerTasks, TaskLog, Users
from miniepo.store.policies import Policies
from miniepo.store.reports import Reports
from miniepo.store.repositories import Repositories
from miniepo.store.subtasks import Subtasks
from miniepo.store.systems import Systems
from miniepo.store.tasks import Tasks
from miniepo.store.work import WorkQueue


class Store:
    """One attribute per noun."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.systems = Systems(database)
        self.groups = Groups(database)
        self.handlers = Handlers(database)
        self.policies = Policies(database)
        self.tasks = Tasks(database)
        self.events = Events(database)
        self.reports = Reports(database)
        self.work = WorkQueue(database)
        self.repositories = Repositories(database)
        self.users = Users(database)
        self.scheduler_tasks = SchedulerTasks(database)
        self.task_log = TaskLog(database)
        self.subtasks = Subtasks(database)
        self.datachannel = DataChannelStore(database)
        self.info = ServerInfo(database)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Store]:
        """A store whose changes all happen, or none."""
        async with self._database.transaction() as database:
            yield Store(database)
