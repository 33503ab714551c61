"""What goes into the packages, without the third-party part (`make check-infra` tests that one)."""

import hashlib
import json
import re
from pathlib import Path

from infra.cloud.packaging import IMAGE_FUNCTIONS, Packages
from selfheal.settings import Settings, variable_of


def test_the_same_sources_make_the_same_packages_in_another_folder():
    """Library, functions, their bytecode and the image's context are the same to the last byte: so are asset hashes."""
    assert contents_of_all() == contents_of_all()


def contents_of_all() -> dict[str, str]:
    with Packages("arm64", bundled=True) as packages:
        folders = {"core": packages.core, "image": packages.image}
        folders |= {name: packages.function(name) for name in ("predictor", "promotion")}
        return {f"{name}/{file}": digest for name, folder in folders.items() for file, digest in contents(folder)}


def contents(folder: Path) -> list[tuple[str, str]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(file.relative_to(folder)), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]


def test_bytecode_is_checked_by_nothing():
    """Files in a package lose their times: bytecode is of the kind that is never compared with its source."""
    with Packages("arm64", bundled=True) as packages:
        compiled = list(packages.core.rglob("*.pyc"))
        assert len(compiled) == len(list(packages.core.rglob("*.py")))
        # PEP 552: flags 0b01 are a hash, 0b11 a hash that is checked.
        assert {file.read_bytes()[4:8] for file in compiled} == {(1).to_bytes(4, "little")}


def test_the_image_holds_its_functions_and_neither_of_the_zips():
    """Nothing that isn't run from the image is in it."""
    with Packages("arm64", bundled=True) as packages:
        found = {path.name for path in (packages.image / "functions").iterdir() if path.is_dir()}
    assert found == set(IMAGE_FUNCTIONS)


def test_the_environment_for_sam_names_variables_that_functions_read_and_no_account():
    """`events/env.json` is for everybody: no account's number, and nothing that no function reads."""
    text = Path("events/env.json").read_text(encoding="utf-8")
    assert set(json.loads(text)["Parameters"]) == {variable_of(field) for field in Settings.model_fields}
    assert not re.search(r"\d{12}", text)
