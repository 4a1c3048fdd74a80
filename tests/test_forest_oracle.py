"""The forest runtime against XGBoost's own predictions, over every objective and booster that we load.

Needs the test tool (GYRE_FOREST_PREDICT, else build/release/src/model/gyre_forest_predict) and a Python with
xgboost. GYRE_XGBOOST_PYTHONS may name several interpreters, separated by ':', one per xgboost version; the
default is the running one.
"""
import os
import pathlib
import subprocess
import sys

import pytest

np = pytest.importorskip("numpy")

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = pathlib.Path(os.environ.get("GYRE_FOREST_PREDICT", ROOT / "build/release/src/model/gyre_forest_predict"))
PYTHONS = os.environ.get("GYRE_XGBOOST_PYTHONS", sys.executable).split(":")
SEEDS = [int(s) for s in os.environ.get("GYRE_ORACLE_SEEDS", "1,2,3").split(",")]

pytestmark = pytest.mark.skipif(not TOOL.exists(), reason=f"{TOOL} is not built")


def gyre(model, rows, *mode):
    done = subprocess.run([TOOL, model, rows, *mode], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.atleast_2d(np.loadtxt(done.stdout.splitlines(), delimiter=",", ndmin=2))


@pytest.fixture(scope="module", params=[(p, s) for p in PYTHONS for s in SEEDS], ids=lambda v: f"{v[0]}-seed{v[1]}")
def oracle(request, tmp_path_factory):
    python, seed = request.param
    if subprocess.run([python, "-c", "import xgboost"], capture_output=True).returncode != 0:
        pytest.skip(f"{python} has no xgboost")
    out = tmp_path_factory.mktemp("oracle")
    script = ROOT / "tests/oracles/make_forest_oracle.py"
    done = subprocess.run([python, script, out, "--seed", str(seed)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def test_predictions_and_margins_equal_xgboosts(oracle):
    cases = sorted(p for p in oracle.iterdir() if p.is_dir())
    assert len(cases) >= 20
    worst = {}
    for case in cases:
        for file in ("model.json", "model.ubj"):
            for expected_file, mode in (("expected.csv", ()), ("margin.csv", ("margin",))):
                got = gyre(case / file, case / "rows.csv", *mode)
                want = np.loadtxt(case / expected_file, delimiter=",", ndmin=2)
                assert got.shape == want.shape, (case.name, file)
                error = np.max(np.abs(got - want) / np.maximum(1.0, np.abs(want)))
                worst[case.name, file, expected_file] = error
    wrong = {k: v for k, v in worst.items() if not v <= 1e-6}
    print(f"\nlargest difference: {max(worst.values()):.3g} over {len(worst)} comparisons")
    assert not wrong, wrong
