"""Bring a model of an operator's own into the repository: a module for each kind of model."""
