"""Classic learners on representations: settings, and arrays that hold what was learned."""
