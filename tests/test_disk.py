"""A disk that is really full: a small tmpfs, where the system lets us mount one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no right to mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=False)


def test_full_disk_is_one_line_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports.csv"
    rows = [f"r{i},Large left pleural effusion." for i in range(4)]
    reports.write_text("\n".join(["id,findings", *rows]) + "\n")
    run = small_disk / "run"
    command = [sys.executable, "-m", "syncxr", "render", str(reports), "-o", str(run)]
    command += ["--no-judge", "--workers", "1"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and "the disk is full" in last
    assert "Traceback" not in result.stderr
    assert not list(run.rglob("*.parquet")) and not list(run.rglob("*.partial"))
