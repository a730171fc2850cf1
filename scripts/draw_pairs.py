"""Draw six pairs of a dataset, masks outlined: the picture in the README.

python scripts/draw_pairs.py runs/demo/dataset docs/pairs.png
"""

from __future__ import annotations

import sys
import textwrap
from itertools import islice
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from syncxr.dataset.reader import read
from syncxr.sample import Polarity, Sample

COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#cc79a7")
"""Okabe and Ito's, told apart by colour-blind readers too."""


def choose(samples: list[Sample], count: int) -> list[Sample]:
    """Samples whose first findings differ, then one without any."""
    chosen: dict[str, Sample] = {}
    for sample in samples:
        found = [e.concept for e in sample.entities if e.polarity is Polarity.PRESENT]
        if sample.masks or not found:
            chosen.setdefault(found[0] if found else "normal", sample)
    kept = [sample for name, sample in chosen.items() if name != "normal"][: count - 1]
    return [*kept, chosen["normal"]] if "normal" in chosen else kept


def draw(axes: Axes, sample: Sample) -> None:
    """One film with its outlines and words."""
    assert sample.image is not None
    axes.imshow(sample.image, cmap="gray", vmin=0, vmax=255)
    for (finding, mask), colour in zip(sample.masks.items(), COLOURS, strict=False):
        axes.contour(mask, levels=[0.5], colors=[colour], linewidths=1.2)
        axes.plot([], [], color=colour, label=finding)
    if sample.masks:
        axes.legend(loc="lower left", fontsize=6.5, framealpha=0.7)
    axes.set_axis_off()
    words = [
        f"$\\bf{{{name}}}$ {textwrap.fill(text, 48)}"
        for name, text in (("FINDINGS", sample.findings), ("IMPRESSION", sample.impression))
    ]
    axes.text(0, 1.02 * sample.image.shape[0], "\n".join(words), fontsize=7, va="top")


def main() -> None:
    """Read, choose, draw."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    samples = choose(list(islice(read(source), 300)), 6)
    figure, grid = plt.subplots(2, 3, figsize=(10, 8.4))
    for axes, sample in zip(grid.flat, samples, strict=False):
        draw(axes, sample)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.995, bottom=0.1, hspace=0.2, wspace=0.03)
    figure.savefig(target, dpi=110, metadata={"Description": "SYNTHETIC chest radiographs"})


if __name__ == "__main__":
    main()
