"""`python -m data_scripts.simulated_news FOLDER`: make simulated news, print how near they come to MIND."""

import argparse
from pathlib import Path

from data_scripts.simulated_news.statistics import statistics
from data_scripts.simulated_news.write import write_simulated_news

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m data_scripts.simulated_news", description=__doc__)
    parser.add_argument("folder", type=Path, help="gets train/, dev/ and truth.npz")
    parser.add_argument(
        "--size", type=float, default=1, help="1: 8,000 impressions (default); 25: as MIND-small"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_simulated_news(options.folder, options.size, options.seed)
    print(statistics(options.folder).to_string(index=False))
