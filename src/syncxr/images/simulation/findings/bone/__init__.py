"""Findings of bones and soft tissue.

In: a body, the words' entity, a source of chance. Out: the changed body and what was changed.
Must not know: projection, film, other rooms of findings.
"""
