"""What a plugin author tests a checker with."""

from absah_sdk.testing.conformance import CheckerConformance, Harness, HarnessResult

__all__ = ["CheckerConformance", "Harness", "HarnessResult"]
