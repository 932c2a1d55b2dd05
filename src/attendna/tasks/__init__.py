"""Tasks: labelled sequences on disk, where they come from, and how they are split."""
