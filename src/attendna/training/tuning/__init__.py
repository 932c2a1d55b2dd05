"""Search for settings: trials in several processes, stopped early where they lag behind."""
