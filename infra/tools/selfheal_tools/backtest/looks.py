"""What the monitoring runs of a replay could judge, and what they waited for."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from selfheal.records.monitoring import DriftSummary
from selfheal_tools.backtest.records import Looks
from selfheal_tools.backtest.stream import Stream

NUMBERS = re.compile(r"\d[\d.,:-]*")
# What a run says that wants no healing.
CONTENT = "nothing to heal"


def looks_of(summaries: Sequence[DriftSummary], stream: Stream) -> Looks:
    """The runs' counts."""
    without_inputs = [summary for summary in summaries if summary.detection is None]
    waited = [summary for summary in summaries if not summary.healing.started and summary.healing.reason != CONTENT]
    return Looks(
        runs=len(summaries),
        inputs_unjudged=_counted(stream.told_text(summary.sentence) for summary in without_inputs),
        labels_unjudged=sum(summary.decay.p_value is None for summary in summaries),
        nothing_judged=sum(summary.decay.p_value is None for summary in without_inputs),
        started=sum(summary.healing.started for summary in summaries),
        waited=_counted(stream.told_text(summary.healing.reason) for summary in waited),
    )


def _counted(texts: Iterable[str]) -> dict[str, int]:
    """How often each was said, the most frequent first; of texts that differ in numbers alone, the last one."""
    counts, said = Counter[str](), {}
    for text in texts:
        kind = NUMBERS.sub("#", text)
        counts[kind] += 1
        said[kind] = text
    return {said[kind]: count for kind, count in counts.most_common()}
