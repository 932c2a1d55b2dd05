"""Whether a data set can be solved without learning any biology, and how to mend it."""
