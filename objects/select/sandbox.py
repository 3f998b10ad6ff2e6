"""Take from this process what a query has no use for: files, network, other programs, memory and time without end.

DuckDB is told to touch nothing (`worker`); this is what holds if it does not listen. System calls are refused by seccomp
where the machine's numbers are known (x86-64, ARM64), with EPERM, so that a library that asks sees an ordinary failure.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 38, 22
_SECCOMP_MODE_FILTER = 2
_LOAD_WORD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # EPERM
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16  # in struct seccomp_data
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

# Refused: socket, connect, bind, listen, execve, execveat, ptrace, fork, vfork, unlink…, rename…, mkdir…, mount, kill.
# Likewise what would do the same on another way, or reach into other processes: socketpair, openat2, open_by_handle_at,
# io_uring_…, process_vm_…, pidfd_open, pidfd_getfd, pidfd_send_signal, process_madvise, unshare, setns, bpf, userfaultfd,
# perf_event_open, keyctl.
# Refused for writing: openat, open, with the position of their flags among the arguments.
_CALLS = {
    "x86_64": (
        0xC000003E,
        (
            *(41, 42, 49, 50, 59, 322, 101, 57, 58, 87, 263, 82, 264, 316, 83, 258, 165, 62),
            *(53, 437, 304, 425, 426, 427, 310, 311, 434, 438, 424, 440, 272, 308, 321, 323, 298, 250),
        ),
        ((257, 2), (2, 1)),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(198, 203, 200, 201, 221, 281, 117, 35, 38, 276, 34, 40, 129),
            *(199, 437, 265, 425, 426, 427, 270, 271, 434, 438, 424, 440, 97, 268, 280, 282, 241, 219),
        ),
        ((56, 2),),
    ),
}
_OTHER_NUMBERS = 0x40000000
"""From there on x86-64 has its calls a second time (x32)."""


def confine(*, memory_mib: int, cpu_seconds: int) -> None:
    """Bound this process for good. `memory_mib` is what DuckDB may have; Python needs some beside it.

    When whoever started it dies, its data end and its answer has no reader, which ends it. (A signal at the parent's death
    would come at that of the parent's thread.)
    """
    libc = ctypes.CDLL(None, use_errno=True)
    data_bytes = (memory_mib + 768) << 20
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_DATA, data_bytes),
    ):
        resource.setrlimit(kind, (limit, limit))
    os.chdir("/")
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        _filter_calls(libc)


def _filter_calls(libc: ctypes.CDLL) -> None:
    known = _CALLS.get(platform.machine())
    if known is None:
        return
    architecture, refused, opening = known
    length = 5 + len(refused) + 3 * len(opening)  # then come the two verdicts

    def refuse_from(position: int) -> int:
        return length - position  # how far the second verdict is from the next instruction

    program = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE_OFFSET),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD_WORD, 0, 0, _NUMBER_OFFSET),
    ]
    program.append((_JUMP_AT_LEAST, refuse_from(len(program)), 0, _OTHER_NUMBERS))
    for call in refused:
        program.append((_JUMP_EQUAL, refuse_from(len(program)), 0, call))
    for call, flags in opening:
        program.append((_JUMP_EQUAL, 0, 2, call))
        program.append((_LOAD_WORD, 0, 0, _ARGUMENTS_OFFSET + 8 * flags))
        program.append((_JUMP_SET, refuse_from(len(program)), refuse_from(len(program)) - 1, _WRITES))
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    described = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(described), 0, 0)
