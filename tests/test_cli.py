"""Subcommands on the real binary; what no route serves yet, against a small server that keeps the requests."""
import json


def write(path, text: str):
    path.write_text(text)
    return path


def run_step(gyre, tmp_path, kind: str, params: dict, table: str):
    """`gyre step` over one CSV; the process and its result.json."""
    write(tmp_path / "rows.csv", table)
    out = tmp_path / "out"
    spec = {"kind": kind, "inputs": [{"name": "rows", "path": str(tmp_path / "rows.csv")}], "params": params,
            "output_dir": str(out)}
    done = gyre("step", str(write(tmp_path / "spec.json", json.dumps(spec))))
    return done, json.loads((out / "result.json").read_text())


def suite(column: str) -> dict:
    return {"table": "rows", "suite": {"name": "s", "expectations": [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": column}}]}}


def test_step_validates_a_table(gyre, tmp_path):
    done, result = run_step(gyre, tmp_path, "validate", suite("a"), "a,b\n1,x\n2,y\n,z\n")
    assert done.returncode == 1, done.stderr
    assert result["result"]["success"] is False and result["result"]["results"][0]["missing_count"] == 1
    done, result = run_step(gyre, tmp_path, "validate", suite("b"), "a,b\n1,x\n2,y\n,z\n")
    assert done.returncode == 0, done.stderr
    assert result["result"]["success"] is True and result["result"]["rows"] == 3


def test_step_names_its_kinds_when_it_does_not_know_one(gyre, tmp_path):
    done, result = run_step(gyre, tmp_path, "cook", {}, "a\n1\n")
    assert done.returncode == 2
    assert "evaluate, gate, sql, train, validate" in result["error"]["message"]


def test_step_is_hidden(gyre):
    assert "pipeline step" not in gyre("--help").stdout
