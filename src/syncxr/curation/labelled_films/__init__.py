"""Films that are good, or bad in a known way: what judges learn from and are tested with.

In: the simulator's films and CT, and rules. Out: films with true answers to the six questions.
Must not know: what any judge makes of a film.
"""
