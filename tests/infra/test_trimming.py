"""What of third-party packages is left out of layer and image."""

import re
import subprocess
import sys

from infra.cloud.packaging import Packages
from infra.cloud.trimming import trim

KEPT = (
    "botocore/data/s3/service.json",
    "botocore/data/endpoints.json",
    "numpy/f2py/__init__.py",
    "pyarrow/lib.cpython-313-x86_64-linux-gnu.so",
    "pyarrow/libarrow_python.so.2600",
)
REMOVED = (
    "botocore/data/ec2/service.json",
    "numpy/core.pyi",
    "pandas/tests/test_frame.py",
    "pyarrow/include/arrow/api.h",
    "pyarrow/libarrow_flight.so.2600",
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.2600.1.0",
)


def test_what_functions_need_stays(tmp_path):
    """Tests, headers, services that nobody calls and copies of libraries go; what is imported stays."""
    for name in KEPT + REMOVED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    trim(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(KEPT)


def test_the_image_trims_by_itself(tmp_path):
    """The Dockerfile copies what its context has, and what trims runs alone, without the project."""
    (tmp_path / "botocore" / "data" / "ec2").mkdir(parents=True)
    with Packages("arm64", bundled=False) as packages:
        dockerfile = (packages.image / "functions" / "Dockerfile").read_text(encoding="utf-8")
        sources = re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.MULTILINE)
        assert all((packages.image / source.replace("${LOCK}", "requirements.txt")).exists() for source in sources)
        subprocess.run([sys.executable, "-I", packages.image / "trimming.py", tmp_path], check=True)
    assert list((tmp_path / "botocore" / "data").iterdir()) == []
