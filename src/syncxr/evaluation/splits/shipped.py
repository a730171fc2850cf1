"""Split files that ship with the package, where ids may be shipped.

Only ChestX-ray14's may: the NIH puts no condition on its file names but attribution. CheXpert,
PadChest and the Kaggle sets forbid passing on any part, and the lists of COVIDx and COVID-19 rural
belong to their downloads. There the recipe of :mod:`.dividing` gives the same split to everybody,
and ``digests.json`` holds the sha256 it must have.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path

from syncxr.errors import SyncxrError

_FOLDER = Path(__file__).parent / "shipped"


@cache
def shipped_patients(name: str, part: str) -> frozenset[str]:
    """Patients of a part of a split, out of a shipped file.

    Raises:
        SyncxrError: There is no such file, or it is not the one that was shipped.
    """
    path = _FOLDER / f"{name}-{part}.txt.gz"
    if not path.is_file():
        raise SyncxrError(f"no split {part!r} of {name!r} is shipped; there is no {path}")
    data = gzip.decompress(path.read_bytes())
    if hashlib.sha256(data).hexdigest() != digests()["files"][path.name]:
        raise SyncxrError(f"{path} is not the file that was shipped; install syncxr again")
    return frozenset(data.decode("ascii").split())


@cache
def digests() -> dict[str, dict[str, str]]:
    """Sha256 of shipped files (``files``) and of the ids of splits (``ids``).

    A key of ``ids`` is ``"SET, SPLIT"`` as :func:`~.dividing.fraction` names it; the value is
    :attr:`TestSet.digest`.
    """
    loaded: dict[str, dict[str, str]] = json.loads((_FOLDER / "digests.json").read_text("utf-8"))
    return loaded
