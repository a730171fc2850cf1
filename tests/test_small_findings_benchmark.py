"""The reader of small things that the simulator's benchmark uses."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
spec = importlib.util.spec_from_file_location("small_findings", BENCHMARKS / "small_findings.py")
assert spec is not None and spec.loader is not None
small_findings = importlib.util.module_from_spec(spec)
sys.modules["small_findings"] = small_findings
spec.loader.exec_module(small_findings)


def film(rng: np.random.Generator, side: int, radius: float, height: float) -> np.ndarray:
    """Clouds and a bright bar, with a disc: in the middle of a patch, anywhere on a film."""
    clouds = ndimage.gaussian_filter(rng.normal(size=(side, side)), 5.0)
    grey = 90.0 + 20.0 * clouds / clouds.std() + 4.0 * rng.normal(size=(side, side))
    grey[:, side - 6 : side - 2] += 90.0
    y, x = np.mgrid[:side, :side] - side / 2 + 0.5
    at = rng.uniform(-0.2, 0.2, 2) * side if side > 40 else (0.0, 0.0)
    away = np.hypot(y - at[0], x - at[1])
    grey += height * np.clip(radius + 0.5 - away, 0.0, 1.0)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def test_small_things_are_found_in_whole_films_and_told_apart() -> None:
    rng = np.random.default_rng(0)
    first = np.arange(32) % 2 == 0
    # Wide and soft, or small and dense.
    forms = {True: (4.0, 60.0), False: (2.0, 130.0)}
    patches = np.stack([film(rng, 32, *forms[bool(kind)]) for kind in first])
    empty = np.stack([film(rng, 64, 1.0, 0.0) for _ in range(8)])
    detector = small_findings.Detector.of(patches, first, empty)
    truth = np.arange(12) % 2 == 0
    films = np.stack([film(rng, 64, *forms[bool(kind)]) for kind in truth])
    scores = detector.scores(films)
    above = scores[truth][:, None] > scores[~truth][None]
    assert above.mean() >= 0.85
