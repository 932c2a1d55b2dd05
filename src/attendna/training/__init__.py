"""Training: from a task folder and a YAML to a run folder."""
