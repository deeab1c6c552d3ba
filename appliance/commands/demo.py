"""``faxbox demo``: a PDF of our own over real UDP to the practice machine, and what arrived."""

from __future__ import annotations

import argparse
from pathlib import Path

from appliance.commands.demo_document import write_demo_pdf
from appliance.commands.send import SendOptions, send_and_tell, speed
from appliance.documents.options import Quality

DEMO_NUMBER = "9990"


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``demo`` to the command's words."""
    parser = words.add_parser("demo", help="send a demonstration fax to the practice machine")
    parser.add_argument("--to", default=DEMO_NUMBER, metavar="NUMBER", help="another practice number")
    parser.add_argument("--out", type=Path, default=Path("demo-output"), metavar="DIR")
    parser.add_argument("--quality", choices=[each.value for each in Quality], default=Quality.FINE.value)
    parser.add_argument("--speed", type=speed, default=1.0, metavar="N",
                        help="N times faster than a real fax")  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """``faxbox demo`` with its parsed arguments; the exit code."""
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    pdf = out / "demo.pdf"
    write_demo_pdf(pdf)
    print(f"the document: {pdf}")
    return send_and_tell(
        SendOptions(
            files=(pdf,),
            number=arguments.to,
            station_id="+49 30 555 0100",
            quality=Quality(arguments.quality),
            out=out,
            trace=out / "trace.pcap",
            speed=arguments.speed,
        ),
        print,
    )
