"""Test sets: the user's own downloads in their original layout, one file a set.

In: the name of a set and the folder where it lies. Out: a `TestSet` of one named split.
Must not know: models, prompts, metrics.
"""

_HERE = "syncxr.evaluation.testsets"

TEST_SETS = {
    "chexpert": f"{_HERE}.chexpert:Chexpert",
    "chexpert-5x200": f"{_HERE}.chexpert:Chexpert5x200",
    "chestxray14": f"{_HERE}.chestxray14:ChestXray14",
    "padchest-seen": f"{_HERE}.padchest:PadChestSeen",
    "padchest-unseen": f"{_HERE}.padchest:PadChestUnseen",
    "padchest-rare": f"{_HERE}.padchest:PadChestRare",
    "rsna": f"{_HERE}.rsna:Rsna",
    "siim-acr": f"{_HERE}.siim:Siim",
    "covidx-cxr2": f"{_HERE}.covidx:Covidx",
    "covid-rural": f"{_HERE}.covid_rural:CovidRural",
    "folder": f"{_HERE}.folder:Folder",
    "simulated": f"{_HERE}.simulated:Simulated",
}
"""Name to ``"module:class"``; the class is a :class:`~.test_set.TestSet`."""
