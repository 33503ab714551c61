"""From a fitted model to `model.json`, proven on probe rows before the bytes are handed out. Needs scikit-learn."""
