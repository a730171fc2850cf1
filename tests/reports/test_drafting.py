"""Drafts say what they were asked to say, in any order of requests."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncxr.entities.extraction import entities_of, extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.reports.constrained import prompt_text, report_grammar
from syncxr.reports.drafting import DraftingOptions, DraftRequest, draft, provenance
from syncxr.reports.templates import EXAMPLES, load_template
from syncxr.reports.verification import verify_findings, verify_impression
from syncxr.reports.writers.llamacpp import LlamaCppOptions, LlamaCppWriter
from syncxr.sample import Category, Entity, Polarity

LEXICON = load_lexicon()


def random_entities(rng: np.random.Generator, most: int) -> tuple[Entity, ...]:
    """A set of statements that do not contradict one another, as a plan has."""
    concepts = list(LEXICON.concepts.values())
    anatomies = list(LEXICON.anatomies)
    entities: list[Entity] = []
    for _ in range(int(rng.integers(1, most + 1))):
        if rng.random() < 0.2:
            name = anatomies[rng.integers(len(anatomies))]
            entity = Entity(name, Category.ANATOMY, Polarity.ABSENT)
        else:
            concept = concepts[rng.integers(len(concepts))]
            polarity = list(Polarity)[rng.integers(3)]
            sites = ("", *LEXICON.sites[concept.sites])
            severities = ("",) if concept.scale == "none" else ("", "mild", "moderate", "severe")
            denied = polarity is Polarity.ABSENT
            entity = concept.entity(
                polarity,
                "" if denied else sites[rng.integers(len(sites))],
                "" if denied else severities[rng.integers(len(severities))],
            )
        if not any(LEXICON.contradict(entity, other) for other in entities):
            entities.append(entity)
    return tuple(entities)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_random_walks_through_the_grammar_verify(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    request = DraftRequest(f"walk-{seed}", random_entities(rng, most), seed)
    text = report_grammar(request).walk(rng)
    findings, heading, impression = text.partition("\nIMPRESSION:")
    assert heading
    assert verify_findings(findings, request.entities) == ()
    reasons = verify_impression(impression, request.entities)
    # A report of a dozen findings may need a shorter draft; nothing else may be wrong.
    assert not [reason for reason in reasons if "CLIP" not in reason or most <= 4], text


def test_prompts_are_grouped_by_their_examples_and_end_with_the_statements() -> None:
    effusion = LEXICON.concepts["pleural effusion"].entity(Polarity.PRESENT, "left", "mild")
    lungs = Entity("lungs", Category.ANATOMY, Polarity.ABSENT, "right lower lobe")
    texts = [prompt_text(DraftRequest(f"p-{i}", (effusion, lungs), i)) for i in range(40)]
    examples = {text.rsplit("STATEMENTS:", 1)[0] for text in texts}
    endings = {text.rsplit("STATEMENTS:", 1)[1] for text in texts}
    assert len(examples) == len(EXAMPLES)
    assert endings == {
        " mild left pleural effusion; normal right lower lobe\nFINDINGS:",
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_the_prompts_keep_the_rules(name: str) -> None:
    pattern = re.compile(r"STATEMENTS: (.+)\nFINDINGS: (.+)\nIMPRESSION: (.+)(?:\n|$)")
    examples = pattern.findall(load_template(name).text)
    assert len(examples) >= 3
    for statements, findings, impression in examples:
        entities = entities_of(extract(findings))
        wanted = {
            f"{statement} lungs"
            if "base" in statement and statement.startswith("normal")
            else statement
            for statement in statements.split("; ")
        }
        assert {str(entity) for entity in entities} == wanted
        assert verify_impression(impression, entities) == ()


@pytest.fixture(scope="module")
def writer() -> LlamaCppWriter:
    return LlamaCppWriter(LlamaCppOptions())


def test_the_real_model_drafts_reports_that_verify(writer: LlamaCppWriter) -> None:
    rng = np.random.default_rng(7)
    requests = [DraftRequest(f"real-{i}", random_entities(rng, 3), i) for i in range(4)]
    drafts = list(draft(requests, writer))
    assert [d.id for d in drafts] == [r.id for r in requests]
    for request, written in zip(requests, drafts, strict=True):
        assert verify_findings(written.findings, request.entities) == ()
        assert verify_impression(written.impression, request.entities) == ()
        assert written.tokens > 5
        assert written.findings[0].isupper() and written.findings.endswith(".")


def test_another_seed_gives_another_text(writer: LlamaCppWriter) -> None:
    entity = LEXICON.concepts["nodule"].entity(Polarity.PRESENT, "left upper lobe", "mild")
    requests = [DraftRequest("seeds", (entity,), seed) for seed in range(4)]
    assert len({d.findings for d in draft(requests, writer)}) > 1


def test_provenance_is_json_with_hashes(writer: LlamaCppWriter) -> None:
    record = json.loads(json.dumps(provenance(writer, DraftingOptions(temperature=0.5))))
    assert record["options"] == DraftingOptions(temperature=0.5).model_dump()
    assert set(record["prompts"]) == {"report.txt", *EXAMPLES}
    assert {len(prompt["sha256"]) for prompt in record["prompts"].values()} == {64}
    assert {prompt["version"] for prompt in record["prompts"].values()} == {1}
    assert len(record["phrases_sha256"]) == 64
    assert record["writer"]["model"].endswith(".gguf")
