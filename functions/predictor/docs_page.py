"""The API's documentation as one page that loads nothing from elsewhere, so that it opens in a closed network."""

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape
from typing import Any

STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --soft: #57606a; --paper: #fff; --raised: #f3f5f7; --line: #d8dee4; --link: #0b57b5;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --soft: #9aa4af; --paper: #14171a; --raised: #1f2429; --line: #363d45; --link: #7db8ff }
}
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; color: var(--ink) }
html { background: var(--paper); -webkit-text-size-adjust: 100% }
a { color: var(--link) }
h1, td, code { overflow-wrap: anywhere }
.soft { color: var(--soft) }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
code, pre, textarea { font: 14px/1.45 ui-monospace, monospace; background: var(--raised); color: var(--ink) }
pre, textarea { padding: .8rem; width: 100%; border: 1px solid var(--line); border-radius: 4px; margin: 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere }
pre:empty { display: none }
textarea { height: 17rem; resize: vertical; white-space: pre; overflow: auto }
td:first-child { width: 32% }
button { font: inherit; min-height: 44px; padding: .4rem 1.2rem; margin: .4rem 0 .8rem }
@media (max-width: 40rem) {
  tr:first-child { display: none }
  tr { display: block; border-bottom: 1px solid var(--line); padding: .4rem 0 }
  td, td:first-child { display: block; width: auto; border: 0; padding: 0 }
}
"""
SCRIPT = """
for (const form of document.querySelectorAll("section")) {
  const answer = form.querySelector("pre");
  form.querySelector("button").addEventListener("click", async () => {
    try {
      const response = await fetch(form.dataset.path, {
        method: "POST",
        headers: {"content-type": "application/json"},
        body: form.querySelector("textarea").value,
      });
      answer.textContent = response.status + "\\n" + JSON.stringify(await response.json(), null, 2);
    } catch (error) {
      answer.textContent = "no answer: " + error.message;
    }
  });
}
"""


def _source(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src {_source(STYLE)}; script-src {_source(SCRIPT)}; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document: operations, the fields of a row, and forms that send its examples."""
    title, description = escape(document["info"]["title"]), escape(document["info"]["description"])
    row = document["components"]["schemas"]["Row"]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1><p>{description} Machines read <a href="openapi.json">openapi.json</a>.</p>
<h2>Operations</h2>{_table(("Call", "", "Answers"), _operations(document))}
<h2>Fields of a row</h2>{_table(("Field", "Type", "Limits", ""), _fields(row))}
<h2>Try it</h2><p class="soft">On AWS, calls are signed: use <code>selfheal call</code> there.</p>
{"".join(_forms(document))}
<script>{SCRIPT}</script></body></html>
"""


def _forms(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for name, example in _examples(methods.get("post", {})).items():
            text = escape(json.dumps(example["value"], indent=2, ensure_ascii=False))
            yield f"""<section data-path="{escape(path.removeprefix("/"))}"><h3>{escape(name.capitalize())}</h3>
<textarea aria-label="{escape(name)} as JSON" spellcheck="false" autocapitalize="off">{text}</textarea>
<button>POST {escape(path)}</button><pre aria-live="polite"></pre></section>
"""


def _examples(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    examples: dict[str, Any] = content.get("application/json", {}).get("examples", {})
    return examples


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation["summary"], " ".join(operation["responses"])


def _fields(row: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, schema in row["properties"].items():
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        yield name, " or ".join(kinds), _limits(schema), schema.get("description", "")


def _limits(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"] if value is not None)
    limits = (("from", schema.get("minimum")), ("to", schema.get("maximum")))
    return " ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = "".join(f"<tr><td><code>{escape(first)}</code></td>{_cells(rest)}</tr>" for first, *rest in rows)
    return f"<table><tr>{heads}</tr>{lines}</table>"


def _cells(texts: list[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)
