import os
import subprocess
import sys
from pathlib import Path

import pytest

from syncxr.errors import SyncxrError
from syncxr.factory.run_folder import open_run

configuration = {"pairs": 3, "writer": {"name": "llamacpp", "temperature": 1.0}}


def test_same_configuration_goes_on(tmp_path: Path) -> None:
    for _ in range(2):
        with open_run(tmp_path / "run", configuration) as folder:
            assert (folder / "config.yaml").exists()


def test_changed_configuration_is_refused_with_the_difference(tmp_path: Path) -> None:
    with open_run(tmp_path, configuration):
        pass
    changed = {"pairs": 3, "writer": {"name": "llamacpp", "temperature": 0.7}}
    with (
        pytest.raises(SyncxrError, match=r"writer.temperature: 1.0 there, 0.7 here"),
        open_run(tmp_path, changed),
    ):
        pass


def test_execution_may_change(tmp_path: Path) -> None:
    for workers in (1, 2):
        with open_run(tmp_path, {**configuration, "execution": {"workers": workers}}):
            pass


@pytest.mark.parametrize(("pairs", "allowed"), [(5, True), (3, True), (2, False)])
def test_a_run_may_grow_where_asked(pairs: int, allowed: bool, tmp_path: Path) -> None:
    with open_run(tmp_path, configuration):
        pass
    wanted = {**configuration, "pairs": pairs}
    if not allowed:
        with pytest.raises(SyncxrError, match="pairs: 3 there, 2 here"):
            open_run(tmp_path, wanted, grows="pairs").__enter__()
        return
    with open_run(tmp_path, wanted, grows="pairs"):
        pass
    with open_run(tmp_path, wanted):
        pass


def test_growing_changes_nothing_else(tmp_path: Path) -> None:
    with open_run(tmp_path, configuration):
        before = (tmp_path / "config.yaml").read_bytes()
    wanted = {"pairs": 9, "writer": {"name": "other"}}
    with pytest.raises(SyncxrError, match="writer.name"):
        open_run(tmp_path, wanted, grows="pairs").__enter__()
    assert (tmp_path / "config.yaml").read_bytes() == before


def test_leftovers_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    leftover = tmp_path / "dataset" / ".train.parquet.partial"
    leftover.parent.mkdir()
    leftover.write_bytes(b"half")
    with open_run(tmp_path, {}):
        assert not leftover.exists()


def test_second_process_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from syncxr.factory.run_folder import open_run\n"
        "with open_run(Path(sys.argv[1]), {}): pass"
    )
    with open_run(tmp_path, {}):
        second = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
        )
    assert second.returncode != 0
    assert "is in use by another run" in second.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SyncxrError, match="cannot be written"), open_run(tmp_path / "run", {}):
        pass


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(SyncxrError, match="cannot be written"), open_run(tmp_path / "run", {}):
        pass


def test_a_fault_before_anything_is_made_binds_the_folder_to_nothing(tmp_path: Path) -> None:
    other = {**configuration, "source": "mended"}
    with pytest.raises(SyncxrError, match="row 2"), open_run(tmp_path, configuration):
        raise SyncxrError("row 2 is wrong")
    with open_run(tmp_path, other) as folder:
        (folder / "records").mkdir()
        (folder / "records" / "films-00000.json").write_text("{}")
    with pytest.raises(SyncxrError, match="later"), open_run(tmp_path, other):
        raise SyncxrError("later")
    with pytest.raises(SyncxrError, match="another configuration"), open_run(tmp_path, {}):
        pass
