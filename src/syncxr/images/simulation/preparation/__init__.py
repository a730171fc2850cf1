"""From a CT with labels to a body that can be filmed, once a source.

In: Hounsfield units and TotalSegmentator labels. Out: water, bone and structures on cubes.
Must not know: patients, findings, films.
"""
