"""In: prompts and grammars. Out: completions.

Must not know: what a radiograph is.
"""
