"""syncxr: synthetic chest X-ray image-report pairs, and the bench that tells their worth.

Five functions for a notebook, each imported when first used:

- ``syncxr.extract(text)``: entities of a report, with polarity, place and severity;
- ``syncxr.render("Small left pleural effusion.", seed=1)``: film, masks, what was not shown;
- ``syncxr.counterfactual(text, seed=1, remove="left pleural effusion")``: the film, the same
  film without the finding, and both texts;
- ``syncxr.inspect(images)``: the six questions of curation, answered for each film;
- ``syncxr.load(checkpoint)``: a trained model with ``zero_shot`` and ``ground``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncxr.curation.inspector import inspect
    from syncxr.entities.extraction import extract
    from syncxr.images.api import render
    from syncxr.images.counterfactual import counterfactual
    from syncxr.pretraining.checkpoint import load

__version__ = "0.1.0"
__all__ = ["__version__", "counterfactual", "extract", "inspect", "load", "render"]

_homes = {
    "counterfactual": "syncxr.images.counterfactual",
    "extract": "syncxr.entities.extraction",
    "inspect": "syncxr.curation.inspector",
    "load": "syncxr.pretraining.checkpoint",
    "render": "syncxr.images.api",
}


def __getattr__(name: str) -> Any:
    if name not in _homes:
        raise AttributeError(f"module 'syncxr' has no attribute {name!r}")
    return getattr(import_module(_homes[name]), name)
