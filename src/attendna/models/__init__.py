"""Models: attention networks, the CNNs they must beat, and how they are stored."""
