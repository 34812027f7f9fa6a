"""When server tasks run and what each type does: pull, pull of full sets, replication (domain §3.5, §6.4)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from miniepo import config, log
from miniepo.errors import CommandError, StoreError, WorldError
from miniepo.server.jobs import Jobs, Say, Work
from miniepo.server.master import MasterRepository
from miniepo.server.pull import pull
from miniepo.server.replicate import Signer, replicate
from miniepo.store.notices import Notices
from miniepo.store.orion import SchedulerTask
from miniepo.store.repositories import Repository
from miniepo.store.store import Store

SYSTEM_USER = "system"
SCHEDULER, MANUAL = "scheduler", "manual"
_TICK_SECONDS = 1.0
_WELCOME_SECONDS = 15.0
_logger = log.logger("server.scheduler")


class Scheduler:
    """Starts the due tasks, and those that a command asks for."""

    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        master: MasterRepository,
        sources: Sequence[config.SourceSite],
        signer: Signer,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._master = master
        self._sources = {site.name: site for site in sources if site.enabled}
        self._signer = signer
        self._pulling = asyncio.Lock()
        self._replicating: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self) -> None:
        """Start due tasks until cancelled."""
        while True:
            try:
                while task := await self._store.scheduler_tasks.claim_due():
                    await self._start(task, SYSTEM_USER, SCHEDULER)
            except StoreError as error:
                _logger.warning("cannot look for due tasks: %s", error)
            await asyncio.sleep(_TICK_SECONDS)

    async def welcome(self, registrations: Notices) -> None:
        """Replicate to a SuperAgent as soon as it appears, until cancelled."""
        while True:
            await registrations.wait(poll_seconds=_WELCOME_SECONDS)
            try:
                fresh = [each.name for each in await self._store.repositories.all() if self._is_untouched(each)]
                if fresh:
                    await self.replicate(fresh, True, SYSTEM_USER)
            except StoreError as error:
                _logger.warning("cannot look for new SuperAgents: %s", error)

    async def run_now(self, task: str, user: str) -> int:
        """Start a server task by name or number; its log id."""
        for known in await self._store.scheduler_tasks.all():
            if task.lower() in (known.name.lower(), str(known.id)):
                await self._store.scheduler_tasks.started(known.id)
                return await self._start(known, user, MANUAL)
        raise CommandError(f"there is no server task {task!r}")

    async def pull(self, site_name: str, user: str, full_sets: bool = False) -> int:
        """Start a pull from one source site, or from all for ""; its log id."""
        if site_name and site_name not in self._sources:
            raise CommandError(f"there is no source site {site_name!r}; there are {', '.join(self._sources) or 'none'}")
        names = [site_name] if site_name else list(self._sources)

        async def work(say: Say) -> None:
            await self._pull(names, full_sets, user, say)

        return await self._jobs.start("Repository Pull", user, MANUAL, work)

    async def replicate(self, names: Sequence[str], incremental: bool, user: str) -> int:
        """Start a replication to some repositories, or to all if none is named; its log id."""
        known = {repository.name.lower() for repository in await self._store.repositories.all()}
        unknown = [name for name in names if name.lower() not in known]
        if unknown:
            raise CommandError(f"there is no distributed repository {', '.join(unknown)}")

        async def work(say: Say) -> None:
            await self._replicate(names, incremental, say)

        return await self._jobs.start("Repository Replication", user, MANUAL, work)

    async def _start(self, task: SchedulerTask, user: str, source: str) -> int:
        async def work(say: Say) -> None:
            try:
                await self._work_of(task, user)(say)
            finally:
                await self._store.scheduler_tasks.ended(task.id)

        return await self._jobs.start(task.name, user, source, work)

    def _work_of(self, task: SchedulerTask, user: str) -> Work:
        async def pull_work(say: Say) -> None:
            await self._pull(list(self._sources), task.type == "pull-full", user, say)

        async def replicate_work(say: Say) -> None:
            await self._replicate((), task.incremental, say)

        return replicate_work if task.type == "replicate" else pull_work

    async def _pull(self, names: Sequence[str], full_sets: bool, user: str, say: Say) -> None:
        """Pull, and replicate at once if anything is new: agents pass over a mirror that is behind (domain §3.5)."""
        async with self._pulling:
            changed = False
            for name in names:
                site = self._sources[name]
                changed = await pull(self._master, self._store.repositories, site, full_sets, say) or changed
        if changed and await self._store.repositories.all():
            await self.replicate((), True, user)

    async def _replicate(self, names: Sequence[str], incremental: bool, say: Say) -> None:
        wanted = {name.lower() for name in names}
        chosen = [
            repository
            for repository in await self._store.repositories.all()
            if repository.enabled and (not wanted or repository.name.lower() in wanted)
        ]
        if not chosen:
            await say("there is no distributed repository")
        outcomes = await asyncio.gather(
            *(self._replicate_one(repository, incremental, say) for repository in chosen), return_exceptions=True
        )
        problems = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for problem in problems:
            if not isinstance(problem, WorldError):
                raise problem
        if problems:
            raise WorldError("; ".join(str(problem) for problem in problems))

    async def _replicate_one(self, repository: Repository, incremental: bool, say: Say) -> None:
        """One at a time per mirror; once more if the master moved on meanwhile."""
        async with self._replicating[repository.id]:
            full = not incremental
            while True:
                version = self._master.version()
                try:
                    await replicate(self._master, self._store.repositories, repository, full, self._signer, say)
                except WorldError:
                    if self._master.version() == version:
                        raise
                if self._master.version() == version:
                    return
                full = False

    def _is_untouched(self, repository: Repository) -> bool:
        """Whether a repository has never been replicated to and is not being replicated to."""
        return repository.replicated_on is None and not self._replicating[repository.id].locked()
