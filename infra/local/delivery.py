"""What a Firehose stream makes of the records that it takes, for the settings that our template uses.

After https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html: lines are taken out of their record,
each gets the partition that its own fields say, and those of one partition become one compressed object. What isn't
JSON goes below the prefix of errors. Nothing is buffered here: what is taken is delivered at once.
"""

import base64
import gzip
import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_SLICE = re.compile(r"(\w+):\.(\w+)\[(\d+):(\d+)\]")
# The kind of error that lines have which have no partition.
FAILED = "processing-failed"


@dataclass(frozen=True, slots=True)
class Delivered:
    """An object that the stream writes."""

    key: str
    body: bytes


def delivered(
    stream: str, destination: Mapping[str, Any], records: Iterable[bytes], now: datetime
) -> Iterator[Delivered]:
    """The objects that a stream makes of records.

    Raises:
        NotImplementedError: the destination has settings that aren't known here.
    """
    query = _query_of(destination)
    lines: dict[str, list[bytes]] = defaultdict(list)
    failed: list[bytes] = []
    for line in (line for record in records for line in record.splitlines()):
        try:
            found = json.loads(line)
            partition = {name: found[field][start:end] for name, field, start, end in query}
        except (ValueError, KeyError, TypeError):
            failed.append(line)
        else:
            lines[_prefix(destination["Prefix"], partition)].append(line)
    for prefix, of_prefix in lines.items():
        yield _object(stream, prefix, b"".join(line + b"\n" for line in of_prefix), destination, now)
    if failed:
        told = (json.dumps({"errorCode": FAILED, "rawData": base64.b64encode(line).decode()}) for line in failed)
        prefix = destination["ErrorOutputPrefix"].replace("!{firehose:error-output-type}", FAILED)
        prefix = prefix.replace("!{timestamp:yyyy-MM-dd}", f"{now:%Y-%m-%d}")
        yield _object(stream, prefix, "".join(f"{line}\n" for line in told).encode(), destination, now)


def _query_of(destination: Mapping[str, Any]) -> list[tuple[str, str, int, int]]:
    """Names of the partition's keys, the field that each is cut from, and where."""
    parameters = {
        parameter["ParameterName"]: parameter["ParameterValue"]
        for processor in destination["ProcessingConfiguration"]["Processors"]
        for parameter in processor["Parameters"]
    }
    query = parameters["MetadataExtractionQuery"]
    parts = [_SLICE.fullmatch(part) for part in query.strip("{}").split(",")]
    if None in parts or parameters["SubRecordType"] != "JSON" or destination["CompressionFormat"] != "GZIP":
        raise NotImplementedError(f"a stream with {parameters} and {destination['CompressionFormat']}")
    return [(part[1], part[2], int(part[3]), int(part[4])) for part in parts if part]


def _prefix(template: str, partition: Mapping[str, str]) -> str:
    for name, value in partition.items():
        template = template.replace(f"!{{partitionKeyFromQuery:{name}}}", value)
    return template


def _object(stream: str, prefix: str, body: bytes, destination: Mapping[str, Any], now: datetime) -> Delivered:
    name = f"{stream}-1-{now:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}{destination['FileExtension']}"
    return Delivered(prefix + name, gzip.compress(body))
