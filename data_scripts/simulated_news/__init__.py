"""A simulated twin of MIND, the Microsoft News Dataset: the same files and columns, made from a seed.

    python -m data_scripts.simulated_news FOLDER --size 1 --seed 0

Size 1 is about 2,000 articles, 1,500 readers and 8,000 impressions; size 25 is about MIND-small.

What is simulated, and where it stands:
- `words`, `entities`: categories and subcategories with vocabularies of their own; made-up people,
  organisations and places with ids that Wikidata does not have (from Q9000000001), vectors near their topic.
- `articles`: when an article appears, how long the site shows it, its quality, its title and abstract.
- `readers`: interests that turn from one set to another, favourite entities, histories of the four weeks
  before the log. As in MIND a reader has the same history in every impression.
- `log`: six days for train and one for dev. Hour by hour the site, which knows the histories and the clicks
  so far but not the interests, fills and orders pages; one of ten is in random order. Clicks then follow

      P(click) = examination[place] · attraction(reader, time, article)

  (all of the formula: `course_lib.data.simulated_truth`). Popularity is not put in, it comes from quality,
  from common interests, and from the site's preference for what was clicked.
- `write`: the files, and `truth.npz` with everything that a real log hides.
- `statistics`: how near the twin comes to MIND, beside published figures and their sources.

Where it differs from MIND on purpose: 65 % of MIND-small's articles are never shown, here about 53 %, so that
the small twin has enough to show; a reader comes more often; pages cannot be longer than what the site has;
impressions stand in the order of the hours, and of the reader's interests all but the favourites are for
subcategories, not for single subjects.

The same size and seed give the same bytes on every machine (`draws` says how).
"""

from pathlib import Path


def make(folder: Path) -> None:
    """Lay the asset `simulated-news` into a folder: size 1, seed 0."""
    from data_scripts.simulated_news.write import write_simulated_news

    write_simulated_news(folder)
