"""Measure how fast models are served: what `absah models tune` and `bench` do."""
