import json
from pathlib import Path

import pytest

from epolab_fabric.documents import Documents
from epolab_fabric.errors import RequestInvalidFault


def test_a_document_is_read_as_it_was_written_and_null_removes_it(tmp_path: Path) -> None:
    documents = Documents(tmp_path / "lab")
    assert documents.read("lease") is None
    documents.write("lease", {"expires": "tomorrow"})
    assert documents.read("lease") == {"expires": "tomorrow"}
    documents.write("lease", None)
    documents.write("lease", None)
    assert documents.read("lease") is None


def test_the_folder_is_for_its_owner_only_and_holds_nothing_half_written(tmp_path: Path) -> None:
    documents = Documents(tmp_path / "lab")
    with pytest.raises(TypeError):
        documents.write("phase", {"creator": object()})
    documents.write("phase", {"phase": "ready"})
    assert (tmp_path / "lab").stat().st_mode & 0o777 == 0o700
    assert json.loads((tmp_path / "lab" / "phase.json").read_text()) == {"phase": "ready"}
    assert [path.name for path in (tmp_path / "lab").iterdir()] == ["phase.json"]


@pytest.mark.parametrize("name", ["", "../links", "Phase", "a/b", ".lock"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestInvalidFault):
        Documents(tmp_path).read(name)


def test_a_holder_keeps_others_out(tmp_path: Path) -> None:
    import fcntl

    documents = Documents(tmp_path)
    with documents.locked(), (tmp_path / ".lock").open("w") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
