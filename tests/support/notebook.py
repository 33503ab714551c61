"""`python -m tests.support.notebook`: run docs/notebook.ipynb anew and write it with its outputs."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

PATH = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def executed() -> nbformat.NotebookNode:
    """The notebook's cells, run from the first to the last in a kernel of this environment."""
    notebook = nbformat.read(PATH, as_version=4)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        # When each cell ran says nothing, and changes every time.
        cell.metadata.pop("execution", None)
    return notebook


if __name__ == "__main__":
    nbformat.write(executed(), PATH)
