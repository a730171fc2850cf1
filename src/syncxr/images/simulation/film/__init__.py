"""From path lengths to grey values.

In: water, bone and metal along every ray, an exposure. Out: a film, and what its processing froze.
Must not know: anatomy, findings, words.

``beam`` weakens the rays, ``detector`` scatters, counts and blurs them, ``processing`` makes grey
values as a vendor does, ``borders`` and ``markers`` put on the film what is not the patient,
``develop`` runs them in that order.
"""
