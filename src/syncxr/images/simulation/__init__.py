"""Radiographs by physics: one real thorax CT, varied, given findings, projected, developed.

In: what a text says is there and is not. Out: films with masks; views for the judge's training.
Must not know: the network that judges them, or any real film.

Rooms: ``ct`` holds the source body, which ``preparation`` makes; ``anatomy`` makes a patient of
it, ``findings`` change the patient, ``projection`` takes path lengths along the beam, ``film``
turns them into grey values, ``reading`` turns words into findings, ``renderer`` runs them in that
order.
"""
