"""Whether pixels of a JPEG are damaged: decoders go on with what comes next, and say nothing."""

def is_damaged(content: bytes, /) -> bool:
    """Whether the codes of a baseline JPEG's pixels (ITU-T T.81) do not fit together.

    False for what is whole, and for what cannot be told: progressive, arithmetic and lossless JPEG, damaged
    headers.  What was changed so that the codes still fit is not found.
    """
