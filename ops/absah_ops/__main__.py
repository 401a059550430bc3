"""Lets `python -m absah_ops` stand for `absah`."""

from absah_ops.main import main

main()
