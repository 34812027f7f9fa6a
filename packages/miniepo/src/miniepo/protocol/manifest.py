"""Policies by manifest: an agent of 5.x says which policies it has, and gets those that differ (domain §4): pure.

The manifest names each category's policy by a version. That a policy, and not a single setting, is the unit is
[uncertain]. Older agents send no manifest and get every policy as soon as one of them changes; an agent without a
manifest is served the same way, so the table of `protocol.version` is the one switch.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from miniepo.errors import MessageError
from miniepo.protocol.codec import version_of
from miniepo.protocol.messages import Policy, PolicySet


def manifest_of(policies: PolicySet) -> dict[str, str]:
    """The version of each category's policy."""
    return {policy.category: _version(policy) for policy in policies.policies}


def _version(policy: Policy) -> str:
    return version_of(msgspec.to_builtins(policy))


def difference(policies: PolicySet, known: Mapping[str, str]) -> PolicySet:
    """What an agent lacks that knows these policies already, with the manifest of all."""
    manifest = manifest_of(policies)
    missing = tuple(each for each in policies.policies if known.get(each.category) != manifest[each.category])
    return PolicySet(version=policies.version, policies=missing, manifest=manifest)


def merged(before: PolicySet, received: PolicySet) -> PolicySet:
    """All policies after a package: those that came, and those that the manifest names and that are there already.

    Raises MessageError when the manifest names one that is neither, so that nothing half is ever enforced.
    """
    if received.manifest is None:
        return received
    at_hand = {_version(each): each for each in (*before.policies, *received.policies)}
    lacking = [category for category, version in received.manifest.items() if version not in at_hand]
    if lacking:
        raise MessageError(f"the manifest names policies that did not come: {', '.join(lacking)}")
    return PolicySet(version=received.version, policies=tuple(at_hand[each] for each in received.manifest.values()))
