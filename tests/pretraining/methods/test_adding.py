"""The method that the documentation adds, added as it says."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from syncxr.pretraining import METHODS
from syncxr.pretraining.checkpoint import load
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training.run import pretrain
from syncxr.registry import BackendSpec

PAGE = (Path(__file__).parents[3] / "docs" / "pretraining.md").read_text("utf-8")
ADDING = PAGE.partition("## Adding a method")[2]


def test_one_file_and_one_line(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (file,) = re.findall(r"^```python\n(.*?)^```", ADDING, re.MULTILINE | re.DOTALL)
    ((name, place),) = re.findall(r'^    "(\w+)": "([\w.:]+)",$', ADDING, re.MULTILINE)
    assert place == "syncxr.pretraining.methods.clip:CLIP"
    (tmp_path / "added_clip.py").write_text(file)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(METHODS, name, "added_clip:CLIP")
    spec = BackendSpec.model_validate({"name": name, "dimension": 256})
    options = tiny_options.model_copy(update={"method": spec})
    summary = pretrain(patches, options, tmp_path / "run")
    model = load(tmp_path / "run")
    films = [pair.image for pair in patches][:3]
    assert summary.method == name and summary.finished
    assert model.method.log_scale.item() != pytest.approx(math.log(1 / 0.07), abs=1e-6)
    cosines = model.encode_image(films) @ model.encode_text(["patch", "no patch"]).T
    assert model.encode_image(films).shape == (3, 256)
    odds = np.exp((cosines[:, 0] - cosines[:, 1]) * model.method.log_scale.exp().item())
    assert np.allclose(model.zero_shot(films, ["patch"])[:, 0], odds / (1 + odds), atol=1e-5)
    assert model.ground(films[0], "bright patch").shape == films[0].shape
