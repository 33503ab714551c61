"""What labels have to be, as the production version says."""

from dataclasses import dataclass, field

from selfheal.contract.model import FileSection
from selfheal.labels.values import ClassValues, LabelValues, NumberValues, Values
from selfheal.records.manifest import Manifest

# Uploads that `receive_labels` wrote.
FROM_API = "api/"


@dataclass(frozen=True, slots=True)
class LabelTerms:
    """The values that a label may have, the contract's column of users' ids, and how it says that files are written.

    id_column: None where labels name no such id.
    """

    values: Values = field(default_factory=LabelValues)
    id_column: str | None = None
    file: FileSection = field(default_factory=FileSection)


def terms_of(manifest: Manifest) -> LabelTerms:
    """The terms of a version."""
    return LabelTerms(_values(manifest), manifest.contract.model.id_column, manifest.contract.file)


def _values(manifest: Manifest) -> Values:
    model = manifest.contract.model
    if model.task == "regression":
        return NumberValues(model.minimum, model.maximum)
    if model.task == "multiclass":
        return ClassValues(model.classes or (), takes_new=manifest.takes_new_classes)
    return LabelValues({manifest.positive_value: 1, manifest.negative_value: 0})


def spec_of(name: str, terms: LabelTerms) -> FileSection:
    """How an upload is written: as the contract says, or, what the API wrote itself, always in the same way."""
    return FileSection() if name.startswith(FROM_API) else terms.file


BEFORE_THE_FIRST_MODEL = LabelTerms()
