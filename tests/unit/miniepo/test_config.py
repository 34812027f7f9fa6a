"""Configuration files are read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from miniepo import config
from miniepo.errors import ConfigError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "component.json"
    path.write_text(text)
    return path


def test_defaults_fill_what_is_left_out(tmp_path: Path) -> None:
    settings = config.load(written(tmp_path, '{"port": 8080}'), config.UpdatesConfig)
    assert (settings.port, settings.full_set_bytes, settings.listen) == (8080, 70_000_000, ("0.0.0.0", "::"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"prot": 80}', "unknown field `prot`"),
        ('{"port": "80"}', "Expected `int`, got `str` - at `$.port`"),
        ("{", "Input data was truncated"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path: Path, text: str, expected: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        config.load(path, config.UpdatesConfig)
    assert str(path) in str(raised.value) and expected in str(raised.value)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        config.load(tmp_path / "absent.json", config.UpdatesConfig)


def test_a_secret_comes_without_its_line_end(tmp_path: Path) -> None:
    assert config.read_secret(written(tmp_path, "open sesame\n")) == "open sesame"
    with pytest.raises(ConfigError):
        config.read_secret(tmp_path / "absent")
