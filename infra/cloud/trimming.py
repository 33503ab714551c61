"""What of third-party packages no function needs. Runs in the layer's bundling, and alone where the image is built.

Nothing here is imported from the project: the Dockerfile runs this file as `python trimming.py FOLDER`.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# The services that functions call; botocore's descriptions of all others are as large as numpy.
DESCRIBED_SERVICES = {"s3", "sts", "sns", "stepfunctions"}

# Nothing that functions use of these packages imports them. (numpy.f2py stays: scipy takes all of numpy's names.)
UNUSED = (
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/batch",
    "aws_lambda_powertools/utilities/circuit_breaker",
    "aws_lambda_powertools/utilities/data_classes",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/feature_flags",
    "aws_lambda_powertools/utilities/idempotency",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parameters",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/streaming",
    "aws_lambda_powertools/utilities/validation",
    "boto3/data",
    "boto3/examples",
    "joblib/test",
    "pyarrow/_flight.*",
    "pyarrow/_pyarrow_cpp_tests.*",
    "pyarrow/_s3fs.*",
    "pyarrow/include",
    "pyarrow/libarrow_flight.*",
    "pyarrow/libarrow_python_flight.*",
    "pyarrow/libarrow_s3.*",
    "pyarrow/src",
    "sklearn/datasets/data",
    "sklearn/datasets/images",
    # Copies of a library under the names that compilers ask for; the loader asks for `.so.<number>`.
    "pyarrow/libarrow*.so",
    "pyarrow/libarrow*.so.*.*.*",
)

# What compilers and type checkers read.
SOURCES = ("*.pyi", "*.pxd", "*.pxi", "*.pyx", "*.h", "*.hpp", "*.a")


def trim(packages: Path) -> None:
    """Remove tests, parts that nobody imports, and what compilers and type checkers read, from a folder of packages."""
    for path in [*_unused(packages), *_undescribed(packages / "botocore" / "data")]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _unused(packages: Path) -> Iterator[Path]:
    yield from [folder for folder in packages.rglob("tests") if folder.is_dir()]
    for pattern in UNUSED:
        yield from list(packages.glob(pattern))
    for pattern in SOURCES:
        yield from list(packages.rglob(pattern))


def _undescribed(descriptions: Path) -> Iterator[Path]:
    return (folder for folder in descriptions.iterdir() if folder.is_dir() and folder.name not in DESCRIBED_SERVICES)


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
