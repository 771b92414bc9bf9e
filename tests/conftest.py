"""What every test needs: quiet libraries, and few threads on machines that have few."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"
os.environ["COURSE_HEADLESS"] = "1"
