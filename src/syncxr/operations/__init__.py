"""What a run would cost here, and what stands in its way.

In: a configuration. Out: a price before the run; faults, each with its remedy.
Must not know: how any stage does its work.
"""
