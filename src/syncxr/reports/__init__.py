"""In: what each report has to say. Out: FINDINGS and IMPRESSION that say just that.

Must not know: who asks for reports, how they are stored, or what any film looks like.
"""

WRITERS = {
    "llamacpp": "syncxr.reports.writers.llamacpp:LlamaCppWriter",
    "chat": "syncxr.reports.writers.chat:ChatWriter",
    "vllm": "syncxr.reports.writers.vllm:VllmWriter",
    "transformers": "syncxr.reports.writers.transformers:TransformersWriter",
}
"""Language models by name; build one with :func:`syncxr.registry.build`."""
