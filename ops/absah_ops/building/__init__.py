"""Make other forms of a model: TensorRT plans, versions for other precisions and engines.

Only `absah models build` uses it; it needs the extra `absah[build]`.
"""
