import pytest


@pytest.fixture
def shown(monkeypatch):
    """What a chapter would have displayed: a list of (data, metadata)."""
    outputs = []
    monkeypatch.setattr(
        "course_lib.show.outputs.display",
        lambda data, *, raw, metadata=None: outputs.append((data, metadata)),
    )
    return outputs
