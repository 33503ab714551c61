"""Tables in memory: labelled rows, predictions, and predictions whose labels have come; one base says what all can."""
