"""Tell a retry from a new request by the Idempotency-Key that the client sends."""

import hashlib
from datetime import datetime

from selfheal.errors import FieldFault, KeyReused, RequestInvalid, StoreUnavailable
from selfheal.records.claims import Claim
from selfheal.records.predictions import new_request_id
from selfheal.stores.idempotency import IdempotencyStore

MAXIMUM_KEY = 255


def recognise_retry(claims: IdempotencyStore, caller: str, key: str, body: bytes, *, rows: int, now: datetime) -> str:
    """The request id under which a request with this key is answered: for a retry that of the first attempt.

    Raises:
        RequestInvalid, KeyReused: see `first_claim`.
    """
    return first_claim(claims, caller, key, claim_of(body, rows=rows, now=now)).request_id


def claim_of(body: bytes, *, rows: int, now: datetime) -> Claim:
    """What a request claims a key for."""
    return Claim(request_id=new_request_id(now), rows=rows, body_sha256=hashlib.sha256(body).hexdigest())


def first_claim(claims: IdempotencyStore, caller: str, key: str, claim: Claim) -> Claim:
    """The claim of the first attempt under a key, this one where it is that.

    Where the store is down nothing is recognised: the request is answered as a new one.

    Raises:
        RequestInvalid: the key is empty or too long.
        KeyReused: the key came with another body before.
    """
    if not 0 < len(key) <= MAXIMUM_KEY:
        raise RequestInvalid([FieldFault("Idempotency-Key", f"takes 1 to {MAXIMUM_KEY} characters")])
    try:
        first = claims.claim(caller, key, claim)
    except StoreUnavailable:
        return claim
    if first.body_sha256 != claim.body_sha256:
        raise KeyReused("this Idempotency-Key was sent with another body before: take a new key for a new request")
    return first
