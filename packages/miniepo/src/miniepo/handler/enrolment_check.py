"""Decides whether a client's certificate may enrol an agent and report its names, by its common name: pure.

The enrolment key is the whole lab's, so it tells that a machine belongs to the lab and not which one it is. That is
told by the certificate: `agent <fqdn>` is a node's, which enrols under its own name, or a swarm's, whose agents are
called `<node>-0001` and so on in its domain. The agent package's is on every host that was pushed to, and the other
certificates of the lab's CA are no agent's: these take no system from the agent that holds it. Where clients show no
certificate (`packages_on_http`, `verify_clients` off) the enrolment key alone decides. The names of an enrolment are
the names of the system: whatever is assigned by name goes to who has it, so that properties may not claim another's.
How the product ties an agent to its machine is [uncertain].
"""

from __future__ import annotations

PACKAGE = "agent package"
"""The common name of the certificate in the agent package, the same for all who are installed from it."""
_AGENT = "agent "


def foreign(certificate: str, computer_name: str, fqdn: str) -> str:
    """Why this is another machine's enrolment than the certificate's; "" if it may be its own."""
    machine = _machine(certificate)
    if machine is None:
        return ""
    name, full = computer_name.lower(), fqdn.lower()
    short, dot, domain = machine.partition(".")
    number = name.removeprefix(f"{short}-")
    member = number != name and len(number) >= 4 and number.isascii() and number.isdigit()
    if (name == short or member) and full == f"{name}{dot}{domain}":
        return ""
    return f"the certificate {certificate!r} is not that of {computer_name!r}, {fqdn!r}"


def may_take(certificate: str, held: str | None, offered: str, *, released: bool) -> bool:
    """Whether the agent with the public key `offered` may become a system that the key `held` belongs to.

    `released` is a system whose agent was asked for a new GUID, and so for a new key.
    """
    return not certificate or _machine(certificate) is not None or held in (None, offered) or released


def misnamed(certificate: str, known: tuple[str, str], reported: tuple[str, str]) -> str:
    """Why an agent may not report this computer name and FQDN; "" if they may be its own.

    A machine's certificate says which are, also when the machine was renamed and got another one; with a certificate
    of no machine those stay that are `known` since the enrolment.
    """
    if not certificate:
        return ""
    if _machine(certificate) is not None:
        return foreign(certificate, *reported)
    if [name.lower() for name in reported] == [name.lower() for name in known]:
        return ""
    return f"with the certificate {certificate!r} {known} stay what they are, and do not become {reported}"


def _machine(certificate: str) -> str | None:
    """The FQDN of the one machine whose certificate this is, in lower case; None if it is none's or everybody's."""
    if certificate == PACKAGE or not certificate.startswith(_AGENT):
        return None
    return certificate.removeprefix(_AGENT).lower()
