"""The paper's two steps: FINDINGS first, IMPRESSION of what verified, each again by itself."""

import json
from collections.abc import Callable, Sequence

import pytest
from pydantic import ValidationError

from syncxr.entities.lexicon import load_lexicon
from syncxr.reports.drafting import Draft, DraftingOptions, DraftRequest, draft, provenance
from syncxr.reports.templates import EXAMPLES, load_template
from syncxr.reports.writer import Completion, Prompt
from syncxr.sample import Category, Entity, Polarity

EFFUSION = load_lexicon().concepts["pleural effusion"].entity(Polarity.PRESENT, "left", "mild")
HEART = Entity("heart", Category.ANATOMY, Polarity.ABSENT)
FREE = DraftingOptions(strategy="two-step", temperature=0.6)
GOOD = "There is a small left pleural effusion. The heart is normal."


class Answering:
    """Writes what a function says; keeps every prompt."""

    name = "answering"

    def __init__(self, answer: Callable[[Prompt], Completion]) -> None:
        self.answer = answer
        self.prompts: list[Prompt] = []

    def write(self, prompts: Sequence[Prompt]) -> list[Completion]:
        self.prompts += prompts
        return [self.answer(prompt) for prompt in prompts]

    def provenance(self) -> dict[str, str]:
        return {"writer": self.name}


def asks_findings(prompt: Prompt) -> bool:
    return prompt.text.endswith("\nFINDINGS:")


def good(prompt: Prompt) -> Completion:
    return Completion(GOOD if asks_findings(prompt) else "Small left effusion.", 10, "", 100)


def request(id: str = "0-0", seed: int = 1, findings: str = "") -> DraftRequest:
    return DraftRequest(id, (EFFUSION, HEART), seed, findings)


def test_findings_come_from_the_statements_and_impression_from_findings() -> None:
    writer = Answering(good)
    (made,) = draft([request()], writer, FREE)
    assert made == Draft("0-0", GOOD, "Small left effusion.", 20, "", 200)
    first, second = writer.prompts
    told = first.text.rsplit("STATEMENTS: ", 1)[1].removesuffix("\nFINDINGS:")
    assert sorted(told.split("; ")) == ["mild left pleural effusion", "normal heart"]
    assert second.text.endswith(f"FINDINGS: {GOOD}\nIMPRESSION:")
    assert "IMPRESSION:" not in first.text and "STATEMENTS:" not in second.text
    assert {prompt.temperature for prompt in writer.prompts} == {0.6}
    assert first.grammar is None and first.seed != second.seed


def test_findings_that_do_not_verify_are_not_summed_up() -> None:
    flipped = "There is no pleural effusion. The heart is normal."
    writer = Answering(lambda prompt: Completion(flipped, 10))
    (made,) = draft([request()], writer, FREE)
    assert made == Draft("0-0", flipped, "", 10)
    assert len(writer.prompts) == 1


def test_findings_that_stand_are_only_summed_up() -> None:
    writer = Answering(good)
    requests = [request("0-0", findings=GOOD), request("0-1"), request("0-2", findings=GOOD)]
    drafts = list(draft(requests, writer, FREE))
    assert [made.id for made in drafts] == ["0-0", "0-1", "0-2"]
    assert [made.tokens for made in drafts] == [10, 20, 10]
    assert sum(asks_findings(prompt) for prompt in writer.prompts) == 1


def test_what_the_writer_could_not_write_is_told() -> None:
    def answer(prompt: Prompt) -> Completion:
        lost = prompt.seed == 7 if asks_findings(prompt) else "0-1" in str(prompt)
        return Completion("", 0, "server: 500") if lost else good(prompt)

    lost, fine = draft([request("0-0", seed=7), request("0-1")], Answering(answer), FREE)
    assert lost == Draft("0-0", "", "", 0, "server: 500")
    assert fine.failure == "" and fine.impression


@pytest.mark.parametrize(
    "text",
    [
        f"FINDINGS: {GOOD}",
        f"\n{GOOD}  ",
        GOOD.replace(". ", ".\n"),
    ],
)
def test_a_section_is_one_line_without_its_heading(text: str) -> None:
    writer = Answering(lambda p: Completion(text, 10) if asks_findings(p) else good(p))
    (made,) = draft([request()], writer, FREE)
    assert made.findings == GOOD


def test_another_attempt_orders_the_statements_anew() -> None:
    writer = Answering(good)
    list(draft([request(seed=seed) for seed in range(20)], writer, FREE))
    told = {
        prompt.text.rsplit("STATEMENTS: ", 1)[1]
        for prompt in writer.prompts
        if asks_findings(prompt)
    }
    assert len(told) == 2


def test_terms_of_an_open_vocabulary_are_told_with_their_category() -> None:
    entities = (
        Entity("hazy veil", Category.ABNORMALITY, Polarity.PRESENT),
        Entity("lung base", Category.ANATOMY, Polarity.ABSENT),
    )
    writer = Answering(good)
    options = DraftingOptions(strategy="two-step", vocabulary="open")
    list(draft([DraftRequest("0-0", entities, 3)], writer, options, lambda *_: ()))
    told = writer.prompts[0].text.rsplit("TERMS: ", 1)[1].removesuffix("\nFINDINGS:")
    assert sorted(told.split("; ")) == ["hazy veil (ABNORMALITY)", "lung base (ANATOMY)"]


def test_a_grammar_needs_the_lexicon() -> None:
    with pytest.raises(ValidationError, match="open needs strategy: two-step"):
        DraftingOptions(vocabulary="open")


@pytest.mark.parametrize(
    ("vocabulary", "file"), [("lexicon", "findings.txt"), ("open", "findings-open.txt")]
)
def test_provenance_has_version_and_hash_of_every_prompt(vocabulary: str, file: str) -> None:
    options = FREE.model_copy(update={"vocabulary": vocabulary})
    record = json.loads(json.dumps(provenance(Answering(good), options)))
    assert set(record["prompts"]) == {file, "impression.txt", *EXAMPLES}
    assert record["prompts"][file] == load_template(file).provenance()
