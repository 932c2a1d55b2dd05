"""Encoders of the BERT family, as the package transformers has them: made, read and written."""
