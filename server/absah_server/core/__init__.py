"""The core: what a validation is and how it comes about; knows no transport and no runtime."""
