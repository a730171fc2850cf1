"""The run: steps, schedule, validation, pauses, and the record that lets it go on.

In: batches of films and texts, and the options.
Out: a checkpoint folder, a history, and a summary.
Must not know: where films lie, and how a method compares them with texts.
"""
