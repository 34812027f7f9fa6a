"""Every way epolab can fail, as one tree in two branches that never mix, and the exit code of each branch.

EpolabError
├── UserInputError                 exit 2   the user's file or arguments are wrong
│   ├── ArgumentError                       an option or argument is not understood
│   ├── TopologyInvalidError                a topology file has problems (all of them, with places)
│   ├── RecipeInvalidError                  an image's recipe is wrong
│   ├── LabNameError                        a lab's name breaks the naming rule
│   ├── LabNotFoundError                    no lab of that name, or none at all
│   ├── LabAmbiguousError                   several labs, and none was named
│   ├── LabForeignError                     the name belongs to another owner's lab
│   ├── NodeNotFoundError                   no node of that name in the lab
│   └── ServiceNotFoundError                no such service on the node
├── HostError                      exit 3   this host cannot, before anything is created
│   ├── DockerUnavailableError              no container runtime answers
│   ├── MemoryShortError                    less memory than the nodes' sum
│   ├── TunMissingError                     no /dev/net/tun for a shaped link or a virtual machine
│   ├── LinkImpossibleError                 a link's shape is beyond every driver of this host
│   ├── ImageMissingError                   the engine has not the image that a node names
│   ├── DiskShortError                      too little room for the lab's own folder
│   ├── HomeUnusableError                   the place of the labs cannot be written to
│   ├── PulumiMissingError                  no Pulumi engine was found
│   └── ToolMissingError                    a program that set-up installs is missing
├── WorldError                     exit 4   the world failed while epolab acted on it
│   ├── CommandFailedError                  a program ended with a failure
│   ├── TimeoutExceededError                something awaited did not come in time
│   ├── ContainerError                      the container runtime refused or failed
│   ├── FabricError                         the fabric's worker refused or failed
│   ├── EngineError                         the Pulumi engine refused or failed
│   ├── ImageBuildError                     an image could not be built
│   ├── ConnectionFailedError               no ssh connection to a node
│   ├── DeployError                         a role failed on a node
│   ├── MeasureError                        a link could not be measured
│   ├── NotReadyError                       the lab did not become ready in time
│   ├── LabBusyError                        another command holds the lab
│   ├── RemovalIncompleteError              something of the lab is left
│   ├── FileRefusedError                    this host refused to read or write a file
│   └── OutputLostError                     what a command says cannot be written
├── InternalError                  exit 4   a mistake in epolab itself
└── InterruptedByUserError         exit 130 Ctrl-C, with the word whether the lab is cleaned up or resumable
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol


class ProblemRecord(Protocol):
    """One problem in a user's file, with its place; lines and columns count from 1."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def hint(self) -> str: ...


class EpolabError(Exception):
    """epolab could not do what it was asked."""

    exit_code: ClassVar[int] = 4
    default_hint: ClassVar[str] = ""

    def __init__(
        self, message: str = "", *, hint: str = "", step: str | None = None, evidence: Sequence[str] | None = None
    ) -> None:
        super().__init__(message or (self.__doc__ or type(self).__name__).strip())
        self.hint = hint or self.default_hint
        self.step = step
        self.evidence: list[str] = list(evidence or [])

    @property
    def message(self) -> str:
        """What was promised and what was seen."""
        return str(self.args[0])

    @property
    def code(self) -> str:
        """A stable word for scripts: the class name without `Error`, in kebab case."""
        name = type(self).__name__.removesuffix("Error")
        return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")

    def document(self) -> dict[str, Any]:
        """The `error` value of a command's JSON document."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "step": self.step,
            "evidence": self.evidence,
        }


class UserInputError(EpolabError):
    """The user's file or arguments are wrong."""

    exit_code = 2


class ArgumentError(UserInputError):
    """An option or argument is not understood."""


class TopologyInvalidError(UserInputError):
    """The topology file has problems."""

    def __init__(self, problems: Sequence[ProblemRecord], message: str = "", *, hint: str = "") -> None:
        self.problems = tuple(problems)
        lines = [f"{p.file}:{p.line}:{p.column}: {p.severity}: {p.message} [{p.code}]" for p in self.problems]
        super().__init__(message, hint=hint, step="validate", evidence=lines)


class RecipeInvalidError(UserInputError):
    """An image's recipe is wrong."""


class LabNameError(UserInputError):
    """A lab's name must match [a-z][a-z0-9-]{0,30}."""


class LabNotFoundError(UserInputError):
    """There is no such lab."""

    default_hint = "epolab ls"


class LabAmbiguousError(UserInputError):
    """There are several labs: name one."""

    default_hint = "epolab ls"


class LabForeignError(UserInputError):
    """The lab of that name belongs to another owner."""


class NodeNotFoundError(UserInputError):
    """There is no such node in the lab."""


class ServiceNotFoundError(UserInputError):
    """There is no such service on the node."""


class HostError(EpolabError):
    """This host cannot do what was asked."""

    exit_code = 3
    default_hint = "epolab doctor"


class DockerUnavailableError(HostError):
    """No container runtime answers."""

    default_hint = "make setup"


class MemoryShortError(HostError):
    """The host has less free memory than the lab's nodes need."""


class TunMissingError(HostError):
    """/dev/net/tun is missing, and the topology needs it."""

    default_hint = "modprobe tun"


class LinkImpossibleError(HostError):
    """This host cannot keep what a link declares."""

    default_hint = (
        "let the link accept what is lost (`accept: [rate]`), or declare what can be kept: at most 1 Gbit/s, "
        "a queue of at least two full frames, a jitter of at most half the delay"
    )


class ImageMissingError(HostError):
    """The engine does not have the image that a node names."""


class DiskShortError(HostError):
    """There is too little room for the lab's own folder."""


class HomeUnusableError(HostError):
    """The place where the labs of this user lie cannot be written to."""

    default_hint = "EPOLAB_HOME=FOLDER names another place for the labs"


class PulumiMissingError(HostError):
    """No Pulumi engine was found."""

    default_hint = "make setup"


class ToolMissingError(HostError):
    """A program that epolab needs is missing."""

    default_hint = "make setup"


class WorldError(EpolabError):
    """The world failed while epolab acted on it."""

    exit_code = 4


class CommandFailedError(WorldError):
    """A program ended with a failure."""


class TimeoutExceededError(WorldError):
    """What was awaited did not come in time."""


class ContainerError(WorldError):
    """The container runtime refused or failed."""


class FabricError(WorldError):
    """The fabric's worker refused or failed."""


class EngineError(WorldError):
    """The Pulumi engine refused or failed."""


class ImageBuildError(WorldError):
    """An image could not be built."""


class ConnectionFailedError(WorldError):
    """No ssh connection to the node."""


class DeployError(WorldError):
    """A role failed on a node."""


class MeasureError(WorldError):
    """A link could not be measured."""


class NotReadyError(WorldError):
    """The lab did not become ready in time."""


class LabBusyError(WorldError):
    """Another command holds the lab."""


class RemovalIncompleteError(WorldError):
    """Something of the lab is left."""

    default_hint = "epolab down"


class FileRefusedError(WorldError):
    """This host refused to read or write a file."""

    default_hint = "df -h; epolab status says how the lab is"


class OutputLostError(WorldError):
    """What the command says cannot be written."""


class InternalError(EpolabError):
    """A mistake in epolab itself."""

    exit_code = 4
    default_hint = "please report it with the traceback (CONTRIBUTING.md); epolab status says how the lab is"


class InterruptedByUserError(EpolabError):
    """Interrupted."""

    exit_code = 130

    @property
    def code(self) -> str:
        """The word for scripts."""
        return "interrupted"
