"""Give up every power, then run one program on the bytes that arrive (T-43, T-44).

Started as `python -I -S lockdown.py SITE PROGRAM` with a socket as standard input. The program is loaded once, while
files can still be opened, and the network is given up. For each job the process forks; the child, which inherits that,
locks itself down, and only then reads the bytes. This process itself never sees any. A protection that this kernel
refuses is reported as missing: whoever needs it asks `isolation()` and refuses to start.
"""

import ctypes
import gc
import importlib.util
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

PROTECTIONS: Final = (
    "limits",
    "no_new_privileges",
    "other_user",
    "no_network",
    "no_files",
    "system_call_filter",
)
ORDER: Final = struct.Struct("<i28s")  # seconds, and a wish that the program knows
RESULT: Final = struct.Struct("<i")  # exit code
HEADER: Final = struct.Struct("<4sBxxxQ")  # magic, protections in force, length
MAGIC: Final = b"JAIL"
EXIT_FAULT, EXIT_OUT_OF_MEMORY = 1, 12
PACKAGE: Final = "moderation.media.jailed"

Answer = tuple[int, Iterable[bytes | memoryview]]  # length, chunks
Program = Callable[[bytes, bytes], Answer]  # the file, the wish

NOBODY: Final = 65534
MEMORY_BYTES: Final = 700 * 1024 * 1024
LIMITS: Final = {
    resource.RLIMIT_AS: MEMORY_BYTES,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NOFILE: 16,
    resource.RLIMIT_NPROC: 0,
    resource.RLIMIT_CORE: 0,
}

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
SIGKILL: Final = 9
SECCOMP_MODE_FILTER: Final = 2
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = (
    444,
    446,
)  # one number on every machine
LANDLOCK_VERSION_FLAG: Final = 1

libc = ctypes.CDLL(None, use_errno=True)


class Machine(NamedTuple):
    """What a system call filter must know about a processor family."""

    audit_arch: int
    allowed: tuple[int, ...]
    mapping: tuple[int, ...]  # allowed too, unless they ask for executable memory


# Allowed: read write close munmap brk mremap madvise rt_sigprocmask rt_sigreturn
# sched_yield futex gettimeofday clock_gettime getrandom exit exit_group.
# Mapping: mmap mprotect.
MACHINES: Final = {
    "x86_64": Machine(
        0xC000003E,
        (0, 1, 3, 11, 12, 25, 28, 14, 15, 24, 202, 96, 228, 318, 60, 231),
        (9, 10),
    ),
    "aarch64": Machine(
        0xC00000B7,
        (63, 64, 57, 215, 214, 216, 233, 135, 139, 124, 98, 169, 113, 278, 93, 94),
        (222, 226),
    ),
}


def checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def limit_resources() -> None:
    for name, most in LIMITS.items():
        resource.setrlimit(name, (most, most))


def limit_time(seconds: int) -> None:
    """Processor time; the second value kills whoever survives the signal of the first."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def forbid_new_privileges() -> None:
    """Also: nobody may trace or dump this process, and it dies with its parent."""
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    checked(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
    checked(libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))


def become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def leave_the_network() -> None:
    as_root = os.geteuid() == 0
    checked(
        libc.unshare(CLONE_NEWNET | CLONE_NEWIPC | (0 if as_root else CLONE_NEWUSER))
    )


def leave_the_files() -> None:
    """Landlock with a rule set that handles everything and allows nothing."""
    version = checked(
        libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_VERSION_FLAG)
    )
    files = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    network = 0b11 if version >= 4 else 0
    scopes = 0b11 if version >= 6 else 0
    attributes = struct.pack("<QQQ", files, network, scopes)
    ruleset = checked(
        libc.syscall(LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    )
    try:
        checked(libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def instructions(machine: Machine) -> Iterator[tuple[int, int, int, int]]:
    """The filter as classic BPF: (code, jump if true, jump if false, operand)."""
    load, equal, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050001, 0x80000000  # refuse = EPERM
    number_at, arch_at, third_argument_at = 0, 4, 32
    yield load, 0, 0, arch_at
    yield equal, 1, 0, machine.audit_arch
    yield answer, 0, 0, kill
    yield load, 0, 0, number_at
    yield at_least, 0, 1, 0x40000000  # the x32 twins of the same calls
    yield answer, 0, 0, refuse
    for number in machine.allowed:
        yield equal, 0, 1, number
        yield answer, 0, 0, allow
    for number in machine.mapping:
        yield equal, 0, 4, number
        yield load, 0, 0, third_argument_at
        yield any_bit, 1, 0, 0x4  # PROT_EXEC
        yield answer, 0, 0, allow
        yield answer, 0, 0, refuse
    yield answer, 0, 0, refuse


def filter_system_calls() -> None:
    machine = MACHINES.get(os.uname().machine)
    if machine is None or sys.byteorder != "little" or sys.maxsize < 2**32:
        raise OSError("no filter for this machine")
    packed = [
        struct.pack("=HBBI", *instruction) for instruction in instructions(machine)
    ]
    code = ctypes.create_string_buffer(b"".join(packed))
    program = ctypes.create_string_buffer(
        struct.pack("=HxxxxxxQ", len(packed), ctypes.addressof(code))
    )
    checked(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0))


Step = tuple[str, Callable[[], None]]
# A network of its own is the dearest step, and one without any network serves all jobs.
BEFORE_ANY_JOB: Final[tuple[Step, ...]] = (("no_network", leave_the_network),)
IN_EACH_JOB: Final[tuple[Step, ...]] = (
    ("other_user", become_nobody),
    ("no_new_privileges", forbid_new_privileges),
    ("no_files", leave_the_files),
    ("limits", limit_resources),
    ("system_call_filter", filter_system_calls),
)


def lock_down(steps: Iterable[Step]) -> frozenset[str]:
    """Give up each power in turn; return the names of the protections now in force."""
    done = set()
    for name, step in steps:
        with suppress(OSError, ValueError, AttributeError):
            step()
            done.add(name)
    return frozenset(done)


def encode(protections: frozenset[str]) -> int:
    return sum(1 << bit for bit, name in enumerate(PROTECTIONS) if name in protections)


def decode(bits: int) -> frozenset[str]:
    return frozenset(name for bit, name in enumerate(PROTECTIONS) if bits >> bit & 1)


def read_all() -> bytes:
    chunks = []
    while chunk := os.read(0, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def write_all(data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def know_the_neighbours() -> None:
    """Let a program import what stands beside it here, and nothing else of the project."""
    names = PACKAGE.split(".")
    for depth in range(1, len(names) + 1):
        package = ModuleType(".".join(names[:depth]))
        package.__path__ = []
        sys.modules[package.__name__] = package
    package.__path__ = [str(Path(__file__).parent)]


def load(path: str) -> Program:
    spec = importlib.util.spec_from_file_location("program", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    answer: Program = module.answer
    return answer


def do_one_job(answer: Program, inherited: frozenset[str], order: bytes) -> None:
    """The whole life of a child: it ends here, whatever happens."""
    code = EXIT_FAULT
    try:
        seconds, wish = ORDER.unpack(order)
        limit_time(seconds)
        protections = inherited | lock_down(IN_EACH_JOB)
        length, chunks = answer(read_all(), wish)
        write_all(HEADER.pack(MAGIC, encode(protections), length))
        for chunk in chunks:
            write_all(chunk)
        code = 0
    except MemoryError:
        code = EXIT_OUT_OF_MEMORY
    finally:
        os._exit(code)


def serve(line: socket.socket, answer: Program, inherited: frozenset[str]) -> None:
    """One job after another, each in a child of its own; ends when the parent hangs up."""
    while True:
        order, ends, _, _ = socket.recv_fds(line, ORDER.size, 2)
        if len(order) != ORDER.size or len(ends) != 2:
            return
        child = os.fork()
        if child == 0:
            os.dup2(ends[0], 0)  # where the line was: the child cannot speak on it
            os.dup2(ends[1], 1)
            os.closerange(3, max(ends) + 1)
            do_one_job(answer, inherited, order)
        for end in ends:
            os.close(end)
        _, status = os.waitpid(child, 0)
        line.sendall(RESULT.pack(os.waitstatus_to_exitcode(status)))


def main(site: str, path: str) -> None:
    sys.dont_write_bytecode = True
    sys.path.append(site)
    know_the_neighbours()
    answer = load(path)
    gc.freeze()  # or a collection in each child would copy all that was loaded
    inherited = lock_down(BEFORE_ANY_JOB)
    with suppress(ConnectionError):
        serve(socket.socket(fileno=0), answer, inherited)


if __name__ == "__main__":
    main(*sys.argv[1:])
