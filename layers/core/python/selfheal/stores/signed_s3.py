"""The real bucket without the SDK's client, for the one function that starts cold in front of a caller."""

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote, unquote_plus, urlencode

from botocore.auth import S3SigV4Auth

from selfheal.errors import (
    AccessRefused,
    ObjectChanged,
    ObjectExists,
    ObjectMissing,
    SelfhealError,
    StoreUnavailable,
)
from selfheal.stores.bucket import StoredObject, absence_told
from selfheal.stores.signed_http import SignedHttp, suffix_of

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_CODE = re.compile(rb"<Code>([A-Za-z]+)</Code>")


class SignedBucket:
    """One S3 bucket behind the narrow port (see `selfheal.stores.bucket.Bucket`).

    `endpoint` is the address of a stand-in for S3, None for AWS itself.
    """

    def __init__(self, name: str, *, region: str, endpoint: str | None = None) -> None:
        address, self._path = _address_of(name, region, endpoint)
        self._http = SignedHttp(address, lambda credentials: S3SigV4Auth(credentials, "s3", region))

    def renew(self) -> None:
        """Forget connections and credentials: neither survives in a copy of this process."""
        self._http.renew()

    def get(self, key: str) -> StoredObject:
        """Read an object. Raises ObjectMissing, StoreUnavailable."""
        with absence_told(self, key):
            return _stored(self._send("GET", key))

    def download(self, key: str, file: BinaryIO) -> str:
        """Write an object's bytes into a file. Raises ObjectMissing, StoreUnavailable."""
        stored = self.get(key)
        file.write(stored.body)
        return stored.etag

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless its ETag is still `etag`. Raises ObjectMissing, StoreUnavailable."""
        with absence_told(self, key):
            answer = self._send("GET", key, headers={"If-None-Match": etag})
        return None if answer.status == HTTPStatus.NOT_MODIFIED else _stored(answer)

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Read objects one after the other; those that have gone are left out."""
        for key in keys:
            try:
                yield key, self.get(key).body
            except ObjectMissing:
                continue

    def put(self, key: str, body: bytes) -> str:
        """Write unconditionally. Raises StoreUnavailable."""
        return self._send("PUT", key, body=body).headers["ETag"]

    def create(self, key: str, body: bytes) -> str:
        """Write once. Raises ObjectExists, StoreUnavailable."""
        taken = ObjectExists(f"{key} is already written and is never rewritten")
        return self._send("PUT", key, body=body, headers={"If-None-Match": "*"}, unmet=taken).headers["ETag"]

    def replace(self, key: str, body: bytes, etag: str) -> str:
        """Write over the object whose ETag is `etag`. Raises ObjectChanged, StoreUnavailable."""
        changed = ObjectChanged(f"{key} was changed by another writer")
        try:
            return self._send("PUT", key, body=body, headers={"If-Match": etag}, unmet=changed).headers["ETag"]
        except ObjectMissing as error:
            raise changed from error

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys below a prefix in ascending UTF-8 order. Raises StoreUnavailable."""
        return (key for key, _ in self.sizes(prefix, start_after))

    def sizes(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, int]]:
        """The same, and how many bytes each object has. Raises StoreUnavailable."""
        from xml.etree import ElementTree as ET  # nothing on the way to a prediction lists

        after: str | None = start_after
        while after is not None:
            query = {"list-type": "2", "prefix": prefix, "start-after": after, "encoding-type": "url"}
            page = ET.fromstring(self._send("GET", "", query=query).data)  # noqa: S314 - S3's own answer
            found = [
                (unquote_plus(element.findtext("{*}Key", "")), int(element.findtext("{*}Size", "0")))
                for element in page.findall("{*}Contents")
            ]
            yield from found
            after = found[-1][0] if found and page.findtext("{*}IsTruncated") == "true" else None

    def _send(
        self,
        method: str,
        key: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        unmet: SelfhealError | None = None,
    ) -> "BaseHTTPResponse":
        target = f"{self._path}/{quote(key)}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        return _accepted(self._http.send(method, target, body, headers or {}), key, unmet)


def _address_of(name: str, region: str, endpoint: str | None) -> tuple[str, str]:
    """Scheme and host to connect to, and what every path starts with."""
    if endpoint:
        return endpoint.rstrip("/"), f"/{name}"
    suffix = suffix_of(region)
    if "." in name:  # S3's certificate doesn't cover it
        return f"https://s3.{region}.{suffix}", f"/{name}"
    return f"https://{name}.s3.{region}.{suffix}", ""


def _accepted(answer: "BaseHTTPResponse", key: str, unmet: SelfhealError | None) -> "BaseHTTPResponse":
    match answer.status:
        case HTTPStatus.OK | HTTPStatus.NOT_MODIFIED:
            return answer
        case HTTPStatus.PRECONDITION_FAILED | HTTPStatus.CONFLICT if unmet is not None:
            raise unmet
    found = _CODE.search(answer.data)
    code = found[1].decode() if found else str(answer.status)
    if code in ("NoSuchKey", "404"):
        raise ObjectMissing(f"nothing is stored under {key}")
    if code in ("AccessDenied", "403"):
        raise AccessRefused(f"S3 refused {key}: {code}")
    raise StoreUnavailable(f"S3 refused {key}: {code}")


def _stored(answer: "BaseHTTPResponse") -> StoredObject:
    return StoredObject(answer.data, answer.headers["ETag"])
