"""Build and measure the model that the checker `objects` ships with."""
