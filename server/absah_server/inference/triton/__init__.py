"""Serve a model repository from Triton servers: the port `Inference` over gRPC."""
