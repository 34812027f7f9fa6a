"""The command line picks one component and imports no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from miniepo import cli


def test_a_bad_file_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["handler", "--config", str(tmp_path / "absent.json")]) == 2
    assert "absent.json" in capsys.readouterr().err


def test_an_unknown_component_is_refused() -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["toaster", "--config", "x"])
    assert raised.value.code == 2


def test_the_command_line_itself_is_light() -> None:
    heavy = "('starlette', 'psycopg', 'cryptography', 'ssl')"
    code = f"import sys, miniepo.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
