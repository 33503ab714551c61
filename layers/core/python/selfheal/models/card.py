"""The model card of a version: one self-contained page that says what it is, what it was chosen among, and how good."""

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from selfheal.models.trainer import Curves
from selfheal.records.manifest import Manifest

# Of a drawing, in its own units.
WIDTH, HEIGHT = 320, 180
TITLES = {
    "brier": "Brier",
    "log_loss": "log loss",
    "roc_auc": "ROC AUC",
    "f1": "F1",
    "expected_calibration_error": "calibration error",
}


def blend_card(manifest: Manifest, members: Sequence[Manifest]) -> bytes:
    """The same for a blend of versions, in the order of its members."""
    template = _template("blend.html.j2")
    return template.render(manifest=manifest, members=list(zip(manifest.members, members, strict=True))).encode()


def model_card(manifest: Manifest, curves: Curves) -> bytes:
    """The page as UTF-8 HTML; the same model of the same rows gives the same bytes, whenever it was trained."""
    binary = manifest.contract.model.task == "binary"
    described = manifest.candidates[0].metrics if manifest.candidates and not binary else TITLES
    return (
        _template("card.html.j2")
        .render(
            manifest=manifest,
            binary=binary,
            metrics=[(name, TITLES.get(name, name.replace("_", " "))) for name in described],
            width=WIDTH,
            height=HEIGHT,
            learning=_learning(curves["learning"]),
            reliability=_points(curves["reliability"], (0.0, 1.0)),
            f1=_points(curves["f1"], (0.0, 1.0)),
            threshold=(manifest.threshold or 0.0) * WIDTH,
        )
        .encode()
    )


@cache
def _template(name: str) -> Template:
    loader = PackageLoader("selfheal.models", "")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template(name)


def _learning(curves: dict[str, list[float]]) -> list[tuple[str, str]]:
    """For each candidate with trees its name and line, all on one scale."""
    drawn = {name: losses for name, losses in curves.items() if len(losses) > 1}
    values = [loss for losses in drawn.values() for loss in losses]
    span = (min(values, default=0.0), max(values, default=1.0))
    return [
        (name, _points([(tree / (len(losses) - 1), loss) for tree, loss in enumerate(losses)], span))
        for name, losses in drawn.items()
    ]


def _points(points: Sequence[tuple[float, float]], span: tuple[float, float]) -> str:
    """An SVG line: x in [0, 1] from left to right, y in `span` from bottom to top."""
    low, high = span
    scale = HEIGHT / ((high - low) or 1.0)
    return " ".join(f"{x * WIDTH:.1f},{HEIGHT - (y - low) * scale:.1f}" for x, y in points)
