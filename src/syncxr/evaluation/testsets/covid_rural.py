"""COVID-19 rural: opacities in the films of TCIA's COVID-19-AR."""

from __future__ import annotations

from pathlib import Path

from syncxr.corpora.films import film_size, read_mask
from syncxr.errors import SyncxrError
from syncxr.evaluation.splits.dividing import divide
from syncxr.evaluation.testsets.drawn import mask_file
from syncxr.evaluation.testsets.layout import index_files
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet
from syncxr.sample import Mask

FINDING = "covid-19"

_BASES = ("", "covid_rural_annot/", "*/covid_rural_annot/")

SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}
"""Of the patients, as MedKLIP and MAVL cut this set (they cut films)."""


class CovidRural(TestSet):
    """221 films of COVID-19 patients of rural Arkansas with masks of their opacities.

    The TCIA collection is DICOM without masks; what the field scores is the repository of Tang et
    al., which has films as JPEG and masks as PNG of the same name, 0 and 1. A file is named
    ``PATIENT_DATE-XR``. torchxrayvision has no class for this set.
    """

    info = Info(
        name="covid-rural",
        title="COVID-19 rural",
        source="GitHub, haimingt/opacity_segmentation_covid_chest_X_ray (films: TCIA COVID-19-AR)",
        citation="Tang H, et al. medRxiv 2020.10.19.20215483; "
        "Desai S, et al. TCIA 2020. doi:10.7937/tcia.2020.py71-5978",
        licence="films CC BY 4.0 (TCIA); the repository of the masks states none",
        how_to_get="git clone the repository; the set is its folder covid_rural_annot.",
        parts=(
            Part("films", tuple(f"{base}jpgs/*-XR.jpg" for base in _BASES)),
            Part("masks", tuple(f"{base}pngs_masks/*-XR.png" for base in _BASES)),
        ),
        counts={"all films": 221},
        findings=(FINDING,),
        tasks=("grounding", "segmentation"),
        splits=("test", "train", "valid", "all"),
        notes=(
            "Every patient has COVID-19; a film is positive where an opacity is outlined, and the "
            "masks outline opacities.",
            "The split of MedKLIP and MAVL is by film: 22 of its 33 test patients are also in "
            "training.",
        ),
    )

    def __init__(self, root: Path, split: str = "test", seed: int = 0) -> None:
        """Read the folders of a split; see :class:`TestSet`."""
        found = (folder for base in _BASES for folder in sorted(root.glob(f"{base}jpgs")))
        root = next(found, root / "jpgs").parent
        super().__init__(root, split, seed)
        films = index_files(root, ("jpgs",), (".jpg", ".jpeg"))
        masks = index_files(root, ("pngs_masks",), (".png",))
        if not films:
            raise SyncxrError(
                f"{root}/jpgs holds no JPEG films; `syncxr datasets` shows the layout"
            )
        self._masks = {Path(name).stem: path for name, path in masks.items()}
        names = {Path(name).stem: path for name, path in films.items()}
        if orphan := next((name for name in self._masks if name not in names), None):
            raise SyncxrError(
                f"{root / self._masks[orphan]} has no film jpgs/{orphan}.jpg; fetch the set again"
            )
        items = [self._item(name, names[name]) for name in sorted(names) if name in self._masks]
        if not items:
            raise SyncxrError(f"{root}/pngs_masks has no mask of a film; fetch the set again")
        self.split_note = "" if split == "all" else f"drawn by patient, seed {seed}"
        self._take(items if split == "all" else divide(items, SHARES, seed)[split], films)
        bare = {name: "no mask was published" for name in names if name not in self._masks}
        self.left_out = {**self.left_out, **(bare if split == "all" else {})}

    @property
    def targets(self) -> tuple[str, ...]:
        """The opacities."""
        return (FINDING,)

    def outlined(self, finding: str) -> tuple[Item, ...]:
        """Films whose mask is not empty."""
        return tuple(i for i in self.items if finding == FINDING and i.labels[FINDING] == 1)

    def mask(self, item: Item, finding: str) -> Mask | None:
        """The published mask, all False for a film without opacities."""
        if finding != FINDING:
            return None
        path = self.root / self._masks[item.id]
        return mask_file(path, film_size(self.root / item.path, item.where), item.where)

    def counted(self) -> dict[str, int]:
        """What ``check`` compares with the published counts: films with a mask."""
        return {f"{self.split} films": len(self)}

    def _item(self, name: str, path: str) -> Item:
        patient, underline, _ = name.rpartition("_")
        where = f"{self.root / self._masks[name]}"
        if not underline:
            raise SyncxrError(
                f"{self.root / path} is not named PATIENT_DATE-XR.jpg; fetch it again"
            )
        positive = bool(read_mask(self.root / self._masks[name]).any())
        return Item(name, path, patient, {FINDING: float(positive)}, where=where)
