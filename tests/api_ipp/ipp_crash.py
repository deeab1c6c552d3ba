"""The box is killed at each step of a print job in turn; the client, without a response, prints again.

``python -m tests.api_ipp.ipp_crash TEMPLATE TRIED``: for each step a copy of the folder TEMPLATE is made and
one process dies at that step; unless it had answered, the next process gets the same print again.  A line for
each step says how many faxes there are then.  A step is anything that changes files, or the
moment before the answer.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from appliance.api.ipp.book import JobBook
from appliance.api.ipp.call import Client, PrinterRequest
from appliance.api.ipp.operations import PrintService
from appliance.api.ipp.printers import printer_at
from appliance.api.ipp.words import Operation, Status
from appliance.configuration import open_box
from appliance.ipp import codec
from appliance.ipp.codec import Decoder
from appliance.ipp.model import GroupTag, Message
from appliance.spool.filters import JobFilter
from tests.api_ipp.requests import request, to
from tests.killed_at import die_at

CLIENT = Client(
    "ada",
    "127.0.0.1",
    lambda: "print",
    lambda: None,
    proved=False,
    base="ipp://box/ipp",
    web="http://box",
    security=("", ""),
)


def ask(service: PrintService, box: Any, octets: bytes, document: bytes = b"") -> Message:
    decoder = Decoder()
    decoder.feed(octets)
    assert decoder.message is not None
    printer = printer_at(box.settings, "/faxout")
    assert printer is not None
    answer = service.answer(PrinterRequest(decoder.message, printer, CLIENT, iter([document])))
    assert answer.code == Status.OK, answer
    return answer


def print_once(data: Path, told: int, *, at_once: bool, dies_at: int = 0) -> int:
    """Prints, writes to ``told`` after the response, and returns the number of faxes."""
    box = open_box(data)
    service = PrintService(box, JobBook(box))
    die_at(dies_at, "answer")
    name, document = codec.name("letter"), b"%PDF-1.4 a letter"
    if at_once:
        answer = ask(service, box, request(Operation.PRINT_JOB, to("tel:9990"), job_name=name), document)
    else:
        made = ask(service, box, request(Operation.CREATE_JOB, to("tel:9990"), job_name=name))
        number = made.group(GroupTag.JOB)["job-id"]
        last = codec.boolean(True)
        sent = request(Operation.SEND_DOCUMENT, job_id=number, last_document=last)
        answer = ask(service, box, sent, document)
    sys.audit("answer")
    os.write(told, b"answered")
    service.answered(answer)
    return len(box.faxes.search(JobFilter()))


def main() -> None:
    template, tried = Path(sys.argv[1]), Path(sys.argv[2])
    for at_once in (True, False):
        for dies_at in itertools.count(1):
            shutil.copytree(template, tried)
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                print_once(tried, writing, at_once=at_once, dies_at=dies_at)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            os.close(writing)
            answered = os.read(reading, 100)
            os.close(reading)
            child = os.fork()
            if not child:
                os.write(1, f"{faxes(tried, at_once=at_once, again=not answered)}\n".encode())
                os._exit(0)
            os.waitpid(child, 0)
            shutil.rmtree(tried)
            if not os.WIFSIGNALED(status):
                assert not status
                break


def faxes(data: Path, *, at_once: bool, again: bool) -> int:
    """How many there are, once the client has printed again where it must."""
    if again:
        return print_once(data, os.open(os.devnull, os.O_WRONLY), at_once=at_once)
    return len(open_box(data).faxes.search(JobFilter()))


if __name__ == "__main__":
    main()
