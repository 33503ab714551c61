"""The whole loop with every function in its container, in real time."""


def test_the_world_turns_and_the_service_heals(life):
    """Predictions, labels, monitoring and a healing by the state machine end in a promotion; the new one answers."""
    kinds = [decision.kind for decision in life.cloud.stores.ledger.decisions()]
    assert kinds == ["bootstrap", "promote"]
    promoted = life.cloud.stores.pointer.read().pointer.version
    assert {row.model_version for row in life.last} == {promoted} != {row.model_version for row in life.first}
