"""The possible content of a disk after a power cut, from a recording of all system calls that wrote to it.

strace records a process; ``Disk`` replays the recording on a model in which nothing is durable but what
was fsynced: a file's content by fsync of the file, its name by fsync of its folder.  At any moment
``survivors`` writes down what may be found after the cut: only what was synced, everything, or
something in between.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "openat,open,close,write,pwrite64,lseek,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,"
    "unlinkat,mkdir,mkdirat,rmdir"
)
# Ways to write that ``Disk`` does not know; a recording with one of them would be judged wrongly.
FOREIGN = (
    "writev",
    "pwritev",
    "pwritev2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "truncate",
    "fallocate",
    "sendfile",
    "copy_file_range",
)
# Octets of a strace string kept: more than any single write of the box.
STRING_LIMIT = 1 << 22
# What a disk writes at once or not at all.
SECTOR = 512


@dataclass(frozen=True)
class Call:
    name: str
    arguments: str
    result: int


@dataclass
class File:
    """An inode: its content now, at the last fsync, and the writes since then."""

    now: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    pending: list[tuple[int, bytes]] = field(default_factory=list)  # offset, octets; -1: truncated to

    def write(self, offset: int, octets: bytes) -> None:
        if len(self.now) < offset:
            self.now.extend(bytes(offset - len(self.now)))
        self.now[offset : offset + len(octets)] = octets
        self.pending.append((offset, octets))

    def truncate(self, size: int) -> None:
        del self.now[size:]
        self.now.extend(bytes(size - len(self.now)))
        self.pending.append((-1, size.to_bytes(8, "big")))

    def sync(self) -> None:
        self.durable = bytes(self.now)
        self.pending.clear()

    def survivor(self, chance: random.Random | None) -> bytes:
        """Content after the cut: what was synced, with (given ``chance``) some later sectors."""
        if chance is None:
            return self.durable
        content = bytearray(self.durable)
        for offset, octets in self.pending:
            if offset < 0:
                size = int.from_bytes(octets, "big")
                if chance.random() < 0.5:
                    del content[size:]
                    content.extend(bytes(size - len(content)))
                continue
            for start in range(0, len(octets), SECTOR):
                if chance.random() < 0.5:
                    piece = octets[start : start + SECTOR]
                    if len(content) < offset + start:
                        content.extend(bytes(offset + start - len(content)))
                    content[offset + start : offset + start + len(piece)] = piece
        return bytes(content)


@dataclass
class _Handle:
    file: File | None  # None: a folder
    path: str
    offset: int = 0
    append: bool = False


class Disk:
    """The part of the file system under ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._names: dict[str, File | None] = {self._root: None}  # None: a folder
        self._durable_names: dict[str, File | None] = {self._root: None}
        # Changes of names that are not durable yet, in order: folder, name, inode ("gone": removed).
        self._pending: list[tuple[str, str, File | str | None]] = []
        self._handles: dict[int, _Handle] = {}

    def play(self, call: Call) -> bool:
        """Replays one call; True when something became durable by it."""
        if call.result < 0:
            return False
        if call.name in FOREIGN and (
            any(self._ours(path) for path in _strings(call)) or _first_number(call) in self._handles
        ):
            raise NotImplementedError(call.name)
        method = getattr(self, f"_do_{call.name.removesuffix('64')}", None)
        return bool(method(call)) if method is not None else False

    def survivors(self, target: Path, chance: random.Random | None, *, everything: bool = False) -> None:
        """Writes what is found after a cut now into the new folder ``target``."""
        names = dict(self._names if everything else self._durable_names)
        if chance is not None and not everything:
            for folder, name, inode in self._pending[: chance.randint(0, len(self._pending))]:
                _change(names, f"{folder}/{name}", inode)
        target.mkdir()
        for path in sorted(names):
            inode = names[path]
            there = target / path.removeprefix(self._root).lstrip("/")
            if inode is None:
                there.mkdir(exist_ok=True, parents=True)
            elif there.parent.is_dir():
                there.write_bytes(bytes(inode.now) if everything else inode.survivor(chance))

    # -- system calls --------------------------------------------------------------------------

    def _ours(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root + "/")

    def _name(self, path: str, inode: File | str | None) -> None:
        folder, _, name = path.rpartition("/")
        _change(self._names, path, inode)
        self._pending.append((folder, name, inode))

    def _do_openat(self, call: Call) -> None:
        (path, *_), flags = _strings(call), call.arguments
        if not self._ours(path):
            self._handles.pop(call.result, None)
            return
        inode = self._names.get(path)
        if path not in self._names:
            if "O_CREAT" not in flags:
                self._handles[call.result] = _Handle(File(), path)  # from before; not ours to judge
                return
            inode = File()
            self._name(path, inode)
        if inode is not None and "O_TRUNC" in flags and inode.now:
            inode.truncate(0)
        self._handles[call.result] = _Handle(inode, path, append="O_APPEND" in flags)

    _do_open = _do_openat

    def _do_close(self, call: Call) -> None:
        self._handles.pop(_number(call), None)

    def _handle(self, call: Call) -> _Handle | None:
        return self._handles.get(_number(call))

    def _do_write(self, call: Call) -> None:
        handle = self._handle(call)
        if handle is None or handle.file is None:
            return
        octets = _octets(call)[: call.result]
        if handle.append:
            handle.offset = len(handle.file.now)
        handle.file.write(handle.offset, octets)
        handle.offset += len(octets)

    def _do_pwrite(self, call: Call) -> None:
        handle = self._handle(call)
        if handle is not None and handle.file is not None:
            offset = int(call.arguments.rpartition(", ")[2], 0)
            handle.file.write(offset, _octets(call)[: call.result])

    def _do_lseek(self, call: Call) -> None:
        handle = self._handle(call)
        if handle is not None:
            handle.offset = call.result

    def _do_ftruncate(self, call: Call) -> None:
        handle = self._handle(call)
        if handle is not None and handle.file is not None:
            handle.file.truncate(int(call.arguments.rpartition(", ")[2], 0))

    def _do_fsync(self, call: Call) -> bool:
        handle = self._handle(call)
        if handle is None:
            return False
        if handle.file is not None:
            handle.file.sync()
            return True
        rest = []
        for folder, name, inode in self._pending:
            if folder == handle.path:
                _change(self._durable_names, f"{folder}/{name}", inode)
            else:
                rest.append((folder, name, inode))
        self._pending = rest
        return True

    _do_fdatasync = _do_fsync

    def _do_rename(self, call: Call) -> None:
        old, new = _strings(call)[:2]
        if self._ours(old):
            inode = self._names[old]
            self._name(old, "gone")
            self._name(new, inode)

    _do_renameat = _do_renameat2 = _do_rename

    def _do_unlink(self, call: Call) -> None:
        path = _strings(call)[0]
        if self._ours(path):
            self._name(path, "gone")

    _do_unlinkat = _do_rmdir = _do_unlink

    def _do_mkdir(self, call: Call) -> None:
        path = _strings(call)[0]
        if self._ours(path) and path != self._root:
            self._name(path, None)

    _do_mkdirat = _do_mkdir


def record(command: list[str], trace: Path, cwd: Path) -> None:
    """Runs ``command`` under strace.  Raises CalledProcessError."""
    traced = f"trace={CALLS},{','.join(FOREIGN)}"
    subprocess.run(
        ["strace", "-f", "-xx", "-s", str(STRING_LIMIT), "-o", str(trace), "-e", traced, *command],
        check=True,
        cwd=cwd,
    )


_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?: .*)?$", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def calls(trace: Path) -> Iterator[Call]:
    """The calls of a recording in the order they returned."""
    waiting: dict[str, str] = {}
    with trace.open() as lines:
        for line in lines:
            pid, text = _LINE.fullmatch(line.rstrip("\n")).groups()  # type: ignore[union-attr]
            if text.endswith("<unfinished ...>"):
                waiting[pid] = text.removesuffix("<unfinished ...>").rstrip()
                continue
            resumed = _RESUMED.match(text)
            if resumed:
                text = waiting.pop(pid) + resumed.group(2)
            found = _CALL.match(text)
            if found:
                yield Call(found.group(1), found.group(2), int(found.group(3)))


def told(call: Call) -> str | None:
    """What the process wrote to its standard output with this call."""
    if call.name == "write" and _number(call) == 1:
        return _octets(call).decode()
    return None


def _change(names: dict[str, File | None], path: str, inode: File | str | None) -> None:
    if isinstance(inode, str):
        names.pop(path, None)
    else:
        names[path] = inode


def _strings(call: Call) -> list[str]:
    found = _STRING.findall(call.arguments)
    return [_unescape(text).decode(errors="replace") for text in found]


def _octets(call: Call) -> bytes:
    found = _STRING.search(call.arguments)
    return _unescape(found.group(1)) if found else b""


def _unescape(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _first_number(call: Call) -> int | None:
    first = call.arguments.partition(",")[0]
    return int(first) if first.isdecimal() else None


def _number(call: Call) -> int:
    return int(call.arguments.partition(",")[0])
