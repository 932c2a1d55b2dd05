"""Speed and memory measurements, as ratios measured in one run.

Each module with a function ``run(quick)`` is a benchmark: it returns one rich table, or several.
``python -m benchmarks`` runs them all, ``python -m benchmarks encoding`` one of them.
"""
