import json
import signal
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from syncxr.dataset.storage import locate
from syncxr.errors import SyncxrError
from syncxr.factory import lease
from syncxr.factory.lease import Lease
from syncxr.factory.run_folder import open_run


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT", 0.2)
    monkeypatch.setattr(lease, "EXPIRY", 2.0)


def left_behind(folder: Path, machine: str, process: int) -> None:
    """The lease of a run that has gone."""
    folder.mkdir()
    sign = {"machine": machine, "process": process, "beat": 3}
    (folder / "00000004.json").write_text(json.dumps(sign))


def test_one_holds_and_gives_up(tmp_path: Path) -> None:
    first = Lease(tmp_path / "lease")
    first.acquire()
    with pytest.raises(SyncxrError, match="is in use by process"):
        Lease(tmp_path / "lease").acquire()
    first.release()
    again = Lease(tmp_path / "lease")
    again.acquire()
    again.release()
    assert not list((tmp_path / "lease").iterdir())


def test_a_dead_process_of_this_machine_is_passed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "EXPIRY", 3600.0)
    left_behind(tmp_path / "lease", lease._machine(), 2**22 + 1)
    held = Lease(tmp_path / "lease")
    held.acquire()
    assert [path.name for path in (tmp_path / "lease").iterdir()] == ["00000005.json"]
    held.release()


def test_another_machine_is_watched_until_it_is_held_to_be_gone(tmp_path: Path) -> None:
    left_behind(tmp_path / "lease", "elsewhere", 1)
    start = time.monotonic()
    held = Lease(tmp_path / "lease")
    held.acquire()
    assert time.monotonic() - start >= 2.0
    held.release()


def test_of_many_comers_one_wins(tmp_path: Path) -> None:
    left_behind(tmp_path / "lease", lease._machine(), 2**22 + 1)
    comers = [Lease(tmp_path / "lease") for _ in range(8)]
    won: list[Lease] = []

    def come(comer: Lease) -> None:
        try:
            comer.acquire()
        except SyncxrError:
            return
        won.append(comer)

    threads = [threading.Thread(target=come, args=(comer,)) for comer in comers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    won[0].release()


@pytest.mark.parametrize("ignored", [False, True], ids=["foreground", "background"])
def test_whoever_was_cut_off_too_long_stops(ignored: bool) -> None:
    """Another run takes the next number; this one is interrupted and says why.

    Also where a shell started it in the background, with SIGINT ignored.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    try:
        _is_stopped(f"memory://cut-off-{ignored}/run")
    finally:
        signal.signal(signal.SIGINT, before)


def _is_stopped(url: str) -> None:
    folder = locate(url)
    with pytest.raises(SyncxrError, match="another run has taken it"), open_run(folder, {}):
        (folder / ".lease" / "00000001.json").write_text("{}")
        time.sleep(60)


def test_a_file_system_without_locks_is_leased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(FileLock, "acquire", refuses)
    with open_run(tmp_path / "run", {}):
        assert list((tmp_path / "run" / ".lease").glob("*.json"))
        with pytest.raises(SyncxrError, match="is in use"):
            open_run(tmp_path / "run", {}).__enter__()
