"""Radiographs by physics: one real thorax CT, varied, given findings, projected, developed.

In: what a text says is there and is not. Out: films with masks; views for the judge's training.
Must not know: the network that judges them, or any real film.

Rooms, as the data flows: ``ct`` holds the source body, which ``preparation`` makes; ``reading``
turns words into what is wanted; ``scene`` draws patient (``anatomy``), pose and exposure;
``insertion`` puts ``findings`` into the ``body``; ``trace`` follows the rays (``projection``,
``parts``, ``shapes``, ``vessels``, ``moving``); ``film`` turns paths into grey values; ``study``
takes the film again; ``renderer`` runs them in that order.
"""
