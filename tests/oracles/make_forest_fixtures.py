#!/usr/bin/env python3
"""Writes the small fixtures of src/model/testdata: a model, rows and XGBoost's own predictions.

    make_forest_fixtures.py OUT CASE...

The cases and their training data are those of make_forest_oracle.py, with fewer rounds.
"""
import json
import pathlib
import sys
import tempfile

import numpy as np
import xgboost as xgb

import make_forest_oracle as oracle


def fixture(name):
    booster, rng, types, categorical = oracle.train(name, seed=1, rounds=4, max_depth=3)
    x = oracle.make_rows(rng, 24, categorical, unseen=True)
    data = xgb.DMatrix(x, feature_types=types, enable_categorical=categorical)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.json"
        booster.save_model(path)
        model = path.read_text()
    return {
        "origin": f"xgboost {xgb.__version__}, case {name} of make_forest_oracle.py, seed 1",
        "rows": [[None if np.isnan(v) else float(v) for v in row] for row in x],
        "expected": [[float(f"{v:.9g}") for v in np.atleast_1d(row)] for row in booster.predict(data)],
        "model": model,  # the exact text
    }


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    major = xgb.__version__.split(".")[0]
    for name in sys.argv[2:]:
        text = json.dumps(fixture(name), separators=(",", ":"))
        (out / f"{name}_v{major}.json").write_text(text.replace('"expected":', '\n"expected":').replace('"model":"', '\n"model":"') + "\n")


if __name__ == "__main__":
    main()
