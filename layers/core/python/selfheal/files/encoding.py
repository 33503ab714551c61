"""Bytes as text: by the mark that they begin with, else by what the contract says."""

import codecs
import io
import re

from selfheal.errors import FileUnreadable

# Bytes that are looked at.
START = 1024
# The longer mark first: that of UTF-32 begins with that of UTF-16.
MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
UNDECODED = re.compile("[\udc80-\udcff]")


def encoding_of(name: str, stream: io.BufferedReader, declared: str) -> str:
    """The encoding of a text that hasn't been read yet. Raises FileUnreadable where it is none."""
    start = stream.peek(START)[:START]
    encoding = _told(start, declared)
    if b"\0" in start and encoding == declared and not _decodes(start, encoding):
        raise FileUnreadable(f"{name} is no text")
    return encoding


def _decodes(start: bytes, encoding: str) -> bool:
    try:
        # The last character may be cut.
        codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def _told(start: bytes, declared: str) -> str:
    marked = next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), None)
    if marked is not None:
        return marked
    # Every second byte of the names that a table begins with is zero where UTF-16 carries no mark.
    if len(start) > 1 and start[0] == 0 < start[1]:
        return "utf-16-be"
    return "utf-16-le" if len(start) > 1 and start[1] == 0 < start[0] else declared


def text_of_stream(stream: io.BufferedReader, encoding: str, newline: str) -> io.TextIOWrapper:
    """The text with its line ends as they are; bytes of no character become lone surrogates (see `undecoded`)."""
    return io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline=newline)


def is_undecoded(text: str) -> bool:
    """Whether a text holds bytes that its encoding has no character for."""
    return not text.isascii() and UNDECODED.search(text) is not None


def undecoded(name: str, encoding: str, line: int, text: str) -> FileUnreadable:
    """What to do about bytes of no character."""
    found = UNDECODED.search(text)
    byte = ord(found[0]) - 0xDC00 if found else 0
    called = "UTF-8" if encoding.startswith("utf-8") else encoding
    return FileUnreadable(
        f"{name} is not {called} (byte 0x{byte:02x} in line {line}): save it as UTF-8, or name its encoding under "
        '[file] of the contract, such as encoding = "cp1252"'
    )
