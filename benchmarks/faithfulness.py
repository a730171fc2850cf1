"""Do the simulator's films show what their texts say? Measured on the films.

    python benchmarks/faithfulness.py [--films N] [--size PX] [--json FILE]

Texts go round every finding the simulator draws, each place and each severity it can have, and
deny something else; half of the patients are of the held-out population. Prints visible positives
and holding negatives beside their bars. One source CT.
"""

from __future__ import annotations

import argparse
import itertools
import random
from pathlib import Path
from typing import Any

from syncxr.entities.extraction import extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.images.faithfulness import Faithfulness, faithfulness
from syncxr.images.renderer import RenderRequest
from syncxr.images.simulation.findings import FINDINGS
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.sample import Entity, Polarity
from syncxr.views.console import write_json

BARS = {"positives": 0.95, "negatives": 0.99}

SIZES = {"mild": "small", "moderate": "moderate", "severe": "large"}

DENIALS = (
    "No pleural effusion.",
    "No pneumothorax.",
    "No focal consolidation.",
    "Heart size is normal.",
    "Lungs are clear.",
    "No nodule.",
)


def statements(renderer: SimulationRenderer) -> list[Entity]:
    """Every positive statement that the renderer says it can show."""
    lexicon = load_lexicon()
    found = []
    for name in FINDINGS:
        concept = lexicon.concepts[name]
        places = ("", *lexicon.sites[concept.sites])
        severities = ("",) if concept.scale == "none" else ("", "mild", "moderate", "severe")
        for place, severity in itertools.product(places, severities):
            entity = concept.entity(Polarity.PRESENT, place, severity)
            if renderer.shows(entity):
                found.append(entity)
    return found


def sentence(entity: Entity) -> str:
    """The statement in plain words."""
    scale = load_lexicon().concepts[entity.concept].scale
    severity = SIZES.get(entity.severity, "") if scale == "size" else entity.severity
    words = " ".join(word for word in (severity, entity.location, entity.concept) if word)
    return f"There is {words}."


def texts(entities: list[Entity], count: int, seed: int) -> list[str]:
    """Reports of one positive and, where they do not contradict it, two denials."""
    lexicon = load_lexicon()
    chance = random.Random(seed)
    by_concept = {
        name: chance.sample(group, len(group))
        for name, items in itertools.groupby(entities, key=lambda e: e.concept)
        for group in [list(items)]
    }
    reports = []
    for index in range(count):
        name = list(by_concept)[index % len(by_concept)]
        group = by_concept[name]
        entity = group[(index // len(by_concept)) % len(group)]
        fits = [
            text
            for text in DENIALS
            if not any(lexicon.contradict(entity, m.entity) for m in extract(text))
        ]
        reports.append(" ".join([sentence(entity), *chance.sample(fits, min(2, len(fits)))]))
    return reports


def measure(films: int, size: int) -> dict[str, Any]:
    """Run the check on both populations."""
    renderers = [
        SimulationRenderer(SimulationOptions(size=size, population=population))
        for population in ("train", "held_out")
    ]
    entities = statements(renderers[0])
    results: dict[str, Faithfulness] = {}
    for half, renderer in enumerate(renderers):
        reports = texts(entities, films // 2, half)
        requests = [RenderRequest(text, 10000 * half + i) for i, text in enumerate(reports)]
        results[renderer.options.population] = faithfulness(requests, renderer)
    return {
        "source": "one source CT",
        "size": size,
        "statements": len(entities),
        "bars": BARS,
        **{name: result.to_dict() for name, result in results.items()},
    }


def show(result: dict[str, Any]) -> None:
    """Print figures beside bars."""
    for population in ("train", "held_out"):
        part = result[population]
        print(f"{population}: {part['films']} films, one source CT")
        for kind in ("positives", "negatives", "negatives_measured"):
            rate = part[kind]
            bar = BARS.get(kind)
            print(
                f"  {kind}: {rate['hits']}/{rate['n']} = {rate['share']:.3f} "
                f"[{rate['low']:.3f}, {rate['high']:.3f}]" + (f"  bar {bar}" if bar else "")
            )
        for name, rate in part["by_concept"].items():
            print(f"    {name}: {rate['hits']}/{rate['n']}")
        for failure in part["failures"]:
            print(
                f"    failed, seed {failure['seed']}: {failure['statement']} ({failure['detail']})"
            )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=320)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--json", help="write the figures here; - for standard output")
    options = parser.parse_args()
    result = measure(options.films, options.size)
    if options.json:
        write_json(result, Path(options.json))
    if options.json == "-":
        return
    show(result)


if __name__ == "__main__":
    main()
