"""Sections of the page: each makes its table and its drawing from a result."""
