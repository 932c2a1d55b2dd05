"""Builders: public raw files in, a task folder out, one file for each family of tasks."""
