"""From the broker to the core and back: consume, validate, publish, and acknowledge last."""
