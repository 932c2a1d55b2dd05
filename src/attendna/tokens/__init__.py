"""Tokens: from bases to what a model reads, on the device the model runs on."""
