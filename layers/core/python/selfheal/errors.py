"""Every error that the project raises on purpose; each message tells the reader what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_FAULT = 500


def _legible(fault: str) -> str:
    """Names are a user's and may hold anything: what can't be printed is written as in TOML, at no great length."""
    shown = "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in fault)
    return shown if len(shown) <= LONGEST_FAULT else f"{shown[:LONGEST_FAULT]}…"


class SelfhealError(Exception):
    """Root of every error below: catch this to catch them all."""


class ContractInvalid(SelfhealError):
    """A contract is refused whole; `faults` names every fault by its path in the file."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(map(_legible, faults))
        listed = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"the contract has {len(self.faults)} fault(s); correct each and try again:\n{listed}")


class DataInvalid(SelfhealError):
    """A table doesn't match its contract; `faults` names every one found."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(map(_legible, faults))
        listed = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"the data doesn't match the contract in {len(self.faults)} point(s):\n{listed}")


class FileUnreadable(SelfhealError):
    """A file can't be read as a table; the message says what stands in the way, and what to do."""


class FileTooLarge(FileUnreadable):
    """A file has more rows or bytes than one function reads; nothing else was found to be wrong with it."""


class DraftImpossible(SelfhealError):
    """No first contract can be drafted from a file; the message says what stands in the way."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field of a request; carries no value of it."""

    field: str
    message: str


# Faults told in one answer; a client mends the first hundred before it needs the next.
MAXIMUM_FAULTS = 100


class RequestInvalid(SelfhealError):
    """A request doesn't match the contract; `faults` names its fields, the first hundred where there are as many."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        self.faults = tuple(faults[:MAXIMUM_FAULTS])
        more = "" if len(self.faults) < MAXIMUM_FAULTS else " or more"
        super().__init__(
            f"{len(self.faults)}{more} field(s) don't match the contract; correct each and send the request again"
        )


class KeyReused(SelfhealError):
    """An Idempotency-Key was sent with another body before: take a new key for a new request."""


class CallerUnknown(SelfhealError):
    """A request's token doesn't say who sent it, and what was asked for depends on that."""


class BodyTooLarge(SelfhealError):
    """A request's body is larger than one request may be: send it in several."""


class EncodingUnknown(SelfhealError):
    """A request's body is packed in a way that isn't read here: send it as it is, or as gzip."""


class UploadUnreadable(SelfhealError):
    """An uploaded file is not the table that its name promises, lacks a column, or is too large."""


class UploadTooLarge(UploadUnreadable):
    """An uploaded file is more than one function takes in at once: in parts it may be taken in."""


class ArtefactRefused(SelfhealError):
    """A serving artefact's hash, size or structure is off, so it is not evaluated."""


class ExportInexact(SelfhealError):
    """What was to be served differs from the fitted model, or a blend from its members, so no version is written."""


class BlendImpossible(SelfhealError):
    """Versions can't be served as one weighted mean; the message names what stands in the way."""


class ReferenceTampered(SelfhealError):
    """A frozen object no longer has the hash that its manifest records."""


class TrainingImpossible(SelfhealError):
    """The rows at hand can't train a model (too few, one class only): more labels are needed first."""


class TrainingBudgetExceeded(SelfhealError):
    """Training took longer than its budget, so it was ended; give it more time or shorten its window."""


class TrainerFailed(SelfhealError):
    """A trainer of the user's own raised, or returned what can't be fitted or answer; production stays as it is."""


class ModelUnusable(SelfhealError):
    """A ready-made model isn't one that this contract can be served by; the message says what to change."""


class ReasonsUnavailable(SelfhealError):
    """A version doesn't hold what reasons for its answers are worked out from."""


class NoProductionModel(SelfhealError):
    """The environment has no production model yet: run `selfheal bootstrap` first."""


class VersionUnknown(SelfhealError):
    """The registry holds no version of that name: `selfheal history` lists those it holds."""


class ObjectMissing(SelfhealError):
    """The store holds nothing under that key."""


class ObjectExists(SelfhealError):
    """Something was already written under a key that is written once."""


class ObjectChanged(SelfhealError):
    """An object is no longer the one that the writer had read; read it again before writing."""


class LogUnreadable(SelfhealError):
    """An object of the prediction log doesn't hold what the predictor writes; the message names it."""


class StoreUnavailable(SelfhealError):
    """The store didn't answer, or refused; the operation may be tried again."""


class AccessRefused(StoreUnavailable):
    """The store knows who asks and refuses; mend the role's permissions, unless what was asked for isn't there."""


class RecordIncompatible(SelfhealError):
    """A later release wrote this record in a way that this one would misread: deploy that release or a later one."""


class PromotionConflict(SelfhealError):
    """Another writer moved the production pointer since this healing began; nothing of ours was changed."""


class LedgerBroken(SelfhealError):
    """The ledger's chain doesn't hold; the message names the first entry that is off."""


class HealingRefused(SelfhealError):
    """A healing of this production version is under way (wait for its decision), or automatic promotion is paused."""


class HealingIncomplete(SelfhealError):
    """A step of a healing lacks what the step before it should have handed over; start a new healing."""


class EvaluationUnfair(SelfhealError):
    """Rows that are to judge a model may have trained it; start a new healing."""


class NothingToApprove(SelfhealError):
    """No healing waits for an answer, or not the one that was named; `selfheal history` shows what was decided."""


class AlreadyInProduction(SelfhealError):
    """The version that should be promoted answers already; there is nothing to do."""


class VerificationFailed(SelfhealError):
    """What is stored isn't what was written or decided; the message names the first thing that is off."""


class RollbackImpossible(SelfhealError):
    """There is no other version to go back to; `selfheal history` lists those there are."""


class SettingsInvalid(SelfhealError):
    """The function's environment lacks a setting or has an unusable one; the message names it."""
