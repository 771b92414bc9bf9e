"""Sums of secrets: additive shares, Shamir's shares, and secure aggregation with clients that drop out.

Vectors of real numbers become integers modulo 2⁶⁴ in fixed point. There a uniform mask hides perfectly: a
number plus a uniform one is uniform, whatever the number was.

The parties are honest but curious: all follow the protocol, and the server (or fewer than `threshold`
clients with it) tries to learn more than the sum. Left out: that messages between clients are encrypted on
their way through the server, and the signatures that stop a server that lies about who dropped out.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_lib import arguments

FRACTION_BITS = 32
"""A real number a is sent as round(a · 2³²): an error of at most 2⁻³³ each, sums safe below 2³¹."""

FIELD = 2**521 - 1  # a Mersenne prime, larger than any secret that is shared

# Group 14 of RFC 3526: a safe prime of 2,048 bits, generator 2.
DH_PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)
KEY_BYTES = 2048 // 8
SHARE_BYTES = 66  # an element of FIELD


class TooFewClients(ValueError):
    """Fewer clients are left than the threshold asks for, so the sum stays hidden."""


def to_ring(values: np.ndarray, summands: int = 1) -> np.ndarray:
    """Fixed point modulo 2⁶⁴: uint64, in the shape of `values`.

    A sum wraps around at 2³¹, so where `summands` such vectors are added up, each value must lie below
    2³¹/`summands` in size. Raises ValueError if one does not, or is NaN.
    """
    summands = arguments.whole("summands", summands, 1)
    values = arguments.numbers(
        "values", values, "leave them out, or scale them down first", n_dims=np.ndim(values)
    )
    values = values.astype(np.float64)
    if not (np.abs(values) < 2**31 / summands).all():
        largest = f"2**31/{summands} (their sum wraps around at 2**31)" if summands > 1 else "2**31"
        raise ValueError(f"to_ring: values must lie below {largest} in size; scale them down first.")
    return np.rint(values * 2**FRACTION_BITS).astype(np.int64).view(np.uint64)


def from_ring(ring: np.ndarray) -> np.ndarray:
    """The float64 numbers behind uint64 fixed point. Raises ValueError for another dtype."""
    ring = _checked_ring("from_ring", ring)
    return ring.view(np.int64) / 2**FRACTION_BITS


def additive_shares(ring: np.ndarray, parties: int) -> np.ndarray:
    """Split uint64 `[m]` into uint64 `[parties, m]` that add up to it modulo 2⁶⁴.

    All but the last are uniform and the last is the rest; any `parties` − 1 of them together are uniform, so
    they say nothing. Raises ValueError for fewer than two parties and for another dtype.
    """
    parties = arguments.whole("additive_shares: a secret needs two parties at least; parties", parties, 2)
    ring = _checked_ring("additive_shares", ring)
    noise = np.frombuffer(secrets.token_bytes(8 * (parties - 1) * ring.size), dtype=np.uint64)
    noise = noise.reshape(parties - 1, *ring.shape)
    return np.concatenate([noise, (ring - noise.sum(axis=0, dtype=np.uint64))[None]])


def shamir_shares(secret: int, parties: int, threshold: int) -> list[tuple[int, int]]:
    """Points (x, f(x)), x = 1…parties, of a random polynomial f over the prime field with f(0) = `secret`.

    Its degree is `threshold` − 1. Any `threshold` points give the secret, fewer give nothing: through them
    and each possible secret goes the same number of polynomials. Raises ValueError for a secret outside of
    the field or a threshold that is not in 1…parties. Source: Shamir 1979.
    """
    parties = arguments.whole("parties", parties, 1)
    threshold = arguments.whole("threshold", threshold, 1, parties)
    secret = arguments.whole("secret", secret, 0)
    if secret >= FIELD:
        raise ValueError("shamir_shares: the secret must lie in the field, below 2**521 − 1.")
    coefficients = [secret, *(secrets.randbelow(FIELD) for _ in range(threshold - 1))]

    def at(x: int) -> int:
        value = 0
        for coefficient in reversed(coefficients):
            value = (value * x + coefficient) % FIELD
        return value

    return [(x, at(x)) for x in range(1, parties + 1)]


def shamir_secret(shares: Sequence[tuple[int, int]]) -> int:
    """f(0) of the polynomial through `shares`, by Lagrange. With too few shares: some other number.

    Raises ValueError for no share, and for two shares of one place.
    """
    shares = [(arguments.whole("x", x, 1), arguments.whole("f(x)", y, 0)) for x, y in shares]
    if not shares or len({x for x, _ in shares}) < len(shares):
        raise ValueError("shamir_secret: pass at least one share, and one of each place x at most.")
    secret = 0
    for x, y in shares:
        above = below = 1
        for other, _ in shares:
            if other != x:
                above = above * -other % FIELD
                below = below * (x - other) % FIELD
        secret += y * above * pow(below, -1, FIELD)
    return secret % FIELD


def mask(seed: int, size: int) -> np.ndarray:
    """uint64 `[size]` grown from a seed of up to 256 bits by SHAKE-256: looks uniform to all who lack it."""
    stream = hashlib.shake_256(seed.to_bytes(32, "big")).digest(8 * size)
    return np.frombuffer(stream, dtype=np.uint64)


class Client:
    """One user of the protocol. `place` counts from 0; its key pair and its own seed are fresh."""

    def __init__(self, place: int) -> None:
        self.place = place
        self._key = secrets.randbits(256)
        self._own_seed = secrets.randbits(256)
        self.public = pow(2, self._key, DH_PRIME)
        self._received: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {}

    def share_secrets(self, clients: Sequence[Client], threshold: int) -> None:
        """Give every client one Shamir share of the key and one of the own seed."""
        pairs = zip(
            shamir_shares(self._key, len(clients), threshold),
            shamir_shares(self._own_seed, len(clients), threshold),
            strict=True,
        )
        for client, pair in zip(clients, pairs, strict=True):
            client.receive(self.place, pair)

    def receive(self, sender: int, shares: tuple[tuple[int, int], tuple[int, int]]) -> None:
        """Keep the share of a sender's key and the share of its own seed."""
        self._received[sender] = shares

    def masked(self, values: np.ndarray, public: Sequence[int]) -> np.ndarray:
        """What goes to the server: uint64 `[m]` = values + own mask ± a mask for each other client.

        The smaller of two places adds the common mask, the larger subtracts it.
        """
        # A client knows how many others there are, and bounds its part of the sum by that.
        ring = to_ring(values, len(public)) + mask(self._own_seed, values.size)
        for other, key in enumerate(public):
            if other != self.place:
                ring = _add(ring, mask(common_seed(self._key, key), values.size), self.place < other)
        return ring

    def reveal(self, survivors: Sequence[int], dropped: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Shares for the server: of the own seed of a survivor, of the key of one that dropped out.

        Never both of the same client: together they would lay its vector open. Raises ValueError then.
        """
        if set(survivors) & set(dropped):
            raise ValueError("reveal: a client is called both present and gone; no share is handed out.")
        shares = {place: self._received[place][1] for place in survivors}
        return shares | {place: self._received[place][0] for place in dropped}


@dataclass(frozen=True)
class SecureSum:
    """`total` float64 `[m]`, the sum over the `survivors`; `seen` uint64 `[survivors, m]` is all that the
    server saw of their vectors; `bytes_up` and `bytes_down` count what one survivor sends and receives beside
    the model."""

    total: np.ndarray
    survivors: list[int]
    seen: np.ndarray
    bytes_up: int
    bytes_down: int


def secure_sum(vectors: Sequence[np.ndarray], threshold: int, dropped: Sequence[int] = ()) -> SecureSum:
    """Add up one float vector `[m]` a client so that the server sees no single one.

    Four steps, after Bonawitz et al. 2017: clients publish Diffie-Hellman keys; they share their secrets
    among each other; they send masked vectors, and those in `dropped` never do; the others reveal shares,
    with which the server takes the masks off the *sum*. Masks of pairs cancel where both arrived; where one
    dropped out, its key is put together again, and with it the masks it left behind. The own mask protects a
    client that is only late: its key may be revealed by then, its own seed is not.

    Raises `TooFewClients` if fewer than `threshold` clients are left, ValueError for vectors of unequal
    shape, values of 2³¹ ÷ clients or more (their sum would wrap around), NaN, a threshold outside of
    1…clients and a dropped client that there is not.
    """
    vectors = [np.asarray(vector) for vector in vectors]
    if len({vector.shape for vector in vectors}) != 1 or vectors[0].ndim != 1:
        raise ValueError("secure_sum: pass one-dimensional vectors of one length, one a client.")
    threshold = arguments.whole("threshold", threshold, 1, len(vectors))
    dropped = [arguments.whole("dropped: a client", place, 0, len(vectors) - 1) for place in dropped]
    clients = [Client(place) for place in range(len(vectors))]
    public = [client.public for client in clients]
    for client in clients:
        client.share_secrets(clients, threshold)
    gone = sorted(set(dropped))
    survivors = [client.place for client in clients if client.place not in gone]
    seen = np.array([clients[place].masked(vectors[place], public) for place in survivors])
    if len(survivors) < threshold:
        raise TooFewClients(
            f"Only {len(survivors)} of {len(clients)} clients are left and {threshold} are needed; "
            "the server cannot unmask the sum: start the round again."
        )
    helpers = [clients[place].reveal(survivors, gone) for place in survivors[:threshold]]
    size = vectors[0].size
    ring = seen.sum(axis=0, dtype=np.uint64)
    for place in survivors:
        ring = ring - mask(shamir_secret([shares[place] for shares in helpers]), size)
    for place in gone:
        key = shamir_secret([shares[place] for shares in helpers])
        for other in survivors:
            # `other` used this mask, and nobody took it off again.
            ring = _add(ring, mask(common_seed(key, public[other]), size), other > place)
    n = len(clients)
    up = KEY_BYTES + 2 * SHARE_BYTES * (n - 1) + 8 * size + SHARE_BYTES * n
    down = KEY_BYTES * (n - 1) + 2 * SHARE_BYTES * (n - 1)
    return SecureSum(from_ring(ring), survivors, seen, up, down)


def common_seed(key: int, public: int) -> int:
    """The seed that two clients agree on: the hash of public ** key, the same from both sides."""
    agreed = pow(public, key, DH_PRIME)
    return int.from_bytes(hashlib.sha256(agreed.to_bytes(KEY_BYTES, "big")).digest(), "big")


def _checked_ring(who: str, ring: np.ndarray) -> np.ndarray:
    ring = np.asarray(ring)
    if ring.dtype != np.uint64:
        raise ValueError(f"{who}: the ring holds uint64, got {ring.dtype}; to_ring makes it of numbers.")
    return ring


def _add(ring: np.ndarray, noise: np.ndarray, positive: bool) -> np.ndarray:
    return ring + noise if positive else ring - noise
