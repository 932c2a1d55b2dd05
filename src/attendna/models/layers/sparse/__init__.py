"""Attention in which every block of tokens reads a few other blocks."""
