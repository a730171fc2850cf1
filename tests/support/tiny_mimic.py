"""MIMIC-CXR-JPG and MIMIC-CXR's reports as they come, in small: folders, names, tables, manner."""

# ruff: noqa: W291, W293
from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from syncxr.sample import Image

WHOLE = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)
 
 INDICATION:  ___F with cough  // eval for infection
 
 TECHNIQUE:  Chest PA and lateral
 
 COMPARISON:  None.
 
 FINDINGS: 
 
 There is a small left pleural effusion.  No pneumothorax is
 seen.  The cardiac silhouette is normal.
 
 IMPRESSION: 
 
 Small left pleural effusion.
"""
ONLY_IMPRESSION = """                                 FINAL REPORT
 HISTORY:  ___M with chest pain
 
 IMPRESSION:  AP chest compared to ___:
 
 Moderate pulmonary edema has developed.  No pneumothorax.
"""
ONLY_FINDINGS = """                                 WET READ: ___ ___ ___ 9:41 PM
  No acute process.
 ______________________________________________________________________________
                                 FINAL REPORT
 CHEST, TWO VIEWS:  ___
 
 INDICATION:  Fever.
 
 PA AND LATERAL VIEWS OF THE CHEST:  The lungs are clear.  Heart size
 is normal.
"""
NO_HEADING = """                                 FINAL REPORT
 PORTABLE CHEST FILM ___ AT 6:45
 
 Mild cardiomegaly is unchanged.  There is right basilar
 atelectasis.
"""
NOTHING = """                                 FINAL REPORT
 Film not available for interpretation.
"""

_METADATA = (
    "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,"
    "StudyDate,StudyTime,ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,"
    "PatientOrientationCodeSequence_CodeMeaning"
)
_LABELS = (
    "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,"
    "Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,"
    "Pneumothorax,Support Devices"
)

# subject, study, report, films listed (view), films on disk beyond those, films that are missing.
STUDIES: tuple[tuple[int, int, str, tuple[str, ...], int, int], ...] = (
    (10000032, 50414267, WHOLE, ("PA", "LATERAL"), 0, 0),
    (10000032, 53189527, ONLY_IMPRESSION, ("AP",), 0, 0),
    (10000032, 53911762, ONLY_FINDINGS, ("PA",), 0, 0),
    (10000764, 57375967, "", ("AP",), 0, 0),
    (10000898, 50771383, NO_HEADING, ("PA",), 0, 1),
    (10000935, 50578979, NOTHING, ("AP", ""), 0, 0),
    (11000566, 51967283, WHOLE, (), 1, 0),
)


def dicom_id(study: int, number: int) -> str:
    """Five groups of eight hexadecimal digits, as they are."""
    digits = f"{study * 7919 + number:040x}"
    return "-".join(digits[i : i + 8] for i in range(0, 40, 8))


def grey(study: int, number: int) -> Image:
    """A film of no one: grey noise."""
    rng = np.random.default_rng([study, number])
    return rng.integers(0, 256, (64, 48), np.uint8)


def build(
    folder: Path,
    film: Callable[[int, int], Image] = grey,
    *,
    zipped: bool = False,
    apart: Path | None = None,
) -> Path:
    """Write it all.

    Args:
        folder: Where to.
        film: Pixels of a study's n-th film.
        zipped: Leave the reports in their zip file.
        apart: Another folder for the reports.
    """
    films, splits, labels = [_METADATA], ["dicom_id,study_id,subject_id,split"], [_LABELS]
    reports: dict[str, str] = {}
    for subject, study, report, views, more, missing in STUDIES:
        place = f"files/p{subject // 10**6}/p{subject}"
        if report:
            reports[f"{place}/s{study}.txt"] = report
        for number in range(len(views) + more):
            name = dicom_id(study, number)
            if number < len(views):
                view = views[number]
                films.append(
                    f"{name},{subject},{study},CHEST (PA AND LAT),{view},3056,2544,21800506,"
                    "213014.531,CHEST (PA AND LAT),postero-anterior,Erect"
                )
                split = "test" if subject == 10000764 else "train"
                splits.append(f"{name},{study},{subject},{split}")
            if number >= len(views) - missing and number < len(views):
                continue
            path = folder / place / f"s{study}" / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Pillow.fromarray(film(study, number)).save(path, quality=95)
        effusion = "1.0" if report is WHOLE else ""
        labels.append(f"{subject},{study},,,,-1.0,,,,,,{effusion},,,0.0,")
    # As they come, rows are in no order that could be relied on.
    for kind, lines in (("metadata", films), ("split", splits), ("chexpert", labels)):
        text = "\n".join([lines[0], *lines[:0:-1]]) + "\n"
        (folder / f"mimic-cxr-2.0.0-{kind}.csv.gz").write_bytes(gzip.compress(text.encode()))
    if zipped:
        with zipfile.ZipFile(folder / "mimic-cxr-reports.zip", "w") as archive:
            for name, text in reports.items():
                archive.writestr(name, text)
    else:
        for name, text in reports.items():
            path = (apart or folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder
