"""What people look at: the HTML report of a run and what the screen shows.

In: a finished run folder or its figures. Out: one HTML file; tables on the screen.
Must not know: how any figure was measured.
"""
