"""Sequences to tell positives from: windows of the genome, matched or not, and shuffles."""
