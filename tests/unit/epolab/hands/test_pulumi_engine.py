"""Which engine is good enough, and how it becomes callable."""

from pathlib import Path

import pytest

from epolab.hands import pulumi_engine


@pytest.mark.parametrize(
    ("version", "enough"),
    [("v3.259.0", True), ("3.260.1", True), ("v3.258.9", False), ("v4.0.0", False), ("", False), ("dev", False)],
)
def test_the_same_major_version_and_at_least_the_pinned_one(version: str, enough: bool) -> None:
    assert pulumi_engine.new_enough(version) is enough


def test_an_engine_on_path_is_found_by_its_bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, version in (("old/bin", "v3.100.0"), ("new/bin", "v3.999.0")):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "pulumi").write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / place / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/old/bin:{tmp_path}/new/bin")
    assert pulumi_engine.on_path() == tmp_path / "new"


def test_links_point_to_all_its_programs_and_follow_a_new_engine(tmp_path: Path) -> None:
    into = tmp_path / "venv"
    into.mkdir()
    (into / "pulumi-resource-epolab").write_text("ours")
    for engine in ("one", "two"):
        (tmp_path / engine / "bin").mkdir(parents=True)
        for program in ("pulumi", "pulumi-language-python", "pulumi-resource-epolab"):
            (tmp_path / engine / "bin" / program).write_text(engine)
        pulumi_engine.link(tmp_path / engine, into)
    assert (into / "pulumi").readlink() == tmp_path / "two/bin/pulumi"
    assert (into / "pulumi-language-python").read_text() == "two"
    assert (into / "pulumi-resource-epolab").read_text() == "ours"


def test_the_built_engine_is_named_by_its_pinned_modules() -> None:
    assert pulumi_engine.built_key().startswith(f"built-{pulumi_engine.VERSION}-")
    assert pulumi_engine.built_key() == pulumi_engine.built_key()
