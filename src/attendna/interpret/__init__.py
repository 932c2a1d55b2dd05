"""Interpretation: what a model learned, at base resolution."""
