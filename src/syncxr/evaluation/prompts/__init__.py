"""Prompt sets as data files: which texts affirm and deny a finding.

In: names of findings.
Out: prompts, with the name and hash of the file they come from.
Must not know: models, films.
"""

from syncxr.evaluation.prompts.sets import PromptSet, load_prompt_set, shipped

__all__ = ["PromptSet", "load_prompt_set", "shipped"]
