"""Drawings of the page: points, labels, curves, and the SVG that shows them."""
