"""Makes the notebooks from their sources, runs the course, and compares stored results with fresh ones."""
