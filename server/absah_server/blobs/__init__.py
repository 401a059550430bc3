"""Contents by their digest: in files, or in an S3-compatible store."""
