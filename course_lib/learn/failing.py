"""Errors on purpose: code that must fail, shown without a stored traceback."""

from __future__ import annotations

from types import TracebackType


class NothingFailed(AssertionError):
    """The code that a chapter shows as broken ran through."""


class fails:
    """Run code that must raise ``expected``; print the error's class and first line, and go on.

    Raises ``NothingFailed`` when the code runs through: then the chapter's claim about it is no longer true.
    Any other error passes through unchanged.
    """

    def __init__(self, *expected: type[Exception]) -> None:
        if not expected:
            raise TypeError("Name the error that must happen, for example learn.fails(TypeError).")
        self.expected = expected

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is None:
            names = " or ".join(cls.__name__ for cls in self.expected)
            raise NothingFailed(f"This code was expected to raise {names}, and it ran through.")
        if not issubclass(kind, self.expected):
            return False
        message = str(error).strip()
        print(f"{kind.__name__}: {message.splitlines()[0]}" if message else kind.__name__)
        return True
