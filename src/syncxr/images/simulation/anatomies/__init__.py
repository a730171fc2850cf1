"""Bodies of one's own: any chest CT with a TotalSegmentator label map, checked and added.

In: a CT and its labels as files. Out: source bodies that patients are drawn from, or the reason why
a CT cannot be one. Must not know: patients, findings, films.
"""
