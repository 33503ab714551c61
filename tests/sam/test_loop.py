"""The whole loop with every function in its container, in real time."""

from tests.sam.life import REQUEST_ROWS


def test_the_world_turns_and_the_service_heals(life):
    """Predictions, labels, monitoring and a healing by the state machine end in a promotion; the new one answers."""
    kinds = [decision.kind for decision in life.cloud.stores.ledger.decisions()]
    assert kinds == ["bootstrap", "promote"]
    promoted = life.cloud.stores.pointer.read().pointer.version
    assert {row.model_version for row in life.last} == {promoted} != {row.model_version for row in life.first}


def test_a_file_is_answered_by_the_new_model(life):
    """What was put below `batches/incoming/` has an answer for each row."""
    assert (life.batch["answered"], life.batch["refused"]) == (REQUEST_ROWS, 0)


def test_an_hour_is_rolled_up_by_its_state_machine(life):
    """Every prediction of the first requests lies in a part of its hour."""
    assert {row.prediction_id for row in life.first} <= life.rolled_up
