"""Golden sets: documents with known answers that a model version is measured on.

A module for each task; each has a set that is drawn or cut from sample photos, and reads a folder
of an operator's own.
"""
