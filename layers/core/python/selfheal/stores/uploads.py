"""Files that users upload: an event names a key and what lay under it then."""

from typing import BinaryIO

from selfheal.errors import ObjectChanged
from selfheal.records.labels import Upload
from selfheal.stores.bucket import Bucket


def uploaded(data: Bucket, upload: Upload) -> bytes:
    """The bytes of an upload.

    Raises:
        ObjectMissing: nothing is there any more.
        ObjectChanged: another file was written under the key since.
    """
    stored = data.get(upload.key)
    _check_etag(upload, stored.etag)
    return stored.body


def downloaded(data: Bucket, upload: Upload, file: BinaryIO) -> None:
    """Write the bytes of an upload into a file. Raises ObjectMissing and ObjectChanged as well."""
    _check_etag(upload, data.download(upload.key, file))


def _check_etag(upload: Upload, etag: str) -> None:
    if upload.etag not in (None, etag.strip('"')):
        raise ObjectChanged(f"{upload.key} is another file than the one that was told of")


def ending_of(upload: Upload) -> str:
    """What tells uploads of one name apart in keys: the moment, and what the file held."""
    return f"/{upload.uploaded_at:%Y%m%dT%H%M%S.%fZ}{f'-{upload.etag[:32]}' if upload.etag else ''}"
