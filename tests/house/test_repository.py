"""What the repository as a whole promises: papers for every role, no registry by name, a thin program at the top."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROLES = sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())
IMAGES = sorted(path.parent for path in (ROOT / "images").glob("*/recipe.yaml"))

# the last two labels of hosts that serve packages, written so that this file does not name one itself
REGISTRIES = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("debian", "org"),
        ("golang", "org/dl"),
        ("proxy.golang", "org"),
        ("sum.golang", "org"),
        ("npmjs", "org"),
        ("crates", "io"),
        ("docker", "io/"),
        ("ghcr", "io"),
        ("maven", "org"),
    )
]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def test_no_file_names_the_host_of_a_package_registry() -> None:
    named = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in tracked()
        if path.exists() and path != Path(__file__)
        for host in REGISTRIES
        if re.search(rf"(?<![\w.-]){re.escape(host)}|\.{re.escape(host)}", text_of(path))
    ]
    assert named == []


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_a_role_has_its_papers(role: Path) -> None:
    papers = ["README.md", "meta/argument_specs.yml", "defaults/main.yml", "tasks/main.yml"]
    assert [paper for paper in papers if not (role / paper).exists()] == []


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_an_image_explains_itself(image: Path) -> None:
    assert (image / "README.md").exists()


def test_the_program_at_the_top_is_thin() -> None:
    text = (ROOT / "__main__.py").read_text()
    assert len(text.splitlines()) <= 12
    assert "class " not in text
