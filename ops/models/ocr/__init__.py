"""Build and evaluate the models of the checker `ocr`."""
