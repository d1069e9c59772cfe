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
    assert {
        "load_bundle",
        "open_dataset",
        "distill_modules",
        "DistillationObjective",
        "VskdError",
        "__version__",
    } <= set(vskd.__all__)
    assert set(vskd.__all__) <= set(dir(vskd))
    for name in vskd.__all__:
        assert getattr(vskd, name) is not None
    assert vskd.load_bundle.__module__ == "vskd.bundle.opened"


def test_what_is_not_offered_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'vskd' has no attribute 'load_bundel'"):
        vskd.load_bundel  # type: ignore[attr-defined]  # noqa: B018


def test_training_without_torch_says_what_to_install() -> None:
    program = "import json, sys; sys.modules['torch'] = None; import vskd\ntry:\n    vskd.distill_modules\n"
    message = run(program + "except vskd.VskdError as error:\n    print(json.dumps(str(error)))")
    assert isinstance(message, str) and "'torch'" in message and "pip install 'vskd[train]'" in message


def test_training_loads_no_trainer_of_the_command_line() -> None:
    """One's own modules need torch and the losses; Lightning belongs to the recipes' engine."""
    loaded = run("import json, sys, vskd; vskd.distill_modules; print(json.dumps(sorted(sys.modules)))")
    assert isinstance(loaded, list)
    assert {"lightning", "torchmetrics", "sklearn", "matplotlib"}.isdisjoint(loaded)
