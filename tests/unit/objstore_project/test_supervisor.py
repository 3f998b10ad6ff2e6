"""The supervisor's loop with small programs, in a process of its own: it reaps every child of the process it runs in."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

PRELUDE = '''
import os, signal, sys, tempfile, time
from objstore_project.supervisor.output import JoinedLog
from objstore_project.supervisor.program import Program
from objstore_project.supervisor.supervisor import StartFailed, StopRequested, Supervisor

def shell(name, script, **options):
    return Program(name=name, arguments=("/bin/sh", "-c", script), environment={"PATH": "/usr/bin:/bin"}, **options)

directory = tempfile.TemporaryDirectory()

def trapping(name, trap, **options):
    """A program that goes on for ever, and is ready once it has said what to do at SIGTERM."""
    said = os.path.join(directory.name, name)
    script = f"trap '{trap}' TERM; : > {said}; while :; do sleep 0.05; done"
    return shell(name, script, is_ready=lambda: os.path.exists(said), **options)

supervisor = Supervisor(JoinedLog(1))
supervisor.take_signals()
'''


def run(script: str) -> str:
    """Run the script after the prelude; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
            "PYTHONUNBUFFERED": "1",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_program_that_ends_while_starting_fails_the_start() -> None:
    output = run("""
        try:
            supervisor.start([shell("bad", "echo my last words; exit 3", is_ready=lambda: False)], timeout_seconds=10)
        except StartFailed as error:
            print(error)
    """)
    assert output == "bad        | my last words\nbad stopped with exit status 3 while starting\n"


def test_a_program_that_is_never_ready_fails_the_start() -> None:
    output = run("""
        try:
            supervisor.start([shell("slow", "sleep 60", is_ready=lambda: False)], timeout_seconds=0.3)
        except StartFailed as error:
            print(error)
        supervisor.stop([["slow"]])
    """)
    assert output.startswith("slow: not ready after")


def test_deaths_in_a_row_are_answered_ever_more_slowly() -> None:
    output = run("""
        supervisor.start([shell("weak", "sleep 0.1; exit 1")], timeout_seconds=10)
        signal.setitimer(signal.ITIMER_REAL, 3)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        supervisor.supervise()
        supervisor.stop([["weak"]])
    """)
    delays = [line.rsplit("in ", 1)[1] for line in output.splitlines()]
    assert delays[:3] == ["0.25 s", "0.5 s", "1 s"]


def test_a_program_takes_what_it_forked_with_it() -> None:
    output = run("""
        supervisor.start([shell("parent", "sleep 61 & echo $!; exec sleep 62")], timeout_seconds=10)
        for _ in range(10):
            supervisor._tick()
        pid = supervisor.children["parent"].process_id
        os.kill(pid, signal.SIGKILL)
        while supervisor.children["parent"].process_id:
            supervisor._tick()
        for _ in range(10):
            supervisor._tick()
        print(open(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read() or "nothing left")
    """)
    assert output.endswith("nothing left\n")


def test_what_ignores_the_stop_signal_is_killed_in_time() -> None:
    output = run("""
        supervisor.start([trapping("deaf", "", stop_seconds=0.5)], timeout_seconds=30)
        started_at = time.monotonic()
        supervisor.stop([["deaf"]])
        print(time.monotonic() - started_at < 3, supervisor.children["deaf"].exit_code)
    """)
    assert output.endswith("True -9\n")


def test_a_second_signal_stops_at_once() -> None:
    output = run("""
        supervisor.start([trapping("deaf", "", stop_seconds=30)], timeout_seconds=30)
        os.kill(os.getpid(), signal.SIGINT)
        supervisor.supervise()
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        started_at = time.monotonic()
        supervisor.stop([["deaf"]])
        print(time.monotonic() - started_at < 5)
    """)
    assert output.endswith("True\n")


def test_stages_stop_one_after_the_other() -> None:
    output = run("""
        supervisor.start([trapping(name, "echo bye; exit 0") for name in ("last", "first", "second")], timeout_seconds=30)
        supervisor.stop([["first"], ["second", "unknown"], ["last"]])
    """)
    assert [line.split()[0] for line in output.splitlines()] == ["first", "second", "last"]


def test_output_without_a_line_break_and_of_any_length_is_kept() -> None:
    output = run("""
        supervisor.run_to_end(shell("wide", "head -c 200000 /dev/zero | tr '\\\\0' x; printf end"))
    """)
    assert output.replace("wide       | ", "").replace("\n", "") == "x" * 200_000 + "end"


def test_a_function_runs_in_a_process_of_its_own_and_its_failure_is_told() -> None:
    output = run("""
        supervisor.run_to_end(Program(name="good", function=lambda: print("from", "a", "function")))
        try:
            supervisor.run_to_end(Program(name="bad", function=lambda: 1 / 0))
        except StartFailed as error:
            print(error)
    """)
    assert output.startswith("good       | from a function\n")
    assert "ZeroDivisionError" in output
    assert output.endswith("bad stopped with exit status 70\n")


def test_a_function_that_writes_to_a_peer_that_is_gone_is_told_and_goes_on() -> None:
    output = run("""
        def write():
            reading, writing = os.pipe()
            os.close(reading)
            try:
                os.write(writing, b"x")
            except BrokenPipeError:
                print("told")

        supervisor.run_to_end(Program(name="writer", function=write))
    """)
    assert output == "writer     | told\n"
