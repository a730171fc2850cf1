"""Which labels of PadChest are scored together, and which of its files are broken."""

from __future__ import annotations

SEEN = (
    "pleural effusion",
    "pacemaker",
    "atelectasis",
    "pneumonia",
    "consolidation",
    "cardiomegaly",
    "emphysema",
    "nodule",
    "pulmonary edema",
    "pneumothorax",
    "fracture",
    "mass",
    "catheter",
)
"""Common findings, as MAVL scores them (Phan et al., CVPR 2024), by PadChest's labels."""

RARE = (
    "suture material",
    "sternotomy",
    "supra aortic elongation",
    "metal",
    "abnormal foreign body",
    "central venous catheter via jugular vein",
    "vertebral anterior compression",
    "diaphragmatic eventration",
    "calcified densities",
    "volume loss",
    "single chamber device",
    "vertebral compression",
    "bullas",
    "axial hyperostosis",
    "aortic button enlargement",
    "calcified granuloma",
    "clavicle fracture",
    "dual chamber device",
    "mediastinic lipomatosis",
    "esophagic dilatation",
    "azygoesophageal recess shift",
    "breast mass",
    "round atelectasis",
    "surgery humeral",
    "aortic aneurysm",
    "nephrostomy tube",
    "sternoclavicular junction hypertrophy",
    "pulmonary artery hypertension",
    "pleural mass",
    "empyema",
    "external foreign body",
    "respiratory distress",
    "total atelectasis",
    "ventriculoperitoneal drain tube",
    "right sided aortic arch",
    "aortic endoprosthesis",
    "cyst",
    "pulmonary venous hypertension",
    "double J stent",
)
"""The tail of 39, as MAVL scores it."""

UNSEEN = tuple(
    dict.fromkeys(
        (
            "hypoexpansion basal",
            "non axial articular degenerative changes",
            "central venous catheter via jugular vein",
            "multiple nodules",
            "COPD signs",
            "calcified densities",
            "mediastinal shift",
            "hiatal hernia",
            "volume loss",
            "mediastinic lipomatosis",
            "central venous catheter",
            "ground glass pattern",
            "surgery lung",
            "miliary opacities",
            "sclerotic bone lesion",
            "pleural plaques",
            "osteosynthesis material",
            "calcified mediastinal adenopathy",
            "apical pleural thickening",
            "aortic elongation",
            "major fissure thickening",
            "callus rib fracture",
            "pulmonary venous hypertension",
            "cervical rib",
            "loculated pleural effusion",
            "flattened diaphragm",
            *RARE,
        )
    )
)
"""Findings absent from the usual training labels, as MAVL scores them."""

_VENOUS = (
    "central venous catheter",
    "central venous catheter via jugular vein",
    "central venous catheter via subclavian vein",
    "central venous catheter via umbilical vein",
    "reservoir central venous catheter",
)

KINDS_OF = {
    "pleural effusion": (
        "loculated pleural effusion",
        "loculated fissural effusion",
        "hydropneumothorax",
        "empyema",
        "hemothorax",
    ),
    "atelectasis": (
        "laminar atelectasis",
        "lobar atelectasis",
        "segmental atelectasis",
        "round atelectasis",
        "total atelectasis",
        "atelectasis basal",
    ),
    "pneumonia": ("atypical pneumonia",),
    "consolidation": ("air bronchogram",),
    "nodule": ("multiple nodules",),
    "pneumothorax": ("hydropneumothorax",),
    "fracture": (
        "rib fracture",
        "callus rib fracture",
        "clavicle fracture",
        "humeral fracture",
        "vertebral fracture",
    ),
    "mass": (
        "pulmonary mass",
        "mediastinal mass",
        "pleural mass",
        "breast mass",
        "soft tissue mass",
    ),
    "catheter": _VENOUS,
    "central venous catheter": _VENOUS,
    "aortic elongation": (
        "ascendent aortic elongation",
        "descendent aortic elongation",
        "supra aortic elongation",
    ),
}
"""Labels that are kinds of another, so that a film with a kind is no negative for the whole.

After the term tree of Bustos et al. 2020, for the labels that are scored; written from memory of
the tree and the names themselves, for the tree is not part of the table.
"""

_MISSING = "not in the published archive"
_BROKEN = "broken PNG"
_TRUNCATED = "truncated PNG"

KNOWN_BROKEN = {
    "216840111366964012819207061112010307142602253_04-014-084.png": _MISSING,
    "216840111366964012989926673512011074122523403_00-163-058.png": _MISSING,
    "216840111366964012959786098432011033083840143_00-176-115.png": _MISSING,
    "216840111366964012558082906712009327122220177_00-102-064.png": _MISSING,
    "216840111366964012339356563862009072111404053_00-043-192.png": _MISSING,
    "216840111366964013076187734852011291090445391_00-196-188.png": _MISSING,
    "216840111366964012373310883942009117084022290_00-064-025.png": _MISSING,
    "216840111366964012283393834152009033102258826_00-059-087.png": _MISSING,
    "216840111366964012373310883942009170084120009_00-097-074.png": _MISSING,
    "216840111366964012819207061112010315104455352_04-024-184.png": _MISSING,
    "216840111366964012819207061112010306085429121_04-020-102.png": _MISSING,
    "216840111366964012989926673512011083134050913_00-168-009.png": _BROKEN,
    "216840111366964012373310883942009152114636712_00-102-045.png": _TRUNCATED,
    "216840111366964012819207061112010281134410801_00-129-131.png": _TRUNCATED,
    "216840111366964012487858717522009280135853083_00-075-001.png": _TRUNCATED,
    "216840111366964012989926673512011151082430686_00-157-045.png": _BROKEN,
    "216840111366964013686042548532013208193054515_02-026-007.png": _TRUNCATED,
    "216840111366964013590140476722013058110301622_02-056-111.png": _TRUNCATED,
    "216840111366964013590140476722013043111952381_02-065-198.png": _TRUNCATED,
    "216840111366964013829543166512013353113303615_02-092-190.png": _TRUNCATED,
    "216840111366964013962490064942014134093945580_01-178-104.png": _TRUNCATED,
}
"""Files of the whole of PadChest that are missing or do not open, after torchxrayvision."""
