"""Compiles pjsua2's Python wrapper and packs it as a wheel; needs nothing but Python and a compiler.

``make_wheel.py tag`` prints the wheel's tags; ``make_wheel.py compile PJPROJECT OBJECT`` compiles the wrapper
that SWIG has written, for which pjproject's libraries need not be there yet;
``make_wheel.py pack PJPROJECT OBJECT WHEEL`` links it with them and makes the wheel.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

NAME = "pjsua2"
VERSION = "2.17+faxbox"
# The wrapper is 6.7 MB of generated C++: -O1 halves the time of -O2 and costs nothing that matters.
WRAPPER_FLAGS = ["-O1", "-g0", "-fPIC", "-fno-strict-aliasing", "-w"]


def wheel_tag() -> str:
    """The tags of a wheel for this interpreter and machine: ``cp311-cp311-linux_x86_64``."""
    interpreter = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"{interpreter}-{interpreter}-{platform}"


def helper_words(swig: Path, target: str) -> list[str]:
    """What pjproject's own makefile says about ``cflags``, ``ldflags`` or ``libs``."""
    command = ["make", "--no-print-directory", "-s", "-f", "helper.mak", target]
    return subprocess.run(command, cwd=swig, check=True, capture_output=True, text=True).stdout.split()


def compile_wrapper(swig: Path, compiled: Path) -> None:
    command = [os.environ.get("CXX", "g++"), *helper_words(swig, "cflags"), *WRAPPER_FLAGS, "-c"]
    command += [f"-I{sysconfig.get_path('include')}", str(swig / "pjsua2_wrap.cpp"), "-o", str(compiled)]
    subprocess.run(command, check=True)


def link_wrapper(swig: Path, compiled: Path, module: Path) -> None:
    command = [os.environ.get("CXX", "g++"), "-shared", str(compiled), "-o", str(module)]
    # The archives refer to each other both ways: one group, searched until nothing is missing.
    libraries = [f"-l{name}" for name in helper_words(swig, "libs")]
    command += [*helper_words(swig, "ldflags"), "-Wl,--start-group", *libraries, "-Wl,--end-group", "-s"]
    subprocess.run(command, check=True)


def write_wheel(target: Path, files: dict[str, bytes]) -> None:
    info = f"{NAME}-{VERSION}.dist-info"
    files = dict(files)
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n"
        "Summary: pjproject's SIP stack for Python, media left to the application\n"
        "Home-page: https://www.pjsip.org/\nLicense: GPL-2.0-or-later\n"
    ).encode()
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: faxbox\nRoot-Is-Purelib: false\nTag: {wheel_tag()}\n"
    ).encode()
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)


def pack(swig: Path, compiled: Path, wheel: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        module = Path(scratch) / f"_pjsua2{sysconfig.get_config_var('EXT_SUFFIX')}"
        link_wrapper(swig, compiled, module)
        python_side = swig / "pjsua2.py"
        write_wheel(wheel, {"pjsua2.py": python_side.read_bytes(), module.name: module.read_bytes()})


def swig_of(pjproject: str) -> Path:
    return Path(pjproject) / "pjsip-apps/src/swig/python"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["tag"]:
            print(wheel_tag())
        case ["compile", pjproject, compiled]:
            compile_wrapper(swig_of(pjproject), Path(compiled))
        case ["pack", pjproject, compiled, wheel]:
            pack(swig_of(pjproject), Path(compiled), Path(wheel))
        case _:
            sys.exit(__doc__)
