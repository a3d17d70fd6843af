"""Checks compose/up, down, upgrade, backup and restore on a private Postgres, with programs that stand in for compiler, services, ermctl
and Docker.

    python3 Tests/Compose/compose_checks.py [PART OF A CHECK'S NAME]
"""

import contextlib
import fcntl
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from containers import Containers  # noqa: E402
from installation import SERVICES, Installation, runs  # noqa: E402

# How long what must come is waited for: far longer than it takes on a slow machine.
PATIENCE_SECONDS = 240


def until(what: str, is_so) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)


def free_port() -> int:
    """Below those of outgoing connections, any of which could be taken before compose/up takes it."""
    while True:
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("", random.randrange(20_000, 30_000)))
            return listener.getsockname()[1]


def check_restarts_in_the_order_of_an_upgrade_and_keeps_what_runs(installation: Installation) -> None:
    installation.up("--port", free_port())
    assert {start[0] for start in installation.starts()} == set(SERVICES), installation.starts()
    installation.up()
    assert len(installation.starts()) == 4, installation.starts()
    output = installation.up(LOG_LEVEL="debug").stdout
    assert re.findall("restarting ([a-z-]+),", output) == list(SERVICES), output


def check_service_whose_supervisor_was_killed_is_stopped_or_started_anew(installation: Installation) -> None:
    installation.up("--port", free_port())
    for service in ("gateway", "ml-training"):
        orphan = installation.process(service)
        os.kill(installation.supervisor(service), signal.SIGKILL)
        until("the supervisor is gone", lambda: not runs(installation.supervisor(service)))
        output = installation.up().stdout
        assert f"restarting {service}, which nobody supervises" in output, output
        assert not runs(orphan) and runs(installation.process(service))
    orphan = installation.process("tenant-admin")
    os.kill(installation.supervisor("tenant-admin"), signal.SIGKILL)
    installation.run("down")
    assert not runs(orphan), "compose/down has left a service whose supervisor was killed"


def check_process_that_has_a_former_number_is_left_alone(installation: Installation) -> None:
    installation.up("--port", free_port())
    installation.run("down")
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        (installation.state / "run" / "gateway.pid").write_text(f"{stranger.pid}\n")
        installation.run("down")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def check_installation_is_known_by_a_symbolic_link(installation: Installation) -> None:
    link = installation.folder / "link"
    link.symlink_to(installation.state, target_is_directory=True)
    installation.state.mkdir()
    installation.run("up", "--start-only", "--no-install", "--port", free_port(), state=link)
    gateway = installation.process("gateway")
    installation.run("down")
    assert not runs(gateway)


def check_changed_settings_restart_who_reads_them(installation: Installation) -> None:
    installation.up("--port", free_port())

    def restarted(**environment: str) -> set[str]:
        before = len(installation.starts())
        installation.up(**environment)
        return {start[0] for start in installation.starts()[before:]}

    assert restarted(LOG_LEVEL="debug") == set(SERVICES)
    assert restarted(LOG_LEVEL="debug") == set()
    assert restarted() == set(SERVICES)
    (installation.state / "keys" / "ml-training.key").write_text("another\n")
    assert restarted() == {"ml-training"}
    (installation.state / "keys" / "operator.key").write_text("erm_op_2\n")
    assert restarted() == {"gateway"}
    (installation.repository / "gateway-config" / "gateway.yaml").write_text("routes: [ ]\n")
    assert restarted() == {"gateway"}
    settings = installation.state / "settings"
    settings.write_text(re.sub("(?m)^tenant_admin_password=.*", "tenant_admin_password=another", settings.read_text()))
    assert restarted() == {"tenant-admin"}
    (installation.repository / "migrations" / "gateway" / "9999_later.sql").write_text("SELECT 1;\n")
    assert restarted() == set(SERVICES)
    assert restarted() == set()


def check_hanging_service_is_named_with_the_end_of_its_log(installation: Installation) -> None:
    installation.mark("ml-training.silent")
    done = installation.up("--port", free_port(), check=False, READY_WITHIN="3")
    assert done.returncode == 1, done
    assert "ml-training is not ready" in done.stdout and "ml-training speaks" in done.stdout, done.stdout
    # One that is stopped from outside takes no connection either.
    installation.unmark("ml-training.silent")
    installation.up()
    os.kill(installation.process("gateway"), signal.SIGSTOP)
    try:
        done = installation.up(check=False, READY_WITHIN="3")
        assert done.returncode == 1 and "gateway is not ready" in done.stdout, done.stdout
    finally:
        os.kill(installation.process("gateway"), signal.SIGCONT)


def check_service_that_cannot_start_is_named_with_the_end_of_its_log(installation: Installation) -> None:
    installation.mark("ml-prediction.ends")
    done = installation.up("--port", free_port(), check=False)
    assert done.returncode == 1, done
    assert "ml-prediction has stopped" in done.stdout and "ml-prediction speaks" in done.stdout, done.stdout


def check_service_that_does_not_stop_is_killed_and_named(installation: Installation) -> None:
    installation.mark("ml-training.stubborn")
    installation.up("--port", free_port())
    stubborn = installation.process("ml-training")
    output = installation.up(LOG_LEVEL="debug", STOP_WITHIN="1").stdout
    assert "ml-training did not stop in 1 s" in output and "ml-training speaks" in output, output
    assert not runs(stubborn) and runs(installation.process("ml-training"))
    output = installation.run("down", STOP_WITHIN="1").stdout
    assert "ml-training did not stop in 1 s" in output, output
    assert not runs(installation.process("ml-training"))


def check_gateway_keeps_its_port(installation: Installation) -> None:
    first, second = free_port(), free_port()
    installation.up("--port", first)
    for service in SERVICES:
        os.kill(installation.supervisor(service), signal.SIGKILL)
        os.kill(installation.process(service), signal.SIGKILL)
    installation.up()
    assert installation.port("gateway") == first, installation.starts()
    installation.run("down")
    installation.run("upgrade", "--no-backup")
    assert installation.port("gateway") == first, installation.starts()
    installation.up("--port", second)
    assert installation.port("gateway") == second, installation.starts()


def check_taken_ports_are_found_taken(installation: Installation) -> None:
    for address, listens in (("127.0.0.2", True), ("127.0.0.1", False)):
        with socket.socket() as other:
            other.bind((address, free_port()))
            if listens:
                other.listen()
            port = other.getsockname()[1]
            done = installation.up("--port", port, check=False)
            assert done.returncode == 1 and f"port {port} is taken" in done.stdout, done.stdout
            assert installation.shell(f"free_port {port}").strip() != str(port)
        assert installation.shell(f"free_port {port}").strip() == str(port)
    for port in ("0", "70000", "x", "-1"):
        assert "--port must be" in installation.up("--port", port, check=False).stdout


def check_no_port_is_given_twice(installation: Installation) -> None:
    first = free_port()
    installation.up("--port", first)
    former = {service: installation.port(service) for service in SERVICES}
    installation.run("down")
    # The next free one is what another service had.
    with socket.socket() as other:
        other.bind(("127.0.0.1", former["tenant-admin"]))
        other.listen()
        installation.up()
    now = [installation.port(service) for service in SERVICES]
    assert len(set(now)) == 4 and former["tenant-admin"] not in now, (former, now)


def check_port_that_is_taken_while_postgres_starts_is_given_up(installation: Installation) -> None:
    installation.up("--port", free_port())
    installation.run("down")
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        taken = other.getsockname()[1]
        (installation.state / "run" / "postgres.port").write_text(f"{taken}\n")
        # It looks free when it is asked for, once.
        installation.shell(
            "port_problem() { [ -e \"$ONCE\" ] && [ \"$1\" != \"$TAKEN\" ] || { [ -e \"$ONCE\" ] && echo taken || touch \"$ONCE\"; }; }; "
            'read_settings "$STATE"; start_database "$STATE" "$data"',
            ONCE=str(installation.folder / "once"), TAKEN=str(taken), STATE=str(installation.state),
        )
        assert (installation.state / "run" / "postgres.port").read_text() != f"{taken}\n"
        assert installation.sql("SELECT 1") == "1"


def check_second_command_is_refused_while_one_is_at_work(installation: Installation) -> None:
    installation.up("--port", free_port())
    with open(installation.state / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in ("up", "down"):
            done = installation.run(command, check=False)
            assert done.returncode == 1 and "is at work" in done.stdout, done.stdout


def check_missing_database_is_not_replaced_by_an_empty_one(installation: Installation) -> None:
    installation.up("--port", free_port())
    installation.sql("CREATE TABLE public.kept ()")
    installation.run("down")
    data = installation.state / "postgres"
    data.rename(installation.state / "away")
    for done in (installation.up(check=False), installation.run("upgrade", check=False)):
        assert done.returncode == 1 and "Is a disk not mounted?" in done.stdout, done.stdout
    assert not data.exists()
    # A folder that was moved is the same installation.
    (installation.state / "away").rename(data)
    moved = installation.folder / "moved"
    installation.state.rename(moved)
    installation.state = moved
    installation.up()
    assert installation.sql("SELECT to_regclass('public.kept')") == "kept"


def check_cluster_of_another_version_is_named(installation: Installation) -> None:
    installation.up("--port", free_port())
    installation.run("down")
    version = installation.state / "postgres" / "PG_VERSION"
    made_by = version.read_text()
    version.write_text("9\n")
    done = installation.up(check=False)
    assert done.returncode == 1 and "was made by Postgres 9, which is not installed" in done.stdout, done.stdout
    version.write_text(made_by)
    installation.up()


def check_interrupted_initdb_is_begun_anew(installation: Installation) -> None:
    half = installation.state / "postgres.new"
    (installation.state / "run").mkdir(parents=True)
    (installation.state / "lock").touch()
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    installation.up("--port", free_port())
    assert not half.exists()


def check_passwords_are_taken_as_they_are(installation: Installation) -> None:
    password = "a b'c\\d\"e`f`:g $h"
    installation.up("--port", free_port())
    installation.shell(
        'read_settings "$STATE"; for role in "${service_roles[@]}"; do declare "${role}_password=$WANTED"; done; '
        'export PGPASSWORD="$superuser_password"; url="127.0.0.1:$(cat "$STATE/run/postgres.port")/erm"; '
        'make_roles "postgresql://erm@$url"; PGPASSWORD="$WANTED" psql -qX -c "SELECT 1" "postgresql://erm_gateway@$url" >/dev/null',
        STATE=str(installation.state), WANTED=password,
    )


def check_command_whose_path_postgres_cannot_take_is_refused(installation: Installation) -> None:
    for name in ("a$b", 'a"b', "a`b", "a\\b"):
        done = installation.run("up", "--start-only", "--no-install", state=installation.folder / name, check=False)
        assert done.returncode == 1 and "choose another folder" in done.stdout, done.stdout


def check_strange_surroundings_change_nothing(installation: Installation) -> None:
    (installation.folder / "elsewhere" / "compose").mkdir(parents=True)
    surroundings = {
        "CDPATH": str(installation.folder / "elsewhere"), "PGOPTIONS": "-c nonsense", "PGSSLMODE": "require", "PGPORT": "1",
        "DATABASE_URL": "postgresql://somebody@127.0.0.1:1/else",
        "LC_ALL": "de_DE.UTF-8", "TERM": "xterm",
    }
    installation.state = installation.folder / "Zustand äöü – 状態"
    before = os.umask(0o077)
    try:
        done = installation.up("--port", free_port(), **surroundings)
    finally:
        os.umask(before)
    assert "\x1b" not in done.stdout, done.stdout
    backup = installation.folder / "backup"
    installation.run("backup", backup, "--keys", **surroundings)
    installation.run("restore", backup, state=installation.folder / "restored", **surroundings)
    installation.run("down", "--purge", state=installation.folder / "restored")


def check_interrupted_backup_leaves_nothing(installation: Installation) -> None:
    installation.up("--port", free_port())
    backups = installation.folder / "backups"
    slow = installation.stand_ins / "sha256sum"
    for ending in (signal.SIGINT, signal.SIGTERM):
        slow.write_text(f"#!/bin/sh\ntouch '{installation.stand_ins}/reached'\nexec sleep 600\n")
        slow.chmod(0o755)
        process = subprocess.Popen(
            [installation.repository / "compose" / "backup", backups / "one", "--state", installation.state],
            env=installation.environment, start_new_session=True, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        until("the backup is under way", (installation.stand_ins / "reached").exists)
        os.killpg(process.pid, ending)
        assert process.wait(PATIENCE_SECONDS) != 0
        assert list(backups.iterdir()) == [], list(backups.iterdir())
        (installation.stand_ins / "reached").unlink()
    slow.unlink()
    installation.run("backup", backups / "one")
    assert [path.name for path in backups.iterdir()] == ["one"]


def check_interrupted_restore_leaves_nothing(installation: Installation) -> None:
    installation.up("--port", free_port())
    backup, restored = installation.folder / "backup", installation.folder / "restored"
    installation.run("backup", backup, "--keys")
    slow = installation.stand_ins / "psql"
    slow.write_text(f"#!/bin/sh\ntouch '{installation.stand_ins}/reached'\nexec sleep 600\n")
    slow.chmod(0o755)
    for ending in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [installation.repository / "compose" / "restore", backup, "--state", restored],
            env=installation.environment, start_new_session=True, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        until("Postgres runs", (installation.stand_ins / "reached").exists)
        os.killpg(process.pid, ending)
        assert process.wait(PATIENCE_SECONDS) != 0
        assert list(restored.iterdir()) == [], list(restored.iterdir())
        (installation.stand_ins / "reached").unlink()
    slow.unlink()
    # As one that was killed leaves it.
    (restored / "restoring").touch()
    for command in ("up", "down", "upgrade"):
        done = installation.run(command, check=False, state=restored)
        assert done.returncode == 1 and "restore that did not finish" in done.stdout, done.stdout
    installation.run("restore", backup, state=restored)
    installation.run("down", "--purge", state=restored)


def check_disk_that_is_full_leaves_no_backup(installation: Installation) -> None:
    installation.up("--port", free_port())
    # A limit on the size of files does what a full disk does.
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$0" "$@"', str(installation.repository / "compose" / "backup"),
         str(installation.folder / "backup"), "--state", str(installation.state)],
        env=installation.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    assert done.returncode != 0 and "nothing is left of it" in done.stdout, done
    assert not list(installation.folder.glob("backup*")), list(installation.folder.glob("backup*"))


def check_restored_installation_without_keys_is_upgraded_before_its_first_start(installation: Installation) -> None:
    installation.up("--port", free_port())
    backup = installation.folder / "backup"
    installation.run("backup", backup)
    installation.run("down", "--purge")
    installation.run("restore", backup)
    installation.run("upgrade", "--port", free_port())
    assert len(list(pathlib.Path(f"{installation.state}-backups").iterdir())) == 1
    assert {start[0] for start in installation.starts()[-4:]} == set(SERVICES)


def check_backup_of_which_a_part_is_missing_is_refused(installation: Installation) -> None:
    installation.up("--port", free_port())
    backup = installation.folder / "backup"
    installation.run("backup", backup)
    installation.run("down", "--purge")
    sums = backup / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.read_text().splitlines(True) if "database.dump" not in line))
    done = installation.run("restore", backup, check=False)
    assert done.returncode == 1 and "does not name database.dump" in done.stdout, done.stdout


def check_database_called_like_a_role_is_no_role(installation: Installation) -> None:
    installation.up("--port", free_port())
    installation.sql("CREATE DATABASE erm_copy TEMPLATE erm", database="postgres")
    backup = installation.folder / "backup"
    settings = dict(re.findall(r"(?m)^(\w+)=(.*)$", (installation.state / "settings").read_text()))
    port = (installation.state / "run" / "postgres.port").read_text().strip()
    installation.command(
        "backup", backup, "--database", f"postgresql://erm@127.0.0.1:{port}/erm_copy", PGPASSWORD=settings["superuser_password"])
    roles = (backup / "roles").read_text().splitlines()
    assert "erm_tenant_admin" in roles and "erm_copy" not in roles, roles


def check_containers_are_backed_up_and_restored(installation: Installation) -> None:
    installation.up("--port", free_port())
    tenant = "tenant_" + "0123456789abcdef" * 2
    installation.sql(
        f"CREATE ROLE {tenant} NOLOGIN; GRANT {tenant} TO erm_tenant_admin; CREATE SCHEMA tenant_acme AUTHORIZATION {tenant}; "
        f"CREATE TABLE tenant_acme.employees (name text); ALTER TABLE tenant_acme.employees OWNER TO {tenant}; "
        "INSERT INTO tenant_acme.employees VALUES ('Ada'); CREATE TABLE gateway.sessions (id int); "
        "ALTER TABLE gateway.sessions OWNER TO erm_gateway; INSERT INTO gateway.sessions VALUES (1)"
    )
    backup = installation.folder / "backup"
    installation.run("backup", backup, "--keys")
    for number in (1, 2):
        with Containers.running(installation, installation.folder / f"containers {number}") as containers:
            damaged = installation.folder / f"damaged {number}"
            shutil.copytree(backup, damaged)
            (damaged / "roles").write_text("erm_gateway\n")
            subprocess.run("sha256sum roles database.dump >SHA256SUMS", shell=True, check=True, cwd=damaged)
            done = containers.command("restore", damaged, "--containers", check=False)
            assert done.returncode == 1 and "as empty as it was" in done.stdout, done.stdout
            assert containers.sql("SELECT to_regclass('gateway.sessions')") == ""

            containers.command("restore", backup, "--containers")
            assert containers.sql("SELECT name FROM tenant_acme.employees") == "Ada"
            assert containers.sql("SELECT count(*) FROM gateway.sessions") == "0"
            owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'employees'"
            assert containers.sql(owner) == tenant
            assert containers.sql("SELECT has_database_privilege('erm_gateway', 'erm', 'CONNECT')") == "t"
            assert containers.key("operator.key") == (installation.state / "keys" / "operator.key").read_text()
            assert containers.handed_out == 1
            done = containers.command("restore", backup, "--containers", check=False)
            assert done.returncode == 1 and "hold an installation already" in done.stdout, done.stdout

            # The next round, and an installation of compose/up, are made of what the containers give.
            backup = installation.folder / f"backup {number}"
            containers.command("backup", backup, "--keys", "--containers")
            assert (backup / "keys" / "operator.key").exists() and (backup / "jwks.json").exists()
    restored = installation.folder / "restored"
    installation.run("restore", backup, state=restored)
    installation.run("down", "--purge", state=restored)


def check_address_is_the_gateways_where_it_takes_tls(installation: Installation) -> None:
    port = free_port()
    done = installation.up("--port", port, TLS_CERTIFICATE_FILE="/certificate.pem", TLS_KEY_FILE="/key.pem")
    assert f"is up at https://127.0.0.1:{port} " in done.stdout, done


def check_reserved_name_is_refused_before_the_build(installation: Installation) -> None:
    for name, said in (("Admin", True), ("Ours", True), ("acme", False)):
        folder = installation.folder / name
        folder.mkdir()
        (folder / "allocations.csv").write_text("external_id\n")
        done = installation.run("up", "--import", folder, "--port", free_port(), check=False,
                                TENANTS_RESERVED_SUBDOMAINS="theirs, ours")
        assert ("the name is reserved" in done.stdout) == said and (installation.state / "logs").exists() != said, done


def check_password_in_a_url_is_in_no_list_of_processes(installation: Installation) -> None:
    script = installation.folder / "shows"
    script.write_text(
        f'source "{installation.repository}/compose/lib.sh"\n' "hide_password \"$@\"\n"
        "tr '\\0' '\\n' </proc/$$/cmdline\nprintf '%s\\n' \"${PGPASSWORD:-}\"\n")
    for url, shown, password in (
            ("postgresql://erm:p%40s%5Cn@h:5/db", "postgresql://erm@h:5/db", "p@s\\n"),
            ("postgres://h/db?sslmode=require&password=a%26b&port=5", "postgres://h/db?sslmode=require&port=5", "a&b"),
            ("postgresql://erm@h/db", "postgresql://erm@h/db", "")):
        done = subprocess.run(["bash", script, "folder", "--database", url], capture_output=True, text=True, check=True,
                              env={"PATH": os.environ["PATH"]})
        assert done.stdout.splitlines()[-3:] == ["--database", shown, password], done
    refused = subprocess.run(["bash", script, "--database", "host=h password=x"], capture_output=True, text=True)
    assert refused.returncode == 1 and "PGPASSWORD" in refused.stderr, refused
    for command in ("backup", "restore"):
        assert 'hide_password "$@"' in (installation.repository / "compose" / command).read_text()


def check_help_names_every_option_of_the_command(installation: Installation) -> None:
    for command in ("up", "down", "upgrade", "backup", "restore", "test"):
        text = (installation.repository / "compose" / command).read_text()
        taken = set(re.findall(r"(--[a-z-]+)(?= \||\))", "\n".join(re.findall(r"(?m)^ +(--[a-z |-]+\))", text)))) - {"--help"}
        shown = installation.command(command, "--help").stdout
        assert taken and all(option in shown for option in taken), (command, taken, shown)
        wrong = installation.command(command, "--nonsense", check=False)
        assert wrong.returncode == 1 and "unknown option --nonsense" in wrong.stdout, wrong


def main() -> int:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    checks = {name: check for name, check in globals().items() if name.startswith("check_") and wanted in name}
    failed = []
    for name, check in checks.items():
        title = name.removeprefix("check_").replace("_", " ")
        try:
            with Installation.made() as installation:
                check(installation)
            print(f"✔ {title}", flush=True)
        except Exception:
            failed.append(title)
            print(f"✘ {title}\n{traceback.format_exc()}", flush=True)
    print(f"{len(checks) - len(failed)} of {len(checks)} checks of compose/ passed")
    return 1 if failed or not checks else 0


if __name__ == "__main__":
    sys.exit(main())
