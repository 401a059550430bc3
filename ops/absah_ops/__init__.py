"""The command line `absah`, for operators and plugin authors."""
