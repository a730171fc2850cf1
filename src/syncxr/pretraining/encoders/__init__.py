"""The two towers: any timm network for films, any transformers encoder for texts.

In: films as tensors, texts as token numbers; options that name a network and its weights.
Out: global and local features, and a report of which weights went where.
Must not know: the method that compares the features, and how it is trained.
"""
