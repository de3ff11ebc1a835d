"""Networks on the engine."""
