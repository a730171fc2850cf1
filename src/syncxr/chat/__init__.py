"""In: chat messages, with images where a model sees. Out: replies of an OpenAI-compatible server.

Must not know: what is asked and why.
"""
