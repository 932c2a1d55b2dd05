"""attendna: train, benchmark and interpret attention models on regulatory DNA."""

__version__ = "0.1.0"
