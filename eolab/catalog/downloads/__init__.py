"""Scenes brought here whole, by processes of their own."""
