"""Samplers, which suggest the next trial."""
