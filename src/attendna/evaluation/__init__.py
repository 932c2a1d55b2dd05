"""Evaluation: metrics with intervals, thresholds, comparisons."""
