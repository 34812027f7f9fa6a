"""`repository.*`: packages, check-in, pull and replication."""

from __future__ import annotations

from typing import Any

from miniepo.errors import CommandError
from miniepo.protocol.content import BRANCHES
from miniepo.server.api.arguments import Call
from miniepo.server.api.registry import Command
from miniepo.server.checkin import PackageRequest, Upload, check_in
from miniepo.server.services import Services
from miniepo.server.site_manager import site_manager_file
from miniepo.store.repositories import Package, Repository


def package_row(package: Package) -> dict[str, Any]:
    """A package as repository.findPackages shows it, as far as a lab knows (domain §7.4)."""
    return {
        "id": package.id,
        "checkinDate": package.checked_in,
        "packageBranch": package.branch,
        "packageId": "_".join((package.product, package.branch, package.type, package.lang, package.version)),
        "packageLangID": package.lang,
        "packageTotalSize": str(package.size),
        "packageType": package.type,
        "productDetectionProductVersion": package.version,
        "productID": package.product,
        "productName": package.name,
        "signerName": package.source,
    }


def repository_row(repository: Repository) -> dict[str, Any]:
    """A distributed repository, with how far it has got."""
    return {
        "id": repository.id,
        "name": repository.name,
        "type": repository.type,
        "enabled": repository.enabled,
        "computerName": repository.computer_name,
        "address": repository.address,
        "replicatedVersion": repository.replicated_version,
        "replicatedOn": repository.replicated_on,
        "lastError": repository.last_error,
    }


class RepositoryCommands:
    """The commands, over one server."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def find(self, call: Call) -> list[dict[str, Any]]:
        wanted = call.text("searchText", "").lower()
        rows = [repository_row(each) for each in await self._services.store.repositories.all()]
        return [row for row in rows if wanted in row["name"].lower()]

    async def find_packages(self, call: Call) -> list[dict[str, Any]]:
        found = await self._services.store.repositories.packages(call.text("searchText", ""))
        return [package_row(package) for package in found]

    async def check_in(self, call: Call) -> dict[str, Any]:
        """A zip with a PkgCatalog.xml is a whole package; otherwise product, type and version are told by name."""
        uploads = [Upload(name, data) for name, data in call.files.values()]
        if not uploads:
            raise CommandError("the package is missing: send it as multipart/form-data")
        package = await check_in(self._services, uploads, request_of(call), call.user)
        entry = package.entry
        return {"packageBranch": entry.branch, "productID": entry.product, "productVersion": entry.version}

    async def delete(self, call: Call) -> bool:
        branch, product, type = call.text("branch", "Current"), call.text("productId"), call.text("packageType")
        entry = await self._services.master.remove(branch, product, type)
        await self._services.store.repositories.forget_package(branch, product, type)
        return entry is not None

    async def pull(self, call: Call) -> bool:
        log_id = await self._services.scheduler.pull(call.text("sourceRepository", ""), call.user)
        return await self._services.jobs.wait(log_id) == "Completed"

    async def export(self, _: Call) -> str:
        """The text of SiteMgr.xml; the product writes it into a file on the server."""
        settings, repositories = self._services.settings, await self._services.store.repositories.all()
        return site_manager_file(settings.name, settings.source_sites, repositories)

    async def replicate(self, call: Call) -> bool:
        named = call.names("repositoryList") if call.optional("repositoryList") else []
        log_id = await self._services.scheduler.replicate(named, call.flag("incremental", True), call.user)
        return await self._services.jobs.wait(log_id) == "Completed"


def request_of(call: Call) -> PackageRequest:
    """Where a package goes, and what it is if its zip does not say so."""
    branch = call.text("branch", "Current")
    if branch not in BRANCHES:
        raise CommandError(f"there is no branch {branch!r}; there are {', '.join(BRANCHES)}")
    return PackageRequest(
        branch=branch,
        product=call.text("product", ""),
        type=call.text("type", ""),
        version=call.text("version", ""),
        lang=call.text("lang", "0000"),
        name=call.text("name", ""),
    )


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = RepositoryCommands(services)
    check_in_ = ("packageLocation", "branch", "product=<>", "type=<>", "version=<>")
    pull = ("sourceRepository", "[targetBranch]", "[moveToPrevious]", "[productList]")
    return [
        Command("repository.find", ("[searchText]",), "Finds distributed repositories", own.find),
        Command("repository.export", (), "Exports source sites and repositories as SiteMgr.xml", own.export),
        Command("repository.findPackages", ("[searchText]",), "Finds packages", own.find_packages),
        Command("repository.checkInPackage", check_in_, "Checks a package in to the master repository", own.check_in),
        Command("repository.deletePackage", ("productId", "packageType", "branch"), "Deletes a package", own.delete),
        Command("repository.pull", pull, "Pulls packages from a source site", own.pull),
        Command(
            "repository.replicate", ("[repositoryList]", "[incremental]"), "Replicates to repositories", own.replicate
        ),
    ]
