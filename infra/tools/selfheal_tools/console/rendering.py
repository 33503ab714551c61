"""Templates: pages in the console's frame, or as parts that the script puts into a page."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from selfheal.report.charts import distributions
from selfheal_tools.console import drawing, words

PAGES = (
    ("/", "Now"),
    ("/time", "Time"),
    ("/versions", "Versions"),
    ("/decisions", "Decisions"),
    ("/labels", "Labels"),
    ("/data", "Data"),
    ("/try", "Try it"),
)


def render(template: str, *, part: bool = False, **content: Any) -> str:
    """A template's HTML; as a `part` without the frame."""
    layout = "part.html.j2" if part else "frame.html.j2"
    return _environment().get_template(template).render(layout=layout, pages=PAGES, **content)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("selfheal_tools.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(words, name) for name in ("moment", "number", "share", "capital", "counted")}
    environment.globals |= {name: getattr(drawing, name) for name in drawing.__all__}
    environment.globals |= {"distributions": distributions}
    return environment
