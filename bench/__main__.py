"""``make bench``: measures and prints; ``--charts DIR`` takes the pages from TIFF files of yours."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from bench import call_time, charts, pacing, rendering

# Calls at once in the pacing measurement, and simulated calls in the throughput one.
PACED_CALLS = 60
SIMULATED_CALLS = 40


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--charts", type=Path, help="folder of TIFF pages (default: eight made here)")
    parser.add_argument("--calls", type=int, default=PACED_CALLS, help="calls paced at once")
    parser.add_argument("--only", choices=sorted(_PARTS), nargs="+", help="measure these alone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faxbox-bench-") as scratch:
        for name, part in _PARTS.items():
            if arguments.only is None or name in arguments.only:
                part(arguments, Path(scratch))


def _call_time(arguments: argparse.Namespace, scratch: Path) -> None:
    pages = charts.coded(charts.charts(arguments.charts), scratch)
    octets = sum(len(page.data) for page in pages)
    minimum_s, timings = call_time.measure(pages, scratch / charts.FILE_NAME, scratch)
    _title("Seconds from answer to hang-up", f"{len(pages)} charts, fine, ECM, MMR, 14400, {octets:,} octets")
    print(f"  {'the least T.30 allows':<24}{minimum_s:9.1f} s")
    spandsp_s = timings[-1].seconds
    for timing in timings:
        print(
            f"  {timing.who:<24}{timing.seconds:9.1f} s   {timing.seconds / minimum_s:6.3f} × least"
            f"   {timing.seconds / spandsp_s:6.3f} × spandsp   {timing.cpu_s:5.2f} s CPU for both ends"
        )


def _simulated(arguments: argparse.Namespace, scratch: Path) -> None:
    pages = charts.coded(charts.charts(arguments.charts)[:1], scratch)
    begun = time.perf_counter()
    line_s = sum(call_time.simulated_call(pages) for _ in range(SIMULATED_CALLS))
    took = time.perf_counter() - begun
    _title("Simulated calls", "both ends ours, one page, one core")
    print(f"  {SIMULATED_CALLS / took:.1f} calls a second; {line_s / took:,.0f} times real time")


def _pacing(arguments: argparse.Namespace, scratch: Path) -> None:
    pages = charts.coded(charts.charts(arguments.charts)[:1], scratch)
    _title("Calls paced at once by one core", "real time, UDP on loopback, our sending side")
    paced = pacing.measure(pages, arguments.calls)
    print(
        f"  {paced.calls} calls, {paced.delivered} delivered, in {paced.seconds:.1f} s: "
        f"{paced.late} of {paced.steps:,} timer steps more than {pacing.LATE_S * 1000:.0f} ms late, "
        f"worst {paced.worst_s * 1000:.1f} ms"
    )
    print(f"  {paced.cpu_per_call_second:.4f} CPU seconds a call second; peak {paced.peak_mib:.0f} MiB")


def _rendering(arguments: argparse.Namespace, scratch: Path) -> None:
    _title("Pages a second from PDF", "fine, against gs -sDEVICE=tiffg4 on the same files")
    for made in rendering.measure(charts.charts(arguments.charts), scratch):
        print(
            f"  {made.name:<9}{made.pages:3} pages   ours {made.pages / made.ours_s:5.1f}/s"
            f" (one process {made.pages / made.one_s:5.1f}/s)   gs {made.pages / made.gs_s:5.1f}/s"
            f"   speed {made.gs_s / made.ours_s:5.2f} × (one process {made.gs_s / made.one_s:5.2f} ×)"
            f"   size {made.ours_octets / made.gs_octets:5.2f} ×"
        )


def _title(what: str, how: str) -> None:
    print(f"\n{what} ({how})")


_PARTS = {
    "call-time": _call_time,
    "simulated": _simulated,
    "pacing": _pacing,
    "rendering": _rendering,
}


if __name__ == "__main__":
    main()
