#!/usr/bin/env python3
"""Trains small random XGBoost models and writes them with XGBoost's own predictions.

    make_forest_oracle.py OUT [--seed N] [--only NAME] [--rows N]

Each case becomes OUT/<name>/ with model.json, model.ubj, rows.csv (no header, empty = missing), expected.csv
(predict) and margin.csv (output_margin). Works with xgboost 1.7 to 3.x; a case that the installed version
cannot train is left out.
"""
import argparse
import pathlib
import zlib

import numpy as np
import xgboost as xgb

# name -> (objective, target, parameters)
CASES = {
    "squared": ("reg:squarederror", "real", {}),
    "squared_base_score": ("reg:squarederror", "real", {"base_score": -3.25}),
    "squared_log": ("reg:squaredlogerror", "positive", {}),
    "absolute": ("reg:absoluteerror", "real", {}),
    "pseudo_huber": ("reg:pseudohubererror", "real", {}),
    "reg_logistic": ("reg:logistic", "fraction", {}),
    "binary": ("binary:logistic", "binary", {}),
    "binary_base_score": ("binary:logistic", "binary", {"base_score": 0.125}),
    "binary_raw": ("binary:logitraw", "binary", {"base_score": 0.25}),
    "binary_raw_default": ("binary:logitraw", "binary", {}),
    "binary_deep": ("binary:logistic", "binary", {"max_depth": 9, "min_child_weight": 0.0}),
    "binary_lossguide": ("binary:logistic", "binary",
                         {"grow_policy": "lossguide", "max_leaves": 40, "max_depth": 0, "tree_method": "hist"}),
    "binary_parallel": ("binary:logistic", "binary", {"num_parallel_tree": 3, "subsample": 0.7}),
    "binary_exact": ("binary:logistic", "binary", {"tree_method": "exact"}),
    "poisson": ("count:poisson", "count", {}),
    "gamma": ("reg:gamma", "positive", {}),
    "gamma_base_score": ("reg:gamma", "positive", {"base_score": 2.5}),
    "tweedie": ("reg:tweedie", "positive", {"tweedie_variance_power": 1.3}),
    "softprob": ("multi:softprob", "class", {"num_class": 4}),
    "softmax": ("multi:softmax", "class", {"num_class": 4}),
    "softprob_base_score": ("multi:softprob", "class", {"num_class": 4, "base_score": 0.3}),
    "dart": ("binary:logistic", "binary", {"booster": "dart", "rate_drop": 0.4, "one_drop": 1}),
    "dart_softprob": ("multi:softprob", "class", {"booster": "dart", "rate_drop": 0.4, "num_class": 3}),
    "categorical_onehot": ("binary:logistic", "binary", {"tree_method": "hist", "max_cat_to_onehot": 100}),
    "categorical_partition": ("binary:logistic", "binary", {"tree_method": "hist", "max_cat_to_onehot": 1}),
    "categorical_regression": ("reg:squarederror", "real", {"tree_method": "hist", "max_cat_to_onehot": 4}),
    "categorical_dart": ("reg:squarederror", "real",
                         {"booster": "dart", "rate_drop": 0.3, "tree_method": "hist", "max_cat_to_onehot": 1}),
}
FEATURES = 9
CATEGORY_COLUMNS = {2: 5, 6: 70}  # column -> number of codes


def make_rows(rng, rows, categorical, unseen):
    x = rng.normal(size=(rows, FEATURES)).astype(np.float32)
    x[:, 1] = np.round(x[:, 1] * 2)
    if categorical:
        for column, codes in CATEGORY_COLUMNS.items():
            x[:, column] = rng.integers(0, codes + (40 if unseen else 0), rows)
    x[rng.random(x.shape) < 0.15] = np.nan
    return x


def make_target(rng, x, kind):
    score = np.nan_to_num(x[:, 0]) - np.nan_to_num(x[:, 1]) * np.isnan(x[:, 4]) + np.sin(np.nan_to_num(x[:, 6]))
    noisy = score + 0.3 * rng.normal(size=len(x))
    if kind == "real":
        return noisy * 3
    if kind == "binary":
        return (noisy > 0.4).astype(np.float32)
    if kind == "fraction":
        return 1 / (1 + np.exp(-noisy))
    if kind == "positive":
        return np.exp(noisy / 2)
    if kind == "count":
        return rng.poisson(np.exp(np.clip(score, -3, 2)))
    raise ValueError(kind)


def train(name, seed, rounds=13, max_depth=5):
    objective, kind, extra = CASES[name]
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    categorical = name.startswith("categorical")
    types = ["c" if categorical and i in CATEGORY_COLUMNS else "float" for i in range(FEATURES)]
    x = make_rows(rng, 600, categorical, unseen=False)
    if kind == "class":
        y = np.digitize(make_target(rng, x, "real"), [-3, 0, 3][: extra["num_class"] - 1])
    else:
        y = make_target(rng, x, kind)
    params = {"objective": objective, "max_depth": max_depth, "eta": 0.3, "seed": seed, "nthread": 1, **extra}
    data = xgb.DMatrix(x, y, feature_types=types, enable_categorical=categorical)
    return xgb.train(params, data, num_boost_round=rounds), rng, types, categorical


def write_case(out, name, seed, rows):
    booster, rng, types, categorical = train(name, seed)
    x = make_rows(rng, rows, categorical, unseen=True)
    data = xgb.DMatrix(x, feature_types=types, enable_categorical=categorical)
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    booster.save_model(folder / "model.json")
    booster.save_model(folder / "model.ubj")
    cells = ("" if np.isnan(v) else repr(float(v)) for v in x.ravel())
    lines = [",".join(row) for row in zip(*[cells] * FEATURES)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    for file, values in (("expected", booster.predict(data)), ("margin", booster.predict(data, output_margin=True))):
        np.savetxt(folder / f"{file}.csv", values.reshape(rows, -1), fmt="%.9g", delimiter=",")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=sorted(CASES))
    parser.add_argument("--rows", type=int, default=203)
    args = parser.parse_args()
    for name in args.only or CASES:
        try:
            write_case(args.out, name, args.seed, args.rows)
        except xgb.core.XGBoostError as error:
            print(f"left out {name}: {str(error).splitlines()[0]}")
    (args.out / "version.txt").write_text(xgb.__version__ + "\n")


if __name__ == "__main__":
    main()
