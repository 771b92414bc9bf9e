"""The book: a static site made from the committed notebooks, the ledger and a few pages.

`python -m book build` writes build/book/, `python -m book serve` shows it on this machine.
"""
