"""A finding of each pair changed: the same patient and film without it, and the text with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from syncxr.corpora.sections import read_sections
from syncxr.entities.extraction import entities_of, extract
from syncxr.errors import SyncxrError
from syncxr.factory.counterfactuals.tasks import OTHER_GRADE, TASK, WITHOUT, candidates
from syncxr.factory.films import film_request
from syncxr.factory.stage import ShardResult, Turns, declared
from syncxr.images import RENDERERS
from syncxr.images.renderer import Film
from syncxr.registry import BackendSpec, backend_class, build, read_options
from syncxr.reports import editing
from syncxr.reports.verification import verify_findings, verify_impression
from syncxr.resources import Resources
from syncxr.sample import Entity, Sample, derive_seed

if TYPE_CHECKING:
    from syncxr.images.simulation.renderer import SimulationRenderer
    from syncxr.images.simulation.study import SimulatedStudy

OTHERWISE = "the film could not be taken again"
"""The reason of a film that does not come out as it is stored."""


class CounterfactualStage:
    """Pairs that show a finding in, their counterfactuals out.

    The film of the original is taken again, and must be the one that is stored: only then does a
    film of the same patient, pose, exposure, noise and processing differ in the finding alone.

    Args:
        renderer: What made the originals; only the simulation can take a film again.
        dataset: Hash of the originals, told in provenance.
    """

    name = "counterfactuals"
    output = "dataset/data"

    def __init__(self, renderer: BackendSpec, dataset: str) -> None:
        self._spec = renderer
        self._dataset = dataset
        self._renderer: SimulationRenderer | None = None
        self._turns = Turns()

    @property
    def resources(self) -> Resources:
        """What the renderer declares."""
        return declared("renderer", RENDERERS, self._spec)

    def describe(self) -> dict[str, Any]:
        """All that decides what the stage makes."""
        return {"renderer": self._spec.model_dump(mode="json")}

    def setup(self) -> None:
        """Load the renderer."""
        self._renderer = build("renderer", RENDERERS, self._spec)

    def check(self) -> None:
        """See that the renderer can take a film again, before any work.

        Raises:
            SyncxrError: It cannot, or its options are wrong.
        """
        read_options("renderer", RENDERERS, self._spec)
        if not hasattr(backend_class("renderer", RENDERERS, self._spec), "again"):
            raise SyncxrError(
                f"renderer {self._spec.name!r} cannot take a film again with another finding; "
                "give films that `simulation` made"
            )

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        """One counterfactual a sample, those of one original together."""
        reasons: dict[str, str] = {}
        with self._turns.at(self._renderer):
            for _, ways in groupby(samples, lambda sample: sample.provenance[TASK]["original"]):
                for sample, reason in self._changed(list(ways)):
                    reasons[sample.id] = reason
                    done(1)
        return ShardResult(
            accepted=[sample for sample in samples if not reasons[sample.id]],
            rejected=[sample for sample in samples if reasons[sample.id]],
            statistics=Counter(f"{TASK}: {r.partition(':')[0]}" for r in reasons.values() if r),
        )

    def _changed(self, ways: Sequence[Sample]) -> Iterator[tuple[Sample, str]]:
        """The counterfactuals of one original, each with why it is refused."""
        assert self._renderer is not None, "setup() comes first"
        original = ways[0]
        seed = int(original.provenance["film"]["parameters"]["seed"])
        study = self._renderer.study(film_request(original, seed))
        assert original.image is not None
        same = np.array_equal(study.film.image, original.image)
        for sample in ways:
            reason = self._change(sample, study) if same else OTHERWISE
            sample.provenance[TASK] |= {"dataset": self._dataset, "reason": reason}
            sample.quality = {}
            if reason:
                sample.image, sample.masks = None, {}
            yield sample, reason

    def _change(self, sample: Sample, study: SimulatedStudy) -> str:
        """Turn a sample into its counterfactual; why that is refused, ``""`` if it is not."""
        from syncxr.images.simulation.reading import instructions

        assert self._renderer is not None
        told = sample.provenance[TASK]
        found = _edited(sample, told["way"])
        if found is None:
            return "no finding can be changed in the text alone"
        finding, edit = found
        told |= {
            "finding": str(finding),
            "gone": [str(entity) for entity in edit.gone],
            "come": [str(entity) for entity in edit.come],
        }
        changed = read_sections(edit.text)
        sample.findings, sample.impression = changed.findings, changed.impression
        sample.entities = tuple(sorted(entities_of(extract(sample.findings))))
        request = film_request(sample, study.seed)
        _fill(sample, self._renderer.again(study, instructions(request.text)).film, self._spec.name)
        return _refusal(sample, edit)


def _edited(sample: Sample, way: str) -> tuple[Entity, editing.Edit] | None:
    """A finding, drawn by the original's id, whose change the text allows; the changed text."""
    text = f"FINDINGS: {sample.findings}\n"
    if sample.impression:
        text += f"IMPRESSION: {sample.impression}\n"
    original = sample.provenance[TASK]["original"]
    seed = derive_seed(original, TASK, 0)
    found = candidates(sample.entities, sample.provenance, way)
    for index in np.random.default_rng(seed).permutation(len(found)):
        entity = found[index]
        try:
            if way == WITHOUT:
                return entity, editing.remove(text, str(entity), seed)
            words = str(entity).replace(entity.severity, OTHER_GRADE[entity.severity], 1)
            return entity, editing.change(text, words, seed)
        except SyncxrError:
            continue  # Its sentence says more than can be said anew; another finding may do.
    return None


def _fill(sample: Sample, film: Film, renderer: str) -> None:
    """Put a film into its sample."""
    sample.image, sample.masks = film.image, film.masks
    sample.provenance["film"] = {
        "renderer": renderer,
        "parameters": film.parameters,
        "shown": [str(entity) for entity in film.shown],
        "not_shown": [[str(entity), reason] for entity, reason in film.not_shown],
    }


def _refusal(sample: Sample, edit: editing.Edit) -> str:
    """Why a counterfactual is none."""
    shown = set(sample.provenance["film"]["shown"])
    if not {str(entity) for entity in edit.come} <= shown:
        return "finding_not_shown"
    wrong: Iterable[str] = ()
    if "draft" in sample.provenance:
        wrong = (
            *verify_findings(sample.findings, sample.entities),
            *verify_impression(sample.impression, sample.entities),
        )
    return next(iter(wrong), "")
