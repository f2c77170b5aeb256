"""Figures of an audit, each a function of scores, memberships and predictions alone."""
