"""A Triton server without Docker or a GPU, for laptops, tests and benchmarks.

`environment.prepare()` installs it once, and then

    from absah_ops.triton import server

    with server.running(Path("model_repository")) as triton:
        TritonInference(repository, addresses=(triton.grpc_address,), …)

runs it over a model repository on free ports until the block ends. `absah triton serve` is the
same at a terminal. In production NVIDIA's container serves the same repository.
"""
