"""The life of a model: the commands of `absah models`."""
