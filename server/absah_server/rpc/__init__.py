"""The gRPC side: messages in, call the core, messages out."""
