"""Made-up people, organisations and places, with vectors that lie near those of their topic.

Ids run from Q9000000001: Wikidata's own have at most nine digits, so that none can be mistaken. Surnames and
places are put together from syllables, so that no name is meant to be that of anyone or anything real.
"""

from typing import NamedTuple

import numpy as np

from data_scripts.simulated_news.draws import generator, normal
from data_scripts.simulated_news.words import CATEGORIES, words

FIRST_ID = 9_000_000_001
VECTOR_SIZE = 100  # as MIND's
RELATIONS = 24  # made up too, P9000000001 and on
SHARE_WITHOUT_VECTOR = 0.05  # MIND's files lack some as well

_FIRST_NAMES = words("""
    Ada Alan Amara Anna Arlo Basil Bea Bruno Carla Cleo Dana Dario Della Edda Elias Ella Enzo Esme
    Fabian Faye Felix Flora Gia Hanna Hugo Ida Igor Ines Ivo Jana Jonas Juno Kai Keira Lars Lena Leo
    Livia Luca Mabel Marco Mina Nadia Nico Nora Olga Omar Oscar Otto Petra Pia Quinn Rhea Rosa Ruben
    Sami Selma Silas Sofia Tara Theo Tilda Uma Vera Viktor Wanda Yara Yuri Zara Zeno
""")
_STARTS = words("""
    Bar Bel Bren Cal Cor Dal Dor El Fen Gar Gren Hal Har Hol Ister Jor Kel Kest Lan Lor Mar Mel Mor
    Nal Nor Oster Pel Quin Ral Rost Sel Stav Tal Tor Ul Vel Vor Wes Yar Zel
""")
_MIDDLES = words("ani eri ola ume ise ando enta aru ibe ovi uma ela")
_ROOT_ENDS = words("ck x rv st nd sk")
_SURNAME_ENDS = words("brook dane feld gard holt kin lund mark nack quist rell sen strand thorpe vick wyn")
_PLACE_ENDS = words("burgh by dale ford haven holm mere mouth port stead ton vale ville water wick wold")
_MASCOTS = words("""
    Comets Otters Lanterns Pioneers Herons Millers Anvils Badgers Gulls Rovers Foxes Thunder Pilots
    Stags Drifters Masons
""")
_FILM_WORDS = (
    words("Glass Winter Paper Silent Copper Hollow Distant Golden Broken Northern Velvet Second"),
    words("Harbor Letters Garden Hour Bridge Signal Orchard Crown Mirror Shore Engine Lantern"),
)
_ORGANISATIONS = {
    "council": "{place} City Council|{place} County Court|{place} Police|{place} Transit Board",
    "team": "{place} {mascot}",
    "company": "{root} Bank|{root} Systems|{root} Holdings|{root} Freight|{root} Stores",
    "restaurant": "{root}'s Kitchen|Café {root}|{root} Grill|The {root} Bakery",
    "airline": "{root} Air|{root} Cruises|{root} Rail|{root} Hotels",
    "brand": "{root} Home|{root} & Daughters|Studio {root}|{root} Living",
    "clinic": "{place} Clinic|{place} University Hospital|{root} Health Institute",
    "carmaker": "{root} Motors|{root} Automobile|{root} Electric",
    "weather office": "{place} Weather Office|{place} Storm Center",
    "park": "{place} Zoo|{place} Wildlife Park|{place} Animal Rescue",
    "show": "{first} {second}",
    "film": "The {first} {second}",
    "band": "The {root} {mascot}|{first} {second}",
}


class Entities(NamedTuple):
    """n entities; `home` int64 [n] is the subcategory of a person or organisation, −1 for a place."""

    names: list[str]
    kinds: list[str]  # P person, O organisation, G place, as in MIND's column
    ids: list[str]
    home: np.ndarray
    vectors: np.ndarray  # float64 [n, 100], six decimals
    relations: np.ndarray  # float64 [24, 100]
    has_vector: np.ndarray  # bool [n]
    people: list[np.ndarray]  # positions of each subcategory's people, the most written about first
    organisations: list[np.ndarray]
    places: np.ndarray


def make_entities(size: float, seed: int) -> Entities:
    """About 500 + 300 · size entities, at most 20,000: 15 % places, half of the rest people."""
    rng = generator(seed, "entities")
    shares = [
        (key, category.share / len(category.subcategories), category.org)
        for key, category in CATEGORIES.items()
        for _ in category.subcategories
    ]
    total = min(int(500 + 300 * size), 20_000)
    names: list[str] = []
    kinds: list[str] = []
    home: list[int] = []
    taken: set[str] = set()

    def add(kind: str, subcategory: int, make) -> None:
        name = make()
        while name in taken:
            name = make()
        taken.add(name)
        names.append(name)
        kinds.append(kind)
        home.append(subcategory)

    def pick(options):
        return options[int(rng.integers(len(options)))]

    def root():
        return pick(_STARTS) + pick(_MIDDLES) + pick(_ROOT_ENDS)

    def place():
        before = pick(("", "", "", "New ", "Port ", "Lake ", "East "))
        return before + pick(_STARTS) + pick(_MIDDLES) + pick(_PLACE_ENDS)

    def person():
        return f"{pick(_FIRST_NAMES)} {pick(_STARTS)}{pick(_MIDDLES)}{pick(_SURNAME_ENDS)}"

    def organisation(patterns):
        return pick(patterns.split("|")).format(
            place=place(),
            root=root(),
            mascot=pick(_MASCOTS),
            first=pick(_FILM_WORDS[0]) if rng.integers(2) else root(),
            second=pick(_FILM_WORDS[1]),
        )

    for _ in range(max(total * 3 // 20, 10)):
        add("G", -1, place)
    remaining = total - len(names)
    for subcategory, (_, share, org) in enumerate(shares):
        for _ in range(max(round(remaining * share / 2), 3)):
            add("P", subcategory, person)
            add("O", subcategory, lambda org=org: organisation(_ORGANISATIONS[org]))
    where, what = np.array(home), np.array(kinds)
    subcategories = range(len(shares))
    return Entities(
        names,
        kinds,
        [f"Q{FIRST_ID + number}" for number in range(len(names))],
        where,
        _vectors(rng, where, [key for key, _, _ in shares]),
        (0.1 * normal(rng, RELATIONS, VECTOR_SIZE)).round(6),
        rng.random(len(names)) >= SHARE_WITHOUT_VECTOR,
        [np.flatnonzero((where == one) & (what == "P")) for one in subcategories],
        [np.flatnonzero((where == one) & (what == "O")) for one in subcategories],
        np.flatnonzero(what == "G"),
    )


def _vectors(rng: np.random.Generator, home: np.ndarray, category_of: list[str]) -> np.ndarray:
    """Category + subcategory + own part, weighted 0.07, 0.05 and 0.05; a place has only its own part."""
    categories = 0.07 * normal(rng, len(CATEGORIES), VECTOR_SIZE)
    subcategories = 0.05 * normal(rng, len(category_of), VECTOR_SIZE)
    subcategories += categories[[list(CATEGORIES).index(key) for key in category_of]]
    own = 0.05 * normal(rng, len(home), VECTOR_SIZE)
    return (own + np.where(home[:, None] >= 0, subcategories[home], 0)).round(6)
