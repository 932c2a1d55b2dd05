"""Pretraining of language models of DNA: hide bases of genomes, and have them told."""
