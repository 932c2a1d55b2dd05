"""Genomes, intervals and letters: coordinates and codes, nothing about learning."""
