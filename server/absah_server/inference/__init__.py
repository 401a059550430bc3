"""Run the models of a repository in this process, batched across requests."""
