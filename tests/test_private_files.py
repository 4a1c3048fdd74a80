"""What the server writes is for its own user alone, whatever the umask it was started with."""
import os
import stat

from conftest import wait_for
from data_folders.make import fill
from loop_util import Api


def others_rights(folder) -> dict:
    """What group or others may do, by path below the folder."""
    modes = {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}
    return {path: oct(mode) for path, mode in modes.items() if mode & 0o077}


def test_everything_that_the_server_creates_is_private(make_server, tmp_path):
    before = os.umask(0o002)
    try:
        server = make_server(name="server")
    finally:
        os.umask(before)
    api = Api(server.url)
    fill(api, tmp_path)
    run = api.native("POST", "pipelines/retrain/runs", {})
    wait_for(lambda: api.native("GET", f"pipeline-runs/{run['id']}")["state"] in ("succeeded", "failed"), timeout_s=60)
    server.kill()
    names = {path.name for path in server.data.rglob("*")}
    assert {"gyre.db", "gyre.db-wal", "format", "spool", "segments"} <= names and len(names) > 20
    assert any(path.name == "step.log" or path.suffix == ".log" for path in server.data.rglob("*")), "of a child process"
    assert others_rights(server.data) == {}
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


def test_a_folder_made_beforehand_becomes_private_and_what_is_in_it_stays_as_it_is(make_server, tmp_path):
    data = tmp_path / "server" / "data"
    (data / "notes").mkdir(parents=True)
    (data / "notes" / "mine.txt").write_text("x")
    data.chmod(0o755)
    (data / "notes").chmod(0o750)
    (data / "notes" / "mine.txt").chmod(0o644)
    make_server(name="server").stop()
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert others_rights(data) == {"notes": "0o750", "notes/mine.txt": "0o644"}


def test_the_token_is_private_too(make_server):
    server = make_server("--host", "0.0.0.0")
    assert stat.S_IMODE((server.data / "admin_token.sha256").stat().st_mode) == 0o600
