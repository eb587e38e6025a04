"""The month of docs/model.md once more, in plain float64 loops: shares no code with the engine."""
