"""Speed against peers, measured in the same run: `python course.py benchmark NAME`."""
