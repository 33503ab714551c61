"""A request's body as the JSON text in UTF-8 that it stands for, however it was packed; the limit is for that text."""

import json
import zlib

from selfheal.errors import BodyTooLarge, EncodingUnknown, FieldFault, RequestInvalid

MAXIMUM_BODY = 5_000_000
GZIP_MAGIC = b"\x1f\x8b"
# zlib's own sign for "with the header and the trailer of gzip".
GZIP = 16 + zlib.MAX_WBITS
GZIP_NAMES = {"gzip", "x-gzip"}


def json_text(body: bytes, content_encoding: str) -> bytes:
    """The JSON text of a body, unpacked and in UTF-8 without a byte-order mark.

    Raises:
        BodyTooLarge: it has more than five megabytes, packed or unpacked.
        EncodingUnknown: it is packed in another way than gzip.
        RequestInvalid: it isn't what its encoding promises.
    """
    text = _utf_8(_unpacked(_limited(body), content_encoding.strip().lower()))
    return _limited(text)


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding in GZIP_NAMES:
        return _gunzipped(body)
    if encoding not in {"", "identity"}:
        raise EncodingUnknown("the body's Content-Encoding isn't read here: send it as it is, or as gzip")
    if body.startswith(GZIP_MAGIC):
        raise _wrong("is packed with gzip: say so with the header `Content-Encoding: gzip`")
    return body


def _gunzipped(body: bytes) -> bytes:
    """Unpacked up to the limit and no further. One stream: a body of a million empty ones would cost a minute."""
    stream = zlib.decompressobj(GZIP)
    try:
        text = _limited(stream.decompress(body, MAXIMUM_BODY + 1))
    except zlib.error:
        raise _wrong("is not gzip, as its Content-Encoding says") from None
    if not stream.eof or stream.unused_data:
        raise _wrong("is not one whole gzip stream")
    return text


def _utf_8(body: bytes) -> bytes:
    encoding = json.detect_encoding(body)
    if encoding == "utf-8":
        return body
    try:
        return body.decode(encoding).encode()
    except UnicodeError:
        raise _wrong(f"is not text in {encoding.removesuffix('-sig').upper()}, as it begins") from None


def _limited(body: bytes) -> bytes:
    if len(body) > MAXIMUM_BODY:
        raise BodyTooLarge(f"the body has more than {MAXIMUM_BODY} bytes; send at most that in one request")
    return body


def _wrong(message: str) -> RequestInvalid:
    return RequestInvalid([FieldFault("", f"the body {message}")])
