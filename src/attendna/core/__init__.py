"""The ground floor: errors, registries, configuration and safe files. Knows nothing of DNA."""
