"""Has tshark, an independent decoder, dissect UDPTL datagrams: a pcap written here, PDML read back."""

from __future__ import annotations

import shutil
import struct
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

PORT = 4000
TSHARK = shutil.which("tshark")


def write_pcap(path: Path, datagrams: Iterable[tuple[float, int, bytes]]) -> None:
    """Datagrams (time, side, octets) as raw IPv4 UDP between 127.0.0.1 and 127.0.0.2."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # LINKTYPE_RAW
        for at, side, data in datagrams:
            udp = struct.pack(">HHHH", PORT + side, PORT + 1 - side, 8 + len(data), 0) + data
            addresses = bytes((127, 0, 0, 1 + side, 127, 0, 0, 2 - side))
            ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
            whole = int(at * 1e6)
            out.write(struct.pack("<IIII", whole // 10**6, whole % 10**6, len(ip + udp), len(ip + udp)))
            out.write(ip + udp)


def dissect(path: Path, version: int, *, reassemble: bool = True) -> list[list[ET.Element]]:
    """The T.38 part of each packet of the capture, in order; an empty list where there is none."""
    assert TSHARK
    command = [
        TSHARK,
        "-n",
        "-r",
        str(path),
        "-T",
        "pdml",
        "-d",
        f"udp.port=={PORT},t38",
        "-d",
        f"udp.port=={PORT + 1},t38",
        "-o",
        f"t38.use_pre_corrigendum_asn1_specification:{'TRUE' if version == 0 else 'FALSE'}",
        "-o",
        f"t38.reassembly:{str(reassemble).upper()}",
    ]
    out = subprocess.run(command, check=True, capture_output=True, timeout=240).stdout
    packets = ET.fromstring(out).findall("packet")
    return [
        [
            proto
            for proto in packet.findall("proto")
            if proto.get("name") not in ("geninfo", "frame", "raw", "ip", "udp")
        ]
        for packet in packets
    ]


def fields(protos: list[ET.Element], name: str) -> list[ET.Element]:
    """All fields of that name, depth first."""
    return [f for proto in protos for f in proto.iter("field") if f.get("name") == name]


def complaints(protos: list[ET.Element], *, sense: bool) -> list[str]:
    """Everything the dissector objected to, or left for another one.

    Without ``sense`` only in the packets themselves, not in the T.30 frames that they add up to.
    """
    if not sense:
        return [f"{i.get('name')}" for p in protos for i in p.iter() if "malformed" in (i.get("name") or "")]
    bad = [f"{p.get('name')}" for p in protos if p.get("name") != "t38"]
    for proto in protos:
        for item in proto.iter("field"):
            name = item.get("name") or ""
            if name.startswith(("_ws.", "data")) or "error" in name.replace("error_recovery", ""):
                bad.append(f"{name}: {item.get('showname')}")
    return bad or ([] if protos else ["not dissected"])
