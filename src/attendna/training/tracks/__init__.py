"""Training of models that predict tracks along long sequences."""
