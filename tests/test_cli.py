"""The command line as a whole: errors, completion, its page."""
import json
import subprocess

from cli_util import served, repository, write  # noqa: F401 (fixtures)
from conftest import ROOT


def test_errors_are_one_sentence_and_with_json_one_document(served):
    plain = served("endpoints", "flighs")
    assert plain.returncode == 4 and plain.stderr.startswith("gyre: ") and plain.stderr.count("\n") == 1
    document = json.loads(served("--json", "endpoints", "flighs").stderr)
    assert document["code"] == "not_found" and plain.stderr == f"gyre: {document['message']}\n"
    assert served("deploy", "x", "flights/one").returncode == 2
    assert served("deploy", "x", "flights/1", "--shadow", "flights/2").returncode == 2


def test_no_server_says_what_to_do(gyre):
    done = gyre("--url", "http://127.0.0.1:1", "endpoints")
    assert done.returncode == 7 and "gyre server" in done.stderr


def test_a_command_line_that_cannot_be_read_says_where_to_look(gyre):
    typo = gyre("pedict", "flights")
    assert typo.returncode == 2
    assert typo.stderr == "gyre: no command 'pedict' (did you mean 'predict'?); see 'gyre --help'\n"
    assert gyre("events", "tial").stderr == ("gyre: no command 'tial' (did you mean 'tail'?); see "
                                             "'gyre events --help'\n")
    assert gyre("events").stderr == "gyre: a command is missing; see 'gyre events --help'\n"
    document = json.loads(gyre("--json", "predict", "--row", "{}").stderr)
    assert document["code"] == "invalid_argument" and "gyre predict --help" in document["message"]


def test_completion_of_bash_follows_the_commands(gyre, tmp_path):
    script = write(tmp_path / "gyre.bash", gyre("completion", "bash").stdout)

    def complete(*words: str) -> list[str]:
        line = " ".join(f"'{word}'" for word in ("gyre", *words))
        command = f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _gyre; echo \"${{COMPREPLY[@]}}\""
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout.split()

    assert complete("roll") == ["rollout"]
    assert complete("--json", "events", "") [:2] == ["tail", "verify"]
    assert complete("events", "tail", "--fo") == ["--follow"]
    assert "step" not in complete("")
    assert gyre("completion", "tcsh").returncode == 2


def test_completion_of_other_shells_knows_all_commands(gyre):
    for shell in ("zsh", "fish"):
        script = gyre("completion", shell).stdout
        for words in ("gyre pipeline why", "gyre rollout promote", "gyre train"):
            assert f"'{words}'" in script, (shell, words)


def test_the_documentation_names_every_command(gyre):
    document = (ROOT / "docs" / "cli.md").read_text()
    script = gyre("completion", "fish").stdout
    commands = {line.split("-a '")[1].split("'")[0]: line.split('"')[1] for line in script.splitlines()
                if line.startswith("complete") and " -a " in line}
    assert {"predict", "verify", "cancel"} <= commands.keys()
    lines = [line for line in document.splitlines() if "gyre" in line or "also:" in line]
    for name, group in commands.items():
        assert any(f"gyre {name}" in line or f"{group} {name}" in line or
                   ("also:" in line and group in line and name in line) for line in lines), (group, name)
