"""The notebook of the docs runs from its first cell to its last, and says what it says in the docs."""

import nbformat

from tests.support.notebook import PATH, executed


def results(notebook: nbformat.NotebookNode) -> dict[str, list[str]]:
    """What each cell of code returns, as text, by its source."""
    return {
        cell.source: [output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result"]
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def test_the_notebook_runs_and_says_what_it_says_in_the_docs():
    """An error in a cell would end the run; each result is the committed one: `python -m tests.support.notebook`."""
    committed = results(nbformat.read(PATH, as_version=4))
    assert results(executed()) == committed
    assert sum(map(len, committed.values())) >= 6
