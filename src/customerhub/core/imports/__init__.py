"""Use cases of imports: a file is staged, tried, run row by row by the one write path, and what came of it is told."""
