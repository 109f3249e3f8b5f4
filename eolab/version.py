"""Which eolab this is."""

from __future__ import annotations


def version() -> str:
    """The installed version; "0+source" from a checkout that was never installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("eolab")
    except PackageNotFoundError:
        return "0+source"
