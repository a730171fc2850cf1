import sys
from types import ModuleType

import pytest
from pydantic import BaseModel, ConfigDict

from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build, extra_packages, install_command


class Pencil:
    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        hardness: int = 2

    def __init__(self, options: Options) -> None:
        if options.hardness > 9:
            raise SyncxrError("there is no such lead; buy another")
        self.options = options


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    module = ModuleType("drawing_backends")
    module.Pencil = Pencil  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "drawing_backends", module)
    return {"pencil": "drawing_backends:Pencil", "laser": "no_such_package.laser:Laser"}


def spec(**fields: object) -> BackendSpec:
    return BackendSpec.model_validate(fields)


def test_options_reach_the_backend(table: dict[str, str]) -> None:
    assert build("renderer", table, spec(name="pencil", hardness=4)).options.hardness == 4
    assert build("renderer", table, spec(name="pencil")).options.hardness == 2


def test_a_fault_says_whose_it_is(table: dict[str, str]) -> None:
    with pytest.raises(SyncxrError, match="renderer 'pencil': there is no such lead; buy another"):
        build("renderer", table, spec(name="pencil", hardness=10))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "chalk"}, "renderer 'chalk' is unknown; known: laser, pencil"),
        ({"name": "pencil", "colour": 1}, "renderer 'pencil', option 'colour'.*known: hardness"),
        ({"name": "pencil", "hardnes": 1}, r"no such option; did you mean hardness\?"),
        ({"name": "pencil", "hardness": "soft"}, "option 'hardness'"),
        ({"name": "laser"}, "needs the package 'no_such_package'.*pip install"),
    ],
)
def test_faults_are_one_line(
    fields: dict[str, object], message: str, table: dict[str, str]
) -> None:
    with pytest.raises(SyncxrError, match=message) as caught:
        build("renderer", table, spec(**fields))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("package", "command"),
    [
        ("torch", "pip install 'syncxr[embedded]'"),
        ("xllamacpp", "pip install 'syncxr[embedded]'"),
        ("diffusers", "pip install 'syncxr[diffusion]'"),
        ("openai", "pip install 'syncxr[server]'"),
        ("ray", "pip install 'syncxr[ray]'"),
        ("s3fs", "pip install 'syncxr[s3]'"),
        ("torchxrayvision", "pip install 'syncxr[evaluation]'"),
        ("segmentation_models_pytorch.losses", "pip install 'syncxr[evaluation]'"),
        ("vllm", "pip install vllm"),
    ],
)
def test_a_missing_package_names_the_extra_that_brings_it(package: str, command: str) -> None:
    assert install_command(package) == command


def test_extras_are_those_for_users() -> None:
    extras = extra_packages()
    assert "dev" not in extras and "openai" in extras["server"]
