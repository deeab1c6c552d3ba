"""``make bench``: measures and prints; ``--charts DIR`` uses the TIFF files of a folder as pages."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from appliance.lines.datagram_driver import LATE_S
from bench import (
    api_load,
    burst,
    call_time,
    charts,
    encrypting,
    growth,
    idle,
    image,
    pacing,
    printing,
    rendering,
    sip,
    spool_size,
    web_pages,
)
from bench.legibility import measuring
from bench.running import running
from tests.lines.sip.far_end import Medium

# Simultaneous calls in the pacing measurement, and simulated calls in the throughput one.
PACED_CALLS = 60
SIMULATED_CALLS = 40
# Simultaneous calls over SIP: with T.38, and in G.711, where the box runs the modems too.
SIP_CALLS = 100
G711_CALLS = 20
# Faxes submitted at once, and the time limit for all of them, seconds.
BURST_FAXES = 4000
BURST_LIMIT_S = 3600.0
# Calls of a burst run at up to ten times real time.
BURST_SETTINGS = {"practice.speed": "10", "practice.calls_at_once": "40", "practice.wait_s": "1"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--charts", type=Path, help="folder of TIFF pages (default: eight made here)")
    parser.add_argument("--calls", type=int, default=PACED_CALLS, help="calls paced at once")
    parser.add_argument("--sip-calls", type=int, default=SIP_CALLS, help="SIP calls with T.38 at once")
    parser.add_argument("--faxes", type=int, default=BURST_FAXES, help="faxes submitted at once")
    parser.add_argument(
        "--listed", type=int, default=web_pages.LARGE, help="faxes in the long list of a page"
    )
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
    # Many calls take a minute to begin; with longer faxes all are up at the same time.
    long = arguments.calls > PACED_CALLS
    pages = charts.coded(charts.charts(arguments.charts)[: None if long else 1], scratch)
    _title("Calls paced at once by one core", "real time, UDP on loopback, our sending side")
    paced = pacing.measure(pages, arguments.calls)
    print(
        f"  {paced.calls} calls, {paced.at_once} at once, {paced.delivered} delivered,"
        f" in {paced.seconds:.1f} s: {paced.late} of {paced.steps:,} timer steps"
        f" more than {pacing.LATE_S * 1000:.0f} ms late, worst {paced.worst_s * 1000:.1f} ms"
    )
    print(f"  {paced.cpu_per_call_second:.4f} CPU seconds a call second; peak {paced.peak_mib:.0f} MiB")


def _rendering(arguments: argparse.Namespace, scratch: Path) -> None:
    _title("Pages a second from PDF", "fine, against gs -sDEVICE=tiffg4 on the same files")
    for made in rendering.measure(charts.charts(arguments.charts), scratch):
        print(
            f"  {made.name:<19}{made.pages:3} pages   ours {made.pages / made.ours_s:5.1f}/s"
            f" (one process {made.pages / made.one_s:5.1f}/s)   gs {made.pages / made.gs_s:5.1f}/s"
            f"   speed {made.gs_s / made.ours_s:5.2f} × (one process {made.gs_s / made.one_s:5.2f} ×)"
            f"   size {made.ours_octets / made.gs_octets:5.2f} ×"
        )


def _idle(arguments: argparse.Namespace, scratch: Path) -> None:
    _title("A box with nothing to do", f"all its processes, {idle.QUIET_S:.0f} s")
    quiet = idle.measure(scratch)
    print(
        f"  first answer {quiet.ready_s:.2f} s after the start (the very first start {quiet.first_s:.2f} s)\n"
        f"  {quiet.memory_mib:.0f} MiB in {quiet.processes} processes, "
        f"{quiet.panel_mib:.0f} MiB in the panel's, {quiet.cpu_share:.2%} of a core"
    )


def _spool(arguments: argparse.Namespace, scratch: Path) -> None:
    _title("A fax's way through the spool", "nine durable steps, from accepted to delivered")
    cost = spool_size.measure(scratch)
    print(
        f"  among {spool_size.SMALL:,} jobs {cost.small_s * 1000:.2f} ms, among {spool_size.LARGE:,} "
        f"{cost.large_s * 1000:.2f} ms: {cost.ratio:.2f} times (processor time {cost.cpu_ratio:.2f} times)"
    )


def _burst(arguments: argparse.Namespace, scratch: Path) -> None:
    _title("Faxes submitted at once", f"REST, {burst.CLIENTS} clients, practice line at ten times real time")
    with running(scratch / "burst", BURST_SETTINGS) as box:
        made = burst.measure(box, arguments.faxes, scratch / "arrivals", BURST_LIMIT_S)
    tenth = made.faxes / 10
    rates = sorted(tenth / seconds for seconds in made.accept_s)
    print(
        f"  {made.faxes:,} accepted in {sum(made.accept_s):.1f} s:"
        f" {made.faxes / sum(made.accept_s):.0f} a second"
        f" (slowest tenth {rates[0]:.0f}, fastest {rates[-1]:.0f}), longest answer {made.slowest_s:.2f} s\n"
        f"  all ended after {made.all_s:.0f} s: {made.delivered:,} delivered,"
        f" {made.arrived:,} pages at the far ends, {len(made.wrong)} wrong, missing or twice\n"
        f"  {made.cpu_s / made.faxes * 1000:.0f} ms of processor time a fax, both ends; "
        f"at most {made.memory_mib:.0f} MiB"
    )
    for sentence in made.wrong[:10]:
        print(f"    {sentence}")


def _api(arguments: argparse.Namespace, scratch: Path) -> None:
    charts.coded(charts.charts(arguments.charts)[3:5], scratch)
    how = f"{api_load.CLIENTS} clients, {api_load.CALLS} faxes, real time"
    _title("Clients of the REST API while faxes run", how)
    load = api_load.measure(scratch, scratch / charts.FILE_NAME)
    for asked in load.asked:
        print(
            f"  {asked.what:<15}{asked.count:6} requests   median {asked.median_s * 1000:6.1f} ms"
            f"   p99 {asked.p99_s * 1000:6.1f} ms   worst {asked.worst_s * 1000:6.1f} ms"
        )
    print(
        f"  {load.requests_per_s:.0f} requests a second, {load.errors} errors; {load.calls} calls up "
        f"throughout, {load.delivered} delivered; {load.cpu_share:.2f} of a core for the box\n"
        f"  packets more than {LATE_S * 1000:.0f} ms late: {load.late} of {load.steps:,}, worst "
        f"{load.worst_s * 1000:.0f} ms; before the clients came {load.late_alone} of "
        f"{load.steps_alone:,}, worst {load.worst_alone_s * 1000:.0f} ms"
    )


def _sip(arguments: argparse.Namespace, scratch: Path) -> None:
    pages = charts.coded(charts.charts(arguments.charts)[:1], scratch)
    _title("Calls over SIP", "real time, loopback; far end sipp and spandsp in processes of their own")
    if sip.missing():
        print(f"  left out: {sip.missing()}")
        return
    alone = pacing.measure(pages, arguments.sip_calls)
    print(f"  the same T.38 without SIP: {alone.cpu_per_call_second:.4f} CPU seconds a call second")
    asked = {Medium.T38: arguments.sip_calls, Medium.T38_ASKED: arguments.sip_calls, Medium.AUDIO: G711_CALLS}
    for medium, calls in asked.items():
        made = sip.measure(pages, calls, medium, scratch)
        ratio, to_peer = made.cpu / alone.cpu_per_call_second, made.cpu / made.peer_cpu
        print(
            f"  {_MEDIA[medium]:<20}{made.calls} calls at once, {made.delivered} delivered,"
            f" {made.whole} whole; {made.late} of {made.steps:,} timer steps late,"
            f" worst {made.worst_s * 1000:.0f} ms\n"
            f"    {made.cpu:.4f} CPU seconds a call second ({ratio:.2f} × T.38 without SIP,"
            f" {to_peer:.2f} × the far end's spandsp); {made.kib_a_call:.0f} KiB a call"
        )
        if made.to_t38_s:
            median, worst = statistics.median(made.to_t38_s) * 1000, max(made.to_t38_s) * 1000
            print(
                f"    from the answer, or from when the far end asked, to T.38: median {median:.0f} ms,"
                f" worst {worst:.0f} ms"
            )


_MEDIA = {
    Medium.T38: "T.38, far end asks",
    Medium.T38_ASKED: "T.38, the box asks",
    Medium.AUDIO: "G.711",
}


def _legibility(arguments: argparse.Namespace, scratch: Path) -> None:
    _title(
        "Words found and octets of office pages", "fine and standard, read by tesseract, known lines cut out"
    )
    folder = scratch / "legibility"
    folder.mkdir()
    measuring.report(folder, print)


def _title(what: str, how: str) -> None:
    print(f"\n{what} ({how})")


def _growth(arguments: argparse.Namespace, scratch: Path) -> None:
    _title("Memory while faxes run", f"{growth.FAXES:,} faxes, {growth.LIMIT_S / 60:.0f} minutes at most")
    made = growth.measure(scratch, tell=_tell_growth)
    print(f"  {made.accepted:,} accepted, {made.delivered:,} delivered")


def _tell_growth(look: growth.Look) -> None:
    print(
        f"  {look.faxes:>6,} faxes, {look.seconds:6.0f} s: the box's own process {look.own_mib:6.1f} MiB,"
        f" all of them {look.all_mib:6.1f} MiB"
    )


def _encrypting(arguments: argparse.Namespace, scratch: Path) -> None:
    _title(
        "Encryption at rest", f"medians of {encrypting.TURNS} files each, in the clear and encrypted in turns"
    )
    folder = scratch / "encrypting"
    folder.mkdir()
    for cost in encrypting.measure(folder):
        print(
            f"  {cost.octets:>10,} octets: written in {cost.plain_write_s * 1000:6.2f} and"
            f" {cost.sealed_write_s * 1000:6.2f} ms, read in {cost.plain_read_s * 1000:6.2f} and"
            f" {cost.sealed_read_s * 1000:6.2f} ms"
        )


def _pages(arguments: argparse.Namespace, scratch: Path) -> None:
    _title("The web pages", "Chromium and plain clients, over loopback")
    first = web_pages.first(scratch)
    print(
        f"  first page: {first.octets / 1000:.1f} kB on the wire in {first.files} answers; its scripts have"
        f" run after {first.trips:.1f} round trips after signing in, {first.trips_again:.1f} later,"
        f" {first.trips_cold:.1f} in a browser that was never here"
    )
    costs = web_pages.views(scratch)
    least_s = costs.pop(web_pages.LEAST)
    print(f"  processor time of a view; the least that any answer costs: {least_s * 1000:.2f} ms")
    for path, cost in costs.items():
        print(f"    {path:<12}{cost * 1000:6.1f} ms, {cost / least_s:5.1f} ×")
    tabs = web_pages.tabs(scratch)
    print(
        f"  {web_pages.TABS} open tabs: {tabs.quiet_share:.2%} of a core without news, {tabs.fax_s:.2f} s for"
        f" each fax that comes in ({tabs.fetched} looks), so {tabs.share:.2%} with one every"
        f" {web_pages.FAX_EVERY_S:.0f} s; {tabs.threads:.2f} threads a tab"
    )
    for length in web_pages.lists(scratch, arguments.listed):
        print(
            f"  {length.path:<24} among {web_pages.SMALL:,} faxes {length.small_s * 1000:6.1f} ms, among"
            f" {arguments.listed:,} {length.large_s * 1000:6.1f} ms: {length.ratio:.2f} times"
        )


def _printing(arguments: argparse.Namespace, scratch: Path) -> None:
    _title(
        "Printing to fax", f"from the start of lp, medians of {printing.JOBS} jobs, a private cupsd, in turns"
    )
    made = printing.measure(scratch)
    print(
        f"  accepted by the box {made.accepted_s:.2f} s; CUPS with a backend that only keeps the document "
        f"{made.kept_s:.2f} s: {made.accepted_s - made.kept_s:.2f} s more\n"
        f"  pages made {made.ready_s:.2f} s; CUPS with gs -sDEVICE=tiffg4 as backend {made.gs_s:.2f} s: "
        f"{made.ready_s / made.gs_s:.2f} ×"
    )


def _image(arguments: argparse.Namespace, scratch: Path) -> None:
    _title("The image in the emulator", "one start of a guest of 512 MiB")
    made = image.measure() if os.geteuid() == 0 else None
    if made is None:
        print("  left out: needs root, and a base root file system that `make image` leaves in its cache")
        return
    print(
        f"  {made.image_mib:.0f} MiB, compressed {made.compressed_mib:.0f}\n"
        f"  Debian is up after {made.debian_s:.0f} s, the box answers after {made.answer_s:.0f}:"
        f" {made.answer_s / made.debian_s:.2f} times as long\n"
        f"  {made.used_mib:.0f} MiB of memory in use, of which the box {made.ours_mib:.0f}"
        f" and CUPS {made.printing_mib:.0f}"
    )


_PARTS = {
    "call-time": _call_time,
    "simulated": _simulated,
    "pacing": _pacing,
    "rendering": _rendering,
    "idle": _idle,
    "spool": _spool,
    "burst": _burst,
    "api": _api,
    "sip": _sip,
    "legibility": _legibility,
    "growth": _growth,
    "encrypting": _encrypting,
    "printing": _printing,
    "pages": _pages,
    "image": _image,
}


if __name__ == "__main__":
    main()
