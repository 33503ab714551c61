"""Enough new truth for another model to be worth a try, though nothing alarming has happened.

A world that changes a little every week raises no alarm, and a model that learnt from one bad month stays as good as it
promised: neither decays. Whether a newer model would do better only a trial tells, and the gates judge it as any other.
"""

from datetime import datetime, timedelta

from selfheal.records.ledger import Decision
from selfheal.records.manifest import Manifest
from selfheal.records.story import Story
from selfheal.stores.collection import Stores

# Newly labelled rows, as a share of those that taught the model: fewer aren't worth what a training costs.
GROWTH = 0.01


def growth(stores: Stores, production: Manifest, story: Story, now: datetime) -> str | None:
    """Why another training is due by the labels that have come since the last one; None where it isn't.

    As soon as `minimum_samples` rows are new, or a hundredth of those that taught the model where that is more. A model
    younger than the cooldown isn't challenged without cause.
    """
    policy = production.contract.policy
    if now - production.created_at < timedelta(days=policy.gates.cooldown_days):
        return None
    since = max([production.taught_until, *map(_newest_used, story.decisions_about(production.version))])
    wanted = max(policy.gates.minimum_samples, policy.retraining.minimum_labels, round(GROWTH * production.data.rows))
    if len(stores.labels.newest_between(since, now, wanted)) < wanted:
        return None
    return f"{wanted} rows were labelled since {since:%Y-%m-%d %H:%M} UTC, and {production.data.rows} taught the model"


def _newest_used(decision: Decision) -> datetime:
    """The newest prediction whose label an attempt used up; where it says nothing of that, all until then."""
    evidence = decision.evidence
    return decision.decided_at if evidence is None or evidence.newest is None else evidence.newest
