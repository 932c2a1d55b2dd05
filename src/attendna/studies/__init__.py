"""Studies: settings side by side on tasks, as one command and one table that can be believed."""
