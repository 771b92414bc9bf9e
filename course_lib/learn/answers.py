"""What counts as a number, a choice, a set, a mapping, an array, a function: one idea of each for all judges.

Whoever computes in torch, in numpy or by hand gives the same right answer in another form. Each ``as_…``
accepts every form of its kind and gives the judge one of them; anything else raises ``Unfit`` with a sentence
for the learner.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import math
import reprlib
import traceback
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping, Set
from typing import Any

import numpy as np
import scipy.sparse as sp

_GIVEN_BACK = "what your function gives back"
_NO_RETURN = "your function gives nothing back: is a `return` missing?"
_LONGEST = 1_000_000  # of what a generator yields: an endless one must not hang the lesson


class Unfit(Exception):
    """An answer of another kind than the exercise asks for; the message continues "Not yet: …"."""


def as_number(answer: Any, what: str = "that", *, missing: bool = False) -> float:
    """One finite number: of Python, numpy or torch, a fraction, a decimal, also as the only one of an array.

    Truth values and texts are no numbers. ``what`` names the answer in the message. NaN passes only if a
    value may be ``missing``.
    """
    value = _only(answer, what, "number")
    if value is None:
        raise Unfit(f"{what} is not a number: it is None. Is a value, or a `return`, missing?")
    if isinstance(value, str | bytes):
        raise Unfit(f"{what} is not a number: it is a text. Leave the quotation marks out.")
    if isinstance(value, bool | np.bool_):
        raise Unfit(f"{what} is not a number: it is a truth value, {value}.")
    if callable(value):
        raise Unfit(f"{what} is not a number: it is a function. Call it.")
    try:
        if getattr(value, "dtype", np.dtype(float)).kind not in "iuf":  # complex numbers, dates
            raise TypeError
        number = float(value)
    except (AttributeError, TypeError, ValueError):
        raise Unfit(f"{what} is not a number: it is of the type {type(value).__name__}.") from None
    except OverflowError:
        raise Unfit(f"{what} is far too large a number.") from None
    if math.isinf(number):
        raise Unfit(f"{what} is infinite: something was divided by 0.")
    if math.isnan(number) and not missing:
        raise Unfit(f"{what} is NaN, not a number: 0 was divided by 0, or a value is missing.")
    return number


def near(value: float, wanted: float, decimals: int = 2) -> bool:
    """Is ``value`` the number ``wanted`` to four decimals, or rounded to ``decimals`` places or more?"""
    return abs(value - wanted) <= 1e-4 or any(
        abs(value - round(wanted, places)) <= 1e-6 for places in range(decimals, 4)
    )


def judged(
    value: float, right: float, mistakes: dict[float, str], otherwise: str, decimals: int = 2
) -> str | None:
    """None for the ``right`` number, else the message of the mistake that leads to ``value``."""
    if near(value, right, decimals):
        return None
    for mistake, message in mistakes.items():
        if near(value, mistake):
            return message
    if near(value, right, 1) or abs(value - right) <= 1.5 * 10**-decimals:
        return f"nearly, but keep all digits on the way, and give at least {decimals} decimals at the end."
    return otherwise


def as_choice(answer: Any, options: Iterable[str], what: str = "that") -> str:
    """One of ``options``, however its capitals, spaces and hyphens are written, also without its article."""
    known = {_plain(option): option for option in options}
    value = _only(answer, what, "choice")
    if not isinstance(value, str) or _plain(value) not in known:
        named = ", ".join(f'"{option}"' for option in known.values())
        raise Unfit(f"{what} is none of the choices. Give one of these texts: {named}.")
    return known[_plain(value)]


def as_choices(answer: Any, options: Iterable[str]) -> set[str]:
    """A set of ``options``: any collection of names, or a single name. Spelled as in ``as_choice``."""
    options = list(options)
    if isinstance(answer, str):
        answer = [answer]
    if isinstance(answer, Mapping) and not all(value is None or value is True for value in answer.values()):
        raise Unfit("that is a dictionary with values; give a set of names.")
    if isinstance(answer, np.ndarray):
        answer = answer.ravel().tolist()
    if not isinstance(answer, Iterable):
        raise Unfit("that is not a set of names: write them in braces, each in quotation marks.")
    return {as_choice(name, options, f"“{str(name)[:60]}”") for name in itertools.islice(answer, 1000)}


def as_mapping(answer: Any, keys: Iterable[str]) -> dict[str, Any]:
    """A dictionary (or a pandas Series) with exactly ``keys``, in their order; any values."""
    known = {_plain(key): key for key in keys}
    if not isinstance(answer, Mapping):
        if not hasattr(answer, "to_dict") or np.ndim(answer) != 1:
            raise Unfit(f"give a dictionary with the keys {'; '.join(known.values())}.")
        answer = answer.to_dict()
    given = {_plain(key) if isinstance(key, str) else key: value for key, value in answer.items()}
    if missing := [key for plain, key in known.items() if plain not in given]:
        raise Unfit(f"give a dictionary with the keys {'; '.join(known.values())}. Missing: {missing[0]}.")
    if len(given) > len(known):
        raise Unfit(f"give a dictionary with the keys {'; '.join(known.values())}, and no other.")
    return {key: given[plain] for plain, key in known.items()}


def as_list(value: Any, what: str = _GIVEN_BACK) -> list[Any]:
    """What stands in a list, tuple, array or other sequence; sets and dictionaries have no places."""
    if isinstance(value, Set | Mapping | str | bytes) and not isinstance(value, KeysView):
        raise Unfit(f"{what} is a {type(value).__name__}: wanted is a list or an array, in order.")
    if hasattr(value, "detach"):
        value = value.detach().cpu().tolist()
    if isinstance(value, np.ndarray | sp.sparray | sp.spmatrix):
        value = (
            as_array(value, what).ravel().tolist() if value.dtype.kind in "biuf" else value.ravel().tolist()
        )
    if not isinstance(value, Iterable):
        raise Unfit(f"{what} is of the type {type(value).__name__}: wanted is a list or an array, in order.")
    return list(value)


def as_array(value: Any, what: str = _GIVEN_BACK) -> np.ndarray:
    """The numbers in a list, array, frame, tensor or sparse matrix, as an array; NaN may be among them.

    Integers keep their type, fractions and the like become float64.
    """
    if sp.issparse(value):
        value = value.toarray()
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.numpy() if str(value.dtype) != "torch.bfloat16" else value.float().numpy()
    if isinstance(value, Set | Mapping | str | bytes):
        raise Unfit(f"{what} is a {type(value).__name__}: wanted is an array of numbers.")
    if (
        isinstance(value, Iterable)
        and not isinstance(value, list | tuple)
        and not hasattr(value, "__array__")
    ):
        value = list(value)  # a range, the values of a dictionary
    try:
        array = np.asarray(value)
    except Exception:  # numpy asks the object itself, so anything may come
        raise Unfit(f"{what} is no array: have all its rows the same length?") from None
    if array.dtype == object:
        array = np.array([as_number(part, f"a part of {what}", missing=True) for part in array.ravel()])
        array = array.reshape(np.shape(value))
    if array.dtype.kind not in "iuf":
        raise Unfit(f"{what} holds no numbers, but values of the type {array.dtype}.")
    return array


def as_function(answer: Any, stub: str) -> Callable[..., Any]:
    """A function that is called as ``stub`` says, such as ``"mean_pool(hidden, mask)"``.

    What this gives back calls ``answer`` with copies of the arguments. It raises ``Unfit`` where the
    learner's function raises (told are the line and the input), stops the program, takes other arguments, or
    gives nothing back.
    """
    if not callable(answer):
        raise Unfit(f"that is not a function: define `{stub}` and hand over its name, without calling it.")
    names = [name.strip() for name in stub[stub.index("(") + 1 : -1].split(",")]

    def call(*arguments: Any) -> Any:
        _check_call(answer, arguments, stub)
        try:
            with np.errstate(all="ignore"):  # the judge says what is wrong, once
                result = answer(*copy.deepcopy(arguments))
                if isinstance(result, Iterator):
                    result = list(itertools.islice(result, _LONGEST))
        except (Exception, SystemExit) as error:
            raise Unfit(_what_happened(answer, error, dict(zip(names, arguments, strict=True)))) from None
        if result is None:
            raise Unfit(_NO_RETURN)
        if result is ...:
            raise Unfit("your function still gives back the three dots.")
        return result

    return call


def _check_call(function: Callable[..., Any], arguments: tuple[Any, ...], stub: str) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C have none
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        raise Unfit(f"your function takes `{signature}`, and is called as `{stub}`.") from None


def _what_happened(function: Callable[..., Any], error: BaseException, arguments: dict[str, Any]) -> str:
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is the call above
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename] or frames[:1]
    place = ""
    if own:
        text = f" ({_code(own[-1].line)})" if own[-1].line else ""
        place = f" in line {own[-1].lineno}{text}"
    given = ", ".join(_code(f"{name} = {_short(value)}") for name, value in arguments.items())
    reason = (str(error).strip().splitlines() or [""])[0][:160]
    reason = f": {_code(reason)}" if reason else ""
    return f"your function raised {type(error).__name__}{place}, called with {given}{reason}."


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def _short(value: Any) -> str:
    if sp.issparse(value):
        return f"a sparse matrix of shape {value.shape}"
    if isinstance(value, np.ndarray):
        if value.size > 12:
            return f"an array of shape {value.shape}"
        return " ".join(np.array2string(value, precision=3, separator=", ").split())
    short = reprlib.Repr()
    short.maxlist = short.maxset = short.maxtuple = 8
    return short.repr(value)


def _only(answer: Any, what: str, kind: str) -> Any:
    """The element of a list, tuple or array that has just one; anything else as it is."""
    for _ in range(8):  # a list may contain itself
        if isinstance(answer, list | tuple):
            if len(answer) != 1:
                raise Unfit(f"{what} holds {len(answer)} values: give one {kind}.")
            answer = answer[0]
        elif callable(getattr(answer, "item", None)) and not isinstance(answer, np.generic):
            if (size := int(np.prod(getattr(answer, "shape", ())))) != 1:
                raise Unfit(f"{what} holds {size} values: give one {kind}.")
            answer = answer.item()
        else:
            return answer
    raise Unfit(f"{what} is a list of lists of lists: give one {kind}.")


def _plain(text: str) -> str:
    text = text.casefold().replace("’", "'").replace("_", " ").replace("-", " ")
    text = " ".join(text.split()).strip(" .\"'")
    for article in ("the ", "an ", "a "):
        text = text.removeprefix(article)
    return text
