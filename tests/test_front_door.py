"""`import vskd`: what it offers, and that it costs nothing before it is used."""

import json
import subprocess
import sys

import pytest

import vskd

LIGHTEST = "import sys; before = set(sys.modules); import vskd; "


def run(program: str) -> object:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_importing_loads_nothing_else() -> None:
    loaded = run(LIGHTEST + "import json; print(json.dumps(sorted(set(sys.modules) - before)))")
    assert isinstance(loaded, list)
    assert [name for name in loaded if name.partition(".")[0] == "vskd"] == ["vskd"]
    heavy = {"numpy", "pydantic", "click", "torch", "yaml", "pathlib"}
    assert heavy.isdisjoint(loaded) and len(loaded) < 40


@pytest.mark.parametrize(
    ("name", "never"),
    [
        ("load_bundle", {"torch", "scipy", "h5py", "PIL", "yaml", "pandas"}),
        ("open_dataset", {"torch", "scipy", "h5py"}),
    ],
)
def test_what_is_used_loads_only_its_own(name: str, never: set[str]) -> None:
    loaded = run(f"import json, sys, vskd; vskd.{name}; print(json.dumps(sorted(sys.modules)))")
    assert isinstance(loaded, list)
    assert never.isdisjoint(loaded)


def test_all_that_is_offered_is_listed_and_there() -> None:
    assert {"load_bundle", "open_dataset", "VskdError", "__version__"} <= set(vskd.__all__)
    assert set(vskd.__all__) <= set(dir(vskd))
    for name in vskd.__all__:
        assert getattr(vskd, name) is not None
    assert vskd.load_bundle.__module__ == "vskd.bundle.opened"


def test_what_is_not_offered_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'vskd' has no attribute 'load_bundel'"):
        vskd.load_bundel  # type: ignore[attr-defined]  # noqa: B018
