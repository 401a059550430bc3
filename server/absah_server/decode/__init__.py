"""Turn hostile bytes into pages of pixels, in processes that may be killed and replaced."""
