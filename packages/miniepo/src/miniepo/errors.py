"""What can go wrong in miniepo, as one tree.

MiniepoError
├── InputError                    the operator's file or argument is wrong
│   ├── ConfigError               a configuration file does not hold what the component needs
│   └── CommandError              a Web API command got an argument it cannot use
└── WorldError                    the world failed, or a peer broke its promise
    ├── MessageError              bytes that are no message of the protocol
    ├── SignatureError            an envelope's signature is not its sender's
    ├── StaleEnvelopeError        an envelope was issued too long ago (or in the future)
    ├── ReplayedEnvelopeError     an envelope's nonce was seen before
    ├── RefusedError              the peer answered with a refusal (code, message)
    ├── SiteListError             a SiteList.xml cannot be read
    ├── ContentError              a repository file is not what its catalog promises
    ├── CacheError                a handler's disk does not take what the master gives
    ├── TaskError                 a client task cannot do what it is set to
    ├── UnreachableError          no connection to a peer
    │   ├── SilentError           the peer did not answer in time (a firewall drops, or the host is off)
    │   ├── UnresolvedError       the peer's name has no address
    │   └── UntrustedError        who answers does not prove to be the peer (TLS)
    ├── TransferError             a connection broke, timed out or answered with an unexpected status
    │   └── HandlerFullError      a handler has no connection to spare; it says when to come back
    └── StoreError                the database cannot do what it must
        ├── DuplicateError             a row with the same key is there already
        ├── UnstorableError            the database takes no such value (text with NUL)
        └── DatabaseUnavailableError   the database does not answer (yet)

A class's docstring is its default message.
"""

from __future__ import annotations


class MiniepoError(Exception):
    """Something went wrong in miniepo."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class InputError(MiniepoError):
    """What the operator gave cannot be used."""


class ConfigError(InputError):
    """The configuration file does not hold what the component needs."""


class CommandError(InputError):
    """The command got an argument that it cannot use."""

    def __init__(self, message: str | None = None, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


class WorldError(MiniepoError):
    """The world did not do what it promised."""


class MessageError(WorldError):
    """The bytes are no message of this protocol."""


class SignatureError(WorldError):
    """The envelope's signature is not its sender's."""


class StaleEnvelopeError(WorldError):
    """The envelope was issued too long ago, or in the future."""


class ReplayedEnvelopeError(WorldError):
    """The envelope's nonce was seen before."""


class RefusedError(WorldError):
    """The peer refused the request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.reason = message


class SiteListError(WorldError):
    """The site list cannot be read."""


class ContentError(WorldError):
    """The repository file is not what its catalog promises."""


class CacheError(WorldError):
    """The handler's disk does not take what the master gives."""


class TaskError(WorldError):
    """The client task cannot do what it is set to."""


class UnreachableError(WorldError):
    """The peer cannot be reached."""


class SilentError(UnreachableError):
    """The peer did not answer in time."""


class UnresolvedError(UnreachableError):
    """The peer's name has no address."""


class UntrustedError(UnreachableError):
    """Who answers does not prove to be the peer."""


class TransferError(WorldError):
    """The transfer did not end as it should."""


class HandlerFullError(TransferError):
    """All connections of the handler are in use."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class StoreError(WorldError):
    """The database could not do what it must."""


class DuplicateError(StoreError):
    """A row with the same key is there already."""


class UnstorableError(StoreError):
    """The database takes no such value."""


class DatabaseUnavailableError(StoreError):
    """The database does not answer."""
