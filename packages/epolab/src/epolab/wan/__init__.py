"""Shaped links, pure: which driver, what to measure, what the figures mean, whether they keep the declaration."""
