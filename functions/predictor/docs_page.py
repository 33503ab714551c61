"""The API's documentation as one page that loads nothing from elsewhere, so that it opens in a closed network."""

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape
from typing import Any

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d8dee4; vertical-align: top }
code, pre, textarea { font: 14px/1.45 ui-monospace, monospace; background: #f3f5f7 }
pre, textarea { padding: .8rem; width: 100%; box-sizing: border-box; overflow: auto; border: 0 }
textarea { height: 16rem; border: 1px solid #c3cad1 }
button { font: inherit; padding: .4rem 1.2rem }
"""
SCRIPT = """
const answer = document.getElementById("answer");
document.getElementById("send").addEventListener("click", async () => {
  try {
    const response = await fetch("predict", {
      method: "POST",
      headers: {"content-type": "application/json"},
      body: document.getElementById("row").value,
    });
    answer.textContent = response.status + "\\n" + JSON.stringify(await response.json(), null, 2);
  } catch (error) {
    answer.textContent = "no answer: " + error.message;
  }
});
"""


def _source(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src {_source(STYLE)}; script-src {_source(SCRIPT)}; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document: operations, the fields of a row, and a form that sends one."""
    title, description = escape(document["info"]["title"]), escape(document["info"]["description"])
    row = document["components"]["schemas"]["Row"]
    examples = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    example = escape(json.dumps(examples["one row"]["value"], indent=2, ensure_ascii=False))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1><p>{description} Machines read <a href="openapi.json">openapi.json</a>.</p>
<h2>Operations</h2>{_table(("Call", "", "Answers"), _operations(document))}
<h2>Fields of a row</h2>{_table(("Field", "Type", "Limits", ""), _fields(row))}
<h2>Try it</h2><textarea id="row" aria-label="A row as JSON" spellcheck="false">{example}</textarea>
<p><button id="send">POST /predict</button></p><pre id="answer" aria-live="polite"></pre>
<p>On AWS, calls are signed: use <code>selfheal call</code> there.</p>
<script>{SCRIPT}</script></body></html>
"""


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
