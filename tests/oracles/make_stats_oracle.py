"""Writes src/stats/testdata/oracle.json: inputs and what SciPy and scikit-learn say about them.

Run with scipy, numpy and scikit-learn installed:  python tests/oracles/make_stats_oracle.py
"""
import json
import pathlib
import sys
import warnings

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn import metrics

warnings.simplefilter("ignore")
rng = np.random.default_rng(20130101)


def sample(n, kind):
    if kind == "ties":
        return rng.integers(0, 6, n).astype(float)
    if kind == "constant":
        return np.full(n, 3.0)
    if kind == "heavy":
        return np.round(rng.standard_cauchy(n), 3)
    return np.round(rng.normal(size=n), 3)


def psi_listing(reference, current, bins=10):
    _, edges = np.histogram(reference, bins=bins)
    r, _ = np.histogram(reference, bins=edges)
    c, _ = np.histogram(current, bins=edges)
    p = (r + 0.0001) / len(reference)
    q = (c + 0.0001) / len(current)
    return float(np.sum((q - p) * np.log(q / p)))


def two_sample_cases():
    cases = []
    sizes = [(1, 1), (1, 5), (2, 3), (7, 7), (8, 40), (12, 9), (60, 60), (30, 47)]
    for kind in ["normal", "ties", "heavy", "constant"]:
        for n, m in sizes if kind != "constant" else sizes[2:5]:
            a = sample(n, kind)
            b = sample(m, kind) + (0.4 if rng.random() < 0.5 and kind != "ties" else 0.0)
            b = np.round(b, 3)
            ks = stats.ks_2samp(a, b)
            mw = stats.mannwhitneyu(a, b)
            case = {
                "a": a.tolist(), "b": b.tolist(),
                "ks": [float(ks.statistic), float(ks.pvalue)],
                "mann_whitney": [float(mw.statistic), float(mw.pvalue)],
                "wasserstein": float(stats.wasserstein_distance(a, b)),
                "psi_classic": psi_listing(a, b),
            }
            if min(n, m) > 1 and kind != "constant":
                t = stats.ttest_ind(a, b, equal_var=False)
                case["welch"] = [float(t.statistic), float(t.df), float(t.pvalue)]
            cases.append(case)
    return cases


def count_cases():
    cases = []
    for k in [2, 3, 5, 12, 40]:
        for scale in [3, 30, 3000]:
            r = rng.multinomial(k * scale, rng.dirichlet(np.ones(k))) + 1
            c = rng.multinomial(k * scale // 2, rng.dirichlet(np.ones(k)))
            chi = stats.chi2_contingency(np.array([r, c]), correction=False)
            fit = stats.chisquare(c, r * c.sum() / r.sum())
            p, q = r / r.sum(), c / c.sum()
            cases.append({
                "r": r.tolist(), "c": c.tolist(),
                "homogeneity": [float(chi.statistic), float(chi.dof), float(chi.pvalue)],
                "fit": [float(fit.statistic), float(fit.pvalue)],
                "js": float(jensenshannon(p, q, base=2)),
                "hellinger": float(np.sqrt(max(0.0, 1 - np.sum(np.sqrt(p * q))))),
                "tv": float(0.5 * np.abs(p - q).sum()),
            })
    return cases


def classifier_cases():
    cases = []
    for n in [6, 40, 150]:
        for digits in [1, 6]:
            y = (rng.random(n) < 0.3).astype(int)
            y[:2] = [0, 1]
            p = np.round(np.clip(rng.beta(2, 3, n) * 0.7 + 0.3 * y * rng.random(n), 0, 1), digits)
            pred = p >= 0.5
            cases.append({
                "y": y.tolist(), "p": p.tolist(),
                "auc": float(metrics.roc_auc_score(y, p)),
                "brier": float(metrics.brier_score_loss(y, p)),
                "log_loss": float(metrics.log_loss(y, np.clip(p, 1e-15, 1 - 1e-15))),
                "accuracy": float(metrics.accuracy_score(y, pred)),
                "precision": float(metrics.precision_score(y, pred, zero_division=0)),
                "recall": float(metrics.recall_score(y, pred, zero_division=0)),
                "f1": float(metrics.f1_score(y, pred, zero_division=0)),
                "mae": float(metrics.mean_absolute_error(y, p)),
                "rmse": float(metrics.root_mean_squared_error(y, p)),
                "r2": float(metrics.r2_score(y, p)),
            })
    return cases


def special_cases():
    ks = [[d, n, float(stats.kstwo.sf(d, n))]
          for n in [1, 2, 5, 20, 100, 140, 141, 500, 5000, 100000, 3000000]
          for d in sorted({round(x / np.sqrt(n), 12) for x in [0.3, 0.5, 0.8, 1.0, 1.358, 1.6, 2.1, 3.0]}) if d < 1]
    return {
        "kstwo": ks,
        "kolmogorov": [[x, float(stats.kstwobign.sf(x))] for x in [0.2, 0.4, 0.7, 0.99, 1.0, 1.36, 2.5]],
        "normal_quantile": [[p, float(stats.norm.ppf(p))] for p in [1e-12, 0.001, 0.025, 0.5, 0.9, 0.999999]],
        "chi2": [[x, k, float(stats.chi2.sf(x, k))] for x in [0.1, 3.84, 60] for k in [1, 4, 50]],
        "beta": [[p, a, b, float(stats.beta.ppf(p, a, b))] for p in [0.025, 0.5, 0.99] for a, b in [(1, 5), (95, 6), (0.5, 0.5)]],
    }


def main():
    out = {
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__,
                     "scikit-learn": sklearn.__version__},
        "two_sample": two_sample_cases(), "counts": count_cases(), "classifiers": classifier_cases(),
        "special": special_cases(),
    }
    path = pathlib.Path(__file__).resolve().parents[2] / "src/stats/testdata/oracle.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
    print(path.stat().st_size, "bytes")


main()
