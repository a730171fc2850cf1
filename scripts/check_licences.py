"""Refuse a dependency or an asset whose licence we cannot live with: run in CI.

Prints what is not on the list and exits with 1.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

from syncxr.assets import ASSETS

FREE = re.compile(
    r"\b(Apache|MIT|0?BSD|ISC|PSF|Python Software Foundation|MPL|Mozilla Public|Unlicense|Zlib)\b"
)
CUDA = re.compile(r"nvidia-|cuda-")
"""torch's own runtime on NVIDIA machines: proprietary, redistributable, not ours to choose."""

DATA = {"Apache-2.0", "MIT", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-ND-4.0"}


def main() -> int:
    """Check every installed package and every asset."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json"]
    packages = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    bad = [
        f"package {package['Name']} {package['Version']}: licence {package['License']!r}"
        for package in packages
        if not FREE.search(package["License"]) and not CUDA.match(package["Name"])
    ]
    bad += [
        f"asset {asset.name}: licence {asset.licence!r}"
        for asset in ASSETS.values()
        if asset.licence not in DATA
    ]
    print(f"{len(packages)} packages and {len(ASSETS)} assets, {len(bad)} refused", *bad, sep="\n")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
