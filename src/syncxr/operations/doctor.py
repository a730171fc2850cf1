"""What stands in the way of a run on this machine, with a remedy for each fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pydantic import BaseModel, ConfigDict

from syncxr.config import Config
from syncxr.dataset.storage import StoragePath
from syncxr.errors import SyncxrError
from syncxr.operations.checks.answers import answers
from syncxr.operations.checks.files import files
from syncxr.operations.checks.machine import machine
from syncxr.operations.checks.runs import runs
from syncxr.operations.checks.software import software
from syncxr.operations.findings import Finding, Secrets, environment_secrets, fault


class Diagnosis(BaseModel):
    """Everything that was looked at.

    Attributes:
        findings: In the order in which they were made, group by group.
        faults: How many of them are faults: something configured cannot run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    findings: tuple[Finding, ...]
    faults: int


def diagnose(load: Callable[[], Config], output: StoragePath) -> Diagnosis:
    """Look at everything that a run with a configuration needs.

    Works with nothing installed but the core dependencies; what is missing is a finding.

    Args:
        load: Gives the configuration; a fault in it is a finding as well.
        output: Folder that a run would write to.
    """
    secrets = environment_secrets()
    findings = [*software(), *machine(output), *_guarded("assets", "assets", files)]
    try:
        config = load()
    except SyncxrError as error:
        findings.append(fault("backends", "configuration", error))
    else:
        secrets = environment_secrets(config.model_dump(mode="json"))
        findings += [*runs(config), *answers(config)]
    return _diagnosis(findings, secrets)


def _diagnosis(findings: Iterable[Finding], secrets: Secrets) -> Diagnosis:
    shown = tuple(secrets.hide(finding) for finding in findings)
    return Diagnosis(findings=shown, faults=sum(finding.state == "fault" for finding in shown))


def _guarded(group: str, name: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except SyncxrError as error:
        yield fault(group, name, error)
