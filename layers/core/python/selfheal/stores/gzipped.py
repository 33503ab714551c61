"""Objects that may be compressed: what a stream delivers is, what a request writes isn't."""

import gzip
import zlib

GZIP = b"\x1f\x8b"


def unpacked(body: bytes) -> bytes:
    """An object's content. Raises ValueError where it is cut off or damaged."""
    try:
        return gzip.decompress(body) if body.startswith(GZIP) else body
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not a whole gzip object: {error}") from error
