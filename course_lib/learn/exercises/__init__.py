"""The exercises, one module a chapter: ``chapter_NN.py`` holds ``EXERCISES``, a list of ``Exercise``."""
