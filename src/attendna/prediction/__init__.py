"""Prediction: a run folder and sequences in, one array of predictions out."""
