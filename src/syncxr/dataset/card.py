"""The dataset card (README.md) and the Croissant file: what this is, for people and machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from syncxr.assets import Asset
from syncxr.dataset.files import write_text
from syncxr.dataset.manifest import Manifest
from syncxr.dataset.schema import SCHEMA, SYNTHETIC
from syncxr.dataset.storage import StoragePath

# From free to strict; a dataset carries the strictest licence of what it was made from.
_strictness = ("Apache-2.0", "MIT", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0")


# Above all else, whatever it is called: no licence of ours can free what an agreement binds.
_BINDING = "PhysioNet Credentialed"


class Source(BaseModel):
    """A corpus that went into the data by what was derived from it.

    Attributes:
        name: What was derived: ``"entity bank"``.
        licence: Of the corpus.
        source: Who made it, to be cited.
        note: What its terms mean for this dataset.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    licence: str
    source: str
    note: str = ""


class CardFacts(BaseModel):
    """What the card says beyond the manifest.

    Attributes:
        made_by: Part (entities, reports, images, curation) to what made it.
        sources: Assets whose content or weights went into the data.
        rejected: Samples that never passed.
        corpora: Corpora that are no assets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    made_by: dict[str, str]
    sources: tuple[Asset, ...]
    rejected: int
    corpora: tuple[Source, ...] = ()

    @property
    def everything(self) -> tuple[Asset | Source, ...]:
        """Whatever has a licence."""
        return (*self.sources, *self.corpora)


def strictest(licences: Sequence[str]) -> str:
    """The strictest of some licences; an unknown one counts as stricter than all known.

    Strictest of all is a use agreement. Of no licences at all it is ``"unknown"``: one's own
    models and bank have terms that only their owner knows.
    """

    def rank(name: str) -> int:
        unknown = len(_strictness) + name.startswith(_BINDING)
        return _strictness.index(name) if name in _strictness else unknown

    return max(licences, key=rank, default="unknown")


def write_card(folder: StoragePath, manifest: Manifest, facts: CardFacts) -> None:
    """Write ``README.md`` and ``croissant.json`` into a dataset folder."""
    licence = strictest([source.licence for source in facts.everything])
    write_text(folder / "README.md", _card(manifest, facts, licence))
    croissant = json.dumps(_croissant(manifest, licence), indent=1, sort_keys=True)
    write_text(folder / "croissant.json", croissant + "\n")


def _card(manifest: Manifest, facts: CardFacts, licence: str) -> str:
    front = {
        **(
            {"license": licence.lower()}
            if licence in _strictness
            else {"license": "other", "license_name": licence}
        ),
        "pretty_name": "Synthetic chest X-ray image-report pairs",
        "task_categories": ["image-to-text", "zero-shot-image-classification"],
        "tags": ["synthetic", "chest-x-ray", "radiology-reports", "syncxr"],
        "configs": [{"config_name": "default", "data_files": "data/*.parquet"}],
    }
    lines = [
        "---",
        yaml.safe_dump(front, sort_keys=False).strip(),
        "---",
        "# Synthetic chest X-ray image-report pairs",
        "",
        f"**{SYNTHETIC}.**",
        "",
        f"- {manifest.pairs:,} pairs in {len(manifest.files)} Parquet shards; "
        f"{facts.rejected:,} planned samples never passed and are not in here.",
        f"- Licence: {licence}, the strictest of its sources.",
        f"- Configuration {manifest.configuration[:12]}; hashes of all files in `manifest.json`.",
        "",
        "```python",
        "from datasets import load_dataset",
        'pairs = load_dataset("path/to/this/folder", split="train")',
        'pairs[0]["image"], pairs[0]["findings"], pairs[0]["masks"]',
        "```",
        "",
        "## Made by",
        "",
        "| part | what made it |",
        "|---|---|",
        *(f"| {part} | {maker} |" for part, maker in facts.made_by.items()),
        "",
        "## Sources",
        "",
        "| asset | licence | source |",
        "|---|---|---|",
        *(f"| {a.name} | {a.licence} | {a.source} |" for a in facts.everything),
        "",
        *(f"{a.name}: {a.note}" for a in facts.corpora if a.note),
        "",
        "## Counts",
        "",
        "| what | n |",
        "|---|---|",
        *(f"| {name} | {count:,} |" for name, count in manifest.statistics.items()),
        "",
        "## Limits",
        "",
        *_limits(facts),
        "",
    ]
    return "\n".join(lines)


def _limits(facts: CardFacts) -> list[str]:
    lines = ["No film shows a patient. Not for diagnosis, not for training a clinical device."]
    if any(source.name == "thorax-ct" for source in facts.sources):
        lines += [
            "All films derive from one CT of one adult, deformed and with findings inserted: they",
            "are variants, not a population.",
        ]
    return lines


def _croissant(manifest: Manifest, licence: str) -> dict[str, Any]:
    """Croissant 1.0 (MLCommons) description of the shards and their columns."""
    types = {"image": "sc:ImageObject"}
    return {
        "@context": {
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
            "conformsTo": "http://purl.org/dc/terms/conformsTo",
            "recordSet": "cr:recordSet",
            "field": "cr:field",
            "source": "cr:source",
            "fileObject": "cr:fileObject",
            "fileSet": "cr:fileSet",
            "extract": "cr:extract",
            "column": "cr:column",
            "includes": "cr:includes",
            "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        },
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "syncxr-pairs",
        "description": SYNTHETIC,
        "license": licence,
        "version": f"1.0.0+{manifest.configuration[:12]}",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": file.path,
                "name": file.path,
                "contentUrl": file.path,
                "encodingFormat": "application/x-parquet",
                "sha256": file.sha256,
            }
            for file in manifest.files
        ]
        + [
            {
                "@type": "cr:FileSet",
                "@id": "shards",
                "name": "shards",
                "encodingFormat": "application/x-parquet",
                "includes": "data/*.parquet",
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "pairs",
                "name": "pairs",
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"pairs/{column}",
                        "name": column,
                        "dataType": types.get(column, "sc:Text"),
                        "source": {"fileSet": {"@id": "shards"}, "extract": {"column": column}},
                    }
                    for column in SCHEMA.names
                ],
            }
        ],
    }
