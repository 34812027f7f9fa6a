"""Policies travel whole, or as what differs from a manifest; both end the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniepo.errors import MessageError
from miniepo.protocol.manifest import difference, manifest_of, merged
from miniepo.protocol.messages import Policy, PolicySet

CATEGORIES = ("agent", "relay", "superagent", "update")


def policies(version: str, **settings: dict[str, Any]) -> PolicySet:
    listed = tuple(Policy(category=name, name=f"My {name}", settings=each) for name, each in settings.items())
    return PolicySet(version=version, policies=listed)


BEFORE = policies("1", agent={"asciSeconds": 5}, relay={"enabled": False}, update={})
AFTER = policies("2", agent={"asciSeconds": 5}, relay={"enabled": True}, update={})


def test_only_what_differs_travels() -> None:
    sent = difference(AFTER, manifest_of(BEFORE))
    assert [policy.category for policy in sent.policies] == ["relay"]
    assert sent.manifest == manifest_of(AFTER)
    assert merged(BEFORE, sent) == AFTER


def test_an_agent_that_knows_nothing_gets_everything() -> None:
    sent = difference(AFTER, {})
    assert sent.policies == AFTER.policies
    assert merged(PolicySet(version="", policies=()), sent) == AFTER


def test_a_policy_that_is_gone_goes() -> None:
    fewer = policies("3", agent={"asciSeconds": 5})
    sent = difference(fewer, manifest_of(BEFORE))
    assert sent.policies == ()
    assert merged(BEFORE, sent) == fewer


def test_a_package_without_a_manifest_is_whole() -> None:
    assert merged(BEFORE, AFTER) == AFTER


def test_a_manifest_that_names_what_did_not_come_is_refused() -> None:
    sent = difference(AFTER, manifest_of(BEFORE))
    with pytest.raises(MessageError, match="did not come: agent, update"):
        merged(PolicySet(version="", policies=()), sent)


SETS = st.dictionaries(st.sampled_from(CATEGORIES), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2))


@given(SETS, SETS)
def test_from_any_policies_to_any_others(before: dict[str, Any], after: dict[str, Any]) -> None:
    held, wanted = policies("1", **before), policies("2", **after)
    assert merged(held, difference(wanted, manifest_of(held))) == wanted
