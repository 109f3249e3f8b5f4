"""Measurements: `python -m benchmarks.NAME [--json] [--quick]`. Never assertions in a test."""
