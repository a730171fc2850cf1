"""Test sets: the user's own downloads in their original layout, one file a set.

In: the name of a set and the folder where it lies. Out: a `TestSet` of one named split.
Must not know: models, prompts, metrics.
"""

TEST_SETS = {
    "folder": "syncxr.evaluation.testsets.folder:Folder",
    "simulated": "syncxr.evaluation.testsets.simulated:Simulated",
}
"""Name to ``"module:class"``; the class is a :class:`~.test_set.TestSet`."""
