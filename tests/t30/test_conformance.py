"""What T.30 (and the test procedures of TSB-85) expect in each situation, as scripts of the far end."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from appliance.t4.coding import encode
from appliance.t4.page import Coding, Raster, Resolution
from appliance.t30.dce import Carrier, CarrierOff, CarrierOn, Frame
from appliance.t30.frames import Fcf, HdlcFrame
from appliance.t30.parameters import CallParameters, Capabilities, ReceivedPage, Role
from tests.t30.linked import Pages, Store
from tests.t30.script import Far, white_page

# What the far end can do, as FIFs of its DIS.
V27 = "000a00"  # V.27ter 4800, standard
V29 = "004e04"  # V.29 too, fine, B4 length
V17 = "006e04"
V27_ECM = "000af804"
V17_ECM = "0022f804"  # as DCS: V.17 14400
PLAIN = Capabilities(ecm=False)

OPENING = "hears CNG\nsays CED\n"
TRAINED = f"""
    hears CNG
    says CED
    says DIS={V27}
    hears TSI DCS={V27}
    hears tcf V27TER_4800
    says CFR
"""
PAGE_RECEIVED = f"""
    hears CED
    hears CSI DIS
    says DCS={V27}
    sends tcf V27TER_4800
    hears CFR
    sends page V27TER_4800
"""
ENDED = "\nhears end\n"

# name: (pages to send, cause, pages confirmed, script)
SENDS: dict[str, tuple[int, str, int, str]] = {
    "one page and EOP": (
        1,
        "delivered",
        1,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP+
        says MCF
        hears DCN+
        hears end""",
    ),
    "two pages with MPS": (
        2,
        "delivered",
        2,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears MPS+
        says MCF
        hears page V27TER_4800 long
        hears EOP
        says MCF
        hears DCN
        hears end""",
    ),
    "no V.21 within T0: DCN between 55 and 65 s": (
        1,
        "no_fax_answered",
        0,
        """
        hears CNG
        hears nothing 55
        by 65
        hears DCN
        hears end""",
    ),
    "V.21 late, and no DIS within T1 of it: DCN 30 to 40 s later": (
        1,
        "no_fax_answered",
        0,
        """
        hears CNG
        hears nothing 50
        says bad DIS=000a00
        hears nothing 28
        by 90
        hears DCN
        hears end""",
    ),
    "a person presses start after 50 s": (
        1,
        "hung_up_before_pages",
        0,
        """
        hears CNG
        hears nothing 50
        says CED
        says DIS=000a00
        hears TSI DCS
        hears tcf V27TER_4800
        drops""",
    ),
    "MCF and DCN in one burst after EOP": (
        1,
        "delivered",
        1,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP
        says MCF DCN
        hears end""",
    ),
    "DCN and MCF in one burst after EOP": (
        1,
        "delivered",
        1,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP
        says DCN MCF
        hears end""",
    ),
    "MCF and DCN in one burst after MPS": (
        2,
        "hung_up_after_page",
        1,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears MPS
        says MCF DCN
        hears end""",
    ),
    "RTN and DCN in one burst": (
        2,
        "hung_up_after_page",
        0,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears MPS
        says RTN DCN
        hears end""",
    ),
    "DIS late but within T1": (
        1,
        "hung_up_before_pages",
        0,
        """
        hears CNG
        hears nothing 29.9
        says CED
        says DIS=000a00
        hears TSI DCS
        hears tcf V27TER_4800
        drops""",
    ),
    "a receiver that cannot receive": (
        1,
        "cannot_receive",
        0,
        OPENING
        + """
        says DIS=000000
        hears DCN+
        hears end""",
    ),
    "DIS with a wrong FCS twice, then right": (
        1,
        "hung_up_before_pages",
        0,
        OPENING
        + """
        says bad DIS=000a00
        hears nothing 3.5
        says bad DIS=000a00
        hears nothing 3.5
        says DIS=000a00
        hears TSI DCS
        hears tcf V27TER_4800
        says DCN
        hears end""",
    ),
    "frames that do not exist before DIS": (
        1,
        "hung_up_before_pages",
        0,
        OPENING
        + """
        says raw 4540ad937ee6 ff0300
        says raw ff1300
        says flags
        hears nothing 1
        says NSF=adff00000000 CSI DIS=000a0880809080800000
        hears TSI DCS=000a08
        hears tcf V27TER_4800
        says DCN
        hears end""",
    ),
    "DCS and TCF three times, then DCN": (
        1,
        "training_unanswered",
        0,
        OPENING
        + """
        says DIS=004e04
        hears TSI DCS
        hears tcf V29_9600
        hears TSI DCS
        hears tcf V29_9600
        hears TSI DCS
        hears tcf V29_9600
        hears DCN
        hears end""",
    ),
    "DIS again and again in reply to DCS": (
        1,
        "command_not_understood",
        0,
        OPENING
        + """
        says DIS=004e04
        hears TSI DCS
        hears tcf V29_9600
        says DIS=000a00
        hears TSI DCS
        hears tcf V29_9600
        says DIS=000a00
        hears TSI DCS
        hears tcf V29_9600
        says DIS=000a00
        hears DCN
        hears end""",
    ),
    "CRP in reply to DCS": (
        1,
        "command_not_understood",
        0,
        OPENING
        + """
        says DIS=004e04
        hears TSI DCS
        hears tcf V29_9600
        says CRP
        hears TSI DCS
        hears tcf V29_9600
        says CRP
        hears TSI DCS
        hears tcf V29_9600
        says CRP
        hears DCN
        hears end""",
    ),
    "CFR with a wrong FCS: the training again": (
        2,
        "hung_up_after_page",
        0,
        OPENING
        + """
        says DIS=004e04
        hears TSI DCS
        hears tcf V29_9600
        says bad CFR
        hears TSI DCS
        hears tcf V29_9600
        says CFR
        hears page V29_9600 long
        drops""",
    ),
    "FTT all the way down the ladder": (
        1,
        "training_failed",
        0,
        OPENING
        + """
        says DIS=006e04
        hears TSI DCS=002200
        hears tcf V17_14400
        says FTT
        hears TSI DCS
        hears tcf V17_12000
        says FTT
        hears TSI DCS
        hears tcf V17_9600
        says FTT
        hears TSI DCS
        hears tcf V29_9600
        says FTT
        hears TSI DCS
        hears tcf V17_7200
        says FTT
        hears TSI DCS
        hears tcf V29_7200
        says FTT
        hears TSI DCS
        hears tcf V27TER_4800
        says FTT
        hears TSI DCS
        hears tcf V27TER_2400
        says FTT
        hears DCN
        hears end""",
    ),
    "V.17 trains short after its TCF, and long in the next TCF": (
        2,
        "delivered",
        2,
        OPENING
        + """
        says DIS=006e04
        hears TSI DCS
        hears tcf V17_14400
        says CFR
        hears page V17_14400 short
        hears MPS
        says RTP
        hears TSI DCS
        hears tcf V17_12000
        says CFR
        hears page V17_12000 short
        hears EOP
        says MCF
        hears DCN
        hears end""",
    ),
    "RTN to MPS: one rung down and the page again": (
        2,
        "delivered",
        2,
        OPENING
        + """
        says DIS=004e04
        hears TSI DCS
        hears tcf V29_9600
        says CFR
        hears page V29_9600 long
        hears MPS
        says RTN
        hears TSI DCS
        hears tcf V29_7200
        says CFR
        hears page V29_7200 long
        hears MPS
        says MCF
        hears page V29_7200 long
        hears EOP
        says MCF
        hears DCN
        hears end""",
    ),
    "RTN to EOP ends the call": (
        1,
        "page_refused",
        0,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP
        says RTN
        hears DCN
        hears end""",
    ),
    "RTP to EOP ends the call, and is no success": (
        1,
        "last_page_poor",
        1,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP
        says RTP
        hears DCN
        hears end""",
    ),
    "MPS three times, then the answer": (
        2,
        "last_page_unconfirmed",
        1,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears MPS
        says bad MCF
        hears MPS
        says CRP
        hears MPS
        says MCF
        hears page V27TER_4800 long
        drops""",
    ),
    "EOP three times without an answer": (
        1,
        "last_page_unconfirmed",
        0,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP
        hears EOP
        says flags
        hears EOP
        hears DCN
        hears end""",
    ),
    "DIS in place of a confirmation: the page goes again, three times at most": (
        1,
        "last_page_unconfirmed",
        0,
        TRAINED
        + f"""
        hears page V27TER_4800 long
        hears EOP
        says DIS={V27}
        hears TSI DCS
        hears tcf V27TER_4800
        says CFR
        hears page V27TER_4800 long
        hears EOP
        hears EOP
        says DIS={V27}
        hears TSI DCS
        hears tcf V27TER_4800
        says CFR
        hears page V27TER_4800 long
        hears EOP
        says DIS={V27}
        hears DCN
        hears end""",
    ),
    "MPS three times without an answer": (
        2,
        "answer_not_understood",
        0,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears MPS
        says bad MCF
        hears MPS
        hears MPS
        hears DCN
        hears end""",
    ),
    "a response that does not exist": (
        1,
        "last_page_unconfirmed",
        0,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP
        says raw ff1300
        hears DCN
        hears end""",
    ),
    "DCN in reply to the last page": (
        1,
        "last_page_unconfirmed",
        0,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP
        says DCN
        hears end""",
    ),
    "DCN in reply to a page between": (
        2,
        "hung_up_after_page",
        0,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears MPS
        says DCN
        hears end""",
    ),
    "the line goes down right after the last MCF": (
        1,
        "delivered",
        1,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP
        says MCF
        drops""",
    ),
    "PIN ends the call": (
        2,
        "operator_wanted",
        0,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears MPS
        says PIN
        hears DCN
        hears end""",
    ),
    "PIP to MPS: nobody here, on with the next page": (
        2,
        "last_page_unconfirmed",
        1,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears MPS
        says PIP
        hears page V27TER_4800 long
        drops""",
    ),
}

ECM_TRAINED = f"""
    hears CNG
    says CED
    says DIS={V27_ECM}
    hears TSI DCS=000af804
    hears tcf V27TER_4800
    says CFR
    hears block V27TER_4800 long 6
"""
# Three PPRs with the same map.
PPRS = (
    """
        hears PPS
        says PPR={fif}
        hears block {rate} long {count}"""
    * 3
)
SENDS_ECM: dict[str, tuple[int, str, int, str]] = {
    "ECM: two pages": (
        2,
        "delivered",
        2,
        ECM_TRAINED
        + """
        hears PPS+=4f000005
        says MCF
        hears block V27TER_4800 long 6
        hears PPS=2f010005
        says MCF
        hears DCN
        hears end""",
    ),
    "ECM: PPR for some frames and for some that are not": (
        1,
        "delivered",
        1,
        ECM_TRAINED
        + """
        hears PPS=2f000005
        says PPR=05"""
        + "ff" * 31
        + """
        hears block V27TER_4800 long 2
        hears PPS=2f000001
        says MCF
        hears DCN
        hears end""",
    ),
    "ECM: four PPR in vain, CTC at the lower rate, four more, EOR": (
        1,
        "ecm_gave_up",
        0,
        ECM_TRAINED
        + PPRS.format(fif="3f", rate="V27TER_4800", count=6)
        + """
        hears PPS
        says PPR=3f
        hears CTC+=0000
        says CTR
        hears block V27TER_2400 long 6"""
        + PPRS.format(fif="3f", rate="V27TER_2400", count=6)
        + """
        hears PPS
        says PPR=3f
        hears EOR+=2f
        says ERR
        hears DCN
        hears end""",
    ),
    "ECM: four PPR, half got through, but no repeat did: CTC at the lower rate": (
        1,
        "delivered",
        1,
        ECM_TRAINED
        + PPRS.format(fif="07", rate="V27TER_4800", count=3)
        + """
        hears PPS
        says PPR=07
        hears CTC+=0000
        says CTR
        hears block V27TER_2400 long 3
        hears PPS
        says MCF
        hears DCN
        hears end""",
    ),
    "ECM: four PPR, half got through: CTC at the same rate; then nothing more: EOR": (
        1,
        "ecm_gave_up",
        0,
        ECM_TRAINED
        + """
        hears PPS
        says PPR=0f
        hears block V27TER_4800 long 4
        hears PPS
        says PPR=0f
        hears block V27TER_4800 long 4
        hears PPS
        says PPR=0f
        hears block V27TER_4800 long 4
        hears PPS
        says PPR=07
        hears CTC+=0008
        says CTR
        hears block V27TER_4800 long 3"""
        + PPRS.format(fif="07", rate="V27TER_4800", count=3)
        + """
        hears PPS
        says PPR=07
        hears EOR+=2f
        says ERR
        hears DCN
        hears end""",
    ),
    "ECM: four PPR, one of six got through: CTC at the lower rate": (
        1,
        "delivered",
        1,
        ECM_TRAINED
        + PPRS.format(fif="1f", rate="V27TER_4800", count=5)
        + """
        hears PPS
        says PPR=1f
        hears CTC=0000
        hears CTC=0000
        says CTR
        hears block V27TER_2400 long 5
        hears PPS
        says MCF
        hears DCN
        hears end""",
    ),
    "ECM: a PPR that asks for nothing that exists: the last frame goes again": (
        1,
        "delivered",
        1,
        ECM_TRAINED
        + """
        hears PPS=2f000005
        says PPR=00
        hears block V27TER_4800 long 1
        hears PPS=2f000000
        says PPR=00"""
        + "ff" * 31
        + """
        hears block V27TER_4800 long 1
        hears PPS
        says MCF
        hears DCN
        hears end""",
    ),
    "ECM: not ready for a while": (
        1,
        "delivered",
        1,
        ECM_TRAINED
        + """
        hears PPS
        says RNR
        hears RR+
        says RNR
        hears RR
        hears RR
        says MCF
        hears DCN
        hears end""",
    ),
    "ECM: not ready for more than T5": (
        1,
        "receiver_busy_too_long",
        0,
        ECM_TRAINED
        + """
        hears PPS
        says RNR
    """
        + """
        hears RR
        waits 1.6
        says RNR"""
        * 16
        + """
        hears DCN
        hears end""",
    ),
    "ECM: ready at last when T5 has just elapsed": (
        1,
        "delivered",
        1,
        ECM_TRAINED
        + """
        hears PPS
        says RNR
    """
        + """
        hears RR
        waits 1.6
        says RNR"""
        * 15
        + """
        hears RR
        waits 1.6
        says MCF
        hears DCN
        hears end""",
    ),
    "ECM: DIS in place of a confirmation: the page goes again from its training on": (
        1,
        "delivered",
        1,
        ECM_TRAINED
        + f"""
        hears PPS
        says PPR=03
        hears block V27TER_4800 long 2
        hears PPS
        says DIS={V27_ECM}
        hears TSI DCS=000af804
        hears tcf V27TER_4800
        says CFR
        hears block V27TER_4800 long 6
        hears PPS=2f000005
        says MCF
        hears DCN
        hears end""",
    ),
    "ECM: PPS three times without an answer": (
        1,
        "last_page_unconfirmed",
        0,
        ECM_TRAINED
        + """
        hears PPS
        hears PPS
        hears PPS
        hears DCN
        hears end""",
    ),
    "ECM: RR three times without an answer": (
        1,
        "last_page_unconfirmed",
        0,
        ECM_TRAINED
        + """
        hears PPS
        says RNR
        hears RR
        hears RR
        hears RR
        hears DCN
        hears end""",
    ),
}

# name: (cause, pages confirmed, script)
RECEIVES: dict[str, tuple[str, int, str]] = {
    "one page": (
        "received",
        1,
        PAGE_RECEIVED
        + """
        says EOP
        hears MCF-
        says DCN
        hears end""",
    ),
    "DIS until T1, then DCN": (
        "no_sender_heard",
        0,
        """
        hears CED
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        by 43                    # 3 s of CED, T1 of 35 s, and the last DIS
        hears DCN-
        hears end""",
    ),
    "a person at the other end presses start after 25 s": (
        "received",
        1,
        f"""
        hears CED
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        sends page V27TER_4800
        says EOP
        hears MCF
        says DCN
        hears end""",
    ),
    "CNG starts T1 anew": (
        "no_sender_heard",
        0,
        """
        hears CED
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        sounds CNG
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        hears CSI DIS
        by 80
        hears DCN
        hears end""",
    ),
    "DCN in reply to DIS": (
        "no_pages_came",
        0,
        """
        hears CED
        hears CSI DIS
        says DCN
        hears end""",
    ),
    "DCS with a wrong FCS and its TCF: DIS again": (
        "received",
        1,
        f"""
        hears CED
        hears CSI DIS
        says bad DCS={V27}
        sends tcf V27TER_4800
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        sends page V27TER_4800
        says EOP
        hears MCF
        says DCN
        hears end""",
    ),
    "CRP in reply to DIS": (
        "no_pages_came",
        0,
        """
        hears CED
        hears CSI DIS
        says CRP
        hears CSI DIS
        says CRP
        hears CSI DIS
        says DCN
        hears end""",
    ),
    "garbage before a DCS, in its burst": (
        "hung_up_during_page",
        0,
        """
        hears CED
        hears CSI DIS
        says raw 4540ad937ee6 ff0300 ff1382000a00
        sends tcf V27TER_4800
        hears CFR
        says raw ff13fb
        hears end""",
    ),
    "DCS without TCF: FTT": (
        "no_pages_came",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        hears FTT-
        says DCS={V27}
        hears FTT
        says DCN
        hears end""",
    ),
    "noise for a TCF: FTT": (
        "no_pages_came",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends bad tcf V27TER_4800
        hears FTT
        says DCN
        hears end""",
    ),
    "a TCF at another rate: FTT": (
        "no_pages_came",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_2400
        hears FTT
        says DCN
        hears end""",
    ),
    "DCS and TCF again after CFR": (
        "hung_up_during_page",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        says DCS+={V27}
        sends tcf V27TER_4800
        hears CFR
        says bad DCS={V27}
        sends tcf V27TER_4800
        hears nothing 3.4
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        drops""",
    ),
    "five seconds of silence before and after a page": (
        "received",
        1,
        f"""
        hears CED
        hears CSI DIS
        waits 2.55
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        waits 5
        sends page V27TER_4800
        waits 5
        says EOP
        hears MCF
        says DCN
        hears end""",
    ),
    "no page after CFR: DCN after T2": (
        "page_never_came",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        hears nothing 5
        hears DCN
        hears end""",
    ),
    "no command after a page: DCN after T2": (
        "sender_went_silent",
        0,
        PAGE_RECEIVED
        + """
        hears nothing 5
        hears DCN
        hears end""",
    ),
    "commands with a wrong FCS are not answered": (
        "received",
        2,
        PAGE_RECEIVED
        + """
        says bad MPS
        hears nothing 6.1
        says bad MPS
        hears nothing 6.1
        says MPS
        hears MCF
        sends page V27TER_4800
        says bad EOP
        hears nothing 3.4
        says EOP
        hears MCF
        says DCN
        hears end""",
    ),
    "commands repeated: MCF again, the page counted once": (
        "received",
        2,
        PAGE_RECEIVED
        + """
        says MPS
        hears MCF
        says MPS
        hears MCF
        waits 3
        says MPS
        hears MCF
        sends page V27TER_4800
        says EOP
        hears MCF
        says EOP
        hears MCF
        says DCN
        hears end""",
    ),
    "another command without a page is no repeat": (
        "sender_gave_up",
        1,
        PAGE_RECEIVED
        + """
        says MPS
        hears MCF
        says EOP
        hears RTN
        says DCN
        hears end""",
    ),
    "the same command long after its answer is no repeat": (
        "sender_gave_up",
        1,
        PAGE_RECEIVED
        + """
        says MPS
        hears MCF
        waits 5
        says MPS
        hears RTN
        says DCN
        hears end""",
    ),
    "CRP or RR after a page does not bring the last page's MCF": (
        "received",
        2,
        PAGE_RECEIVED
        + """
        says MPS
        hears MCF
        sends page V27TER_4800
        says CRP
        hears nothing 1
        says RR
        hears nothing 1
        says EOP
        hears MCF
        says DCN
        hears end""",
    ),
    "EOM: MCF, and DIS after T2": (
        "received",
        2,
        PAGE_RECEIVED
        + f"""
        says EOM
        hears MCF
        says EOM
        hears MCF
        hears nothing 5
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        sends page V27TER_4800
        says EOP
        hears MCF
        says DCN
        hears end""",
    ),
    "PRI-EOP is EOP here": (
        "received",
        1,
        PAGE_RECEIVED
        + """
        says PRI_EOP
        hears MCF
        says DCN
        hears end""",
    ),
    "a far end gone after the last MCF is no fault": (
        "received",
        1,
        PAGE_RECEIVED
        + """
        says EOP
        hears MCF
        drops""",
    ),
    "no DCN after the last MCF is no fault": (
        "received",
        1,
        PAGE_RECEIVED
        + """
        says EOP
        hears MCF
        hears end""",
    ),
    "a page with 7 % bad rows: RTP and training again": (
        "sender_gave_up",
        1,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        sends page V27TER_4800 poor
        says MPS
        hears RTP-
        says DCS=000200
        sends tcf V27TER_2400
        hears CFR
        sends page V27TER_2400 bad
        says EOP
        hears RTN
        says DCN
        hears end""",
    ),
    "a page cut before RTC is never confirmed": (
        "sender_gave_up",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        sends page V27TER_4800 cut
        says EOP
        hears RTN-
        says EOP
        hears RTN
        says DCN
        hears end""",
    ),
    "a command without its page is never confirmed": (
        "sender_gave_up",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        says EOP
        hears RTN
        says DCN
        hears end""",
    ),
    "4.9 s of fill in one line": (
        "received",
        1,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        sends page V27TER_4800 4.9
        says EOP
        hears MCF
        says DCN
        hears end""",
    ),
    "5.1 s of fill in one line: the call ends": (
        "scan_line_too_long",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        sends page V27TER_4800 5.1
        hears end""",
    ),
    "a DCS for what was not offered": (
        "bad_command",
        0,
        """
        hears CED
        hears CSI DIS
        says DCS=000af804
        hears DCN
        hears end""",
    ),
    "a DCS with a rate that does not exist": (
        "bad_command",
        0,
        """
        hears CED
        hears CSI DIS
        says DCS=001e00
        hears DCN
        hears end""",
    ),
    "DTC with nothing on offer": (
        "nothing_on_offer",
        0,
        """
        hears CED
        hears CSI DIS
        says DTC=000a00
        hears DCN-
        hears end""",
    ),
    "a TCF that does not train, then one that does": (
        "hung_up_during_page",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        misses
        hears FTT
        says DCS={V27}
        misses
        sends tcf V27TER_4800
        hears CFR
        drops""",
    ),
    "a page that does not train: V.21 is listened to, RTN": (
        "sender_gave_up",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        misses
        says EOP
        hears RTN
        says DCN
        hears end""",
    ),
    "a page that does not train lasts longer than T2": (
        "sender_gave_up",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR
        misses
        waits 30
        says MPS
        hears RTN
        says DCN
        hears end""",
    ),
    "an endless page": (
        "page_too_large",
        0,
        PAGE_RECEIVED.replace("sends page", "begins") + "more 20\n" * 181 + "hears end",
    ),
    "DCS and a bad TCF for ever": (
        "training_not_received",
        0,
        """
        hears CED
        hears CSI DIS"""
        + f"""
        says DCS={V27}
        sends bad tcf V27TER_4800
        hears FTT"""
        * 6
        + f"""
        says DCS={V27}
        hears DCN
        hears end""",
    ),
    "silence after FTT": (
        "page_never_came",
        0,
        f"""
        hears CED
        hears CSI DIS
        says DCS={V27}
        sends bad tcf V27TER_4800
        hears FTT
        hears nothing 8
        hears DCN
        hears end""",
    ),
    "an answer that is asked for without end": (
        "protocol_garbage",
        1,
        PAGE_RECEIVED
        + """
        says MPS
        hears MCF"""
        + """
        says CRP
        hears MCF"""
        * 12
        + """
        says CRP
        hears DCN
        hears end""",
    ),
    "DIS in place of DTC with nothing on offer": (
        "nothing_on_offer",
        0,
        """
        hears CED
        hears CSI DIS
        says DIS=000a00
        hears DCN+
        hears end""",
    ),
}

ECM_READY = f"""
    hears CED
    hears CSI DIS
    says DCS={V27_ECM}
    sends tcf V27TER_4800
    hears CFR
"""
ONES = "ff" * 31
RECEIVES_ECM: dict[str, tuple[str, int, str]] = {
    "ECM: a page": (
        "received",
        1,
        ECM_READY
        + """
        sends block V27TER_4800 6
        says PPS=2e000005
        hears MCF
        says PPS=2e000005
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: frames of 256 octets where the DCS said 64": (
        "received",
        1,
        ECM_READY.replace(V27_ECM, "000af80c")
        + """
        sends block V27TER_4800 6
        says PPS=2e000005
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: PPR, bits behind the last frame set": (
        "received",
        1,
        ECM_READY
        + f"""
        sends block V27TER_4800 6 but 0 3
        says PPS=2e000005
        hears PPR-=c9{ONES}
        sends block V27TER_4800 6 but 3
        says PPS=2e000005
        hears PPR=c8{ONES}
        sends block V27TER_4800 6
        says PPS=2e000000
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: a block whose frames were all lost": (
        "received",
        1,
        ECM_READY
        + f"""
        says PPS=2e000005
        hears PPR=ff{ONES}
        sends block V27TER_4800 6
        says PPS=2e000005
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: a PPS that counts too few frames": (
        "received",
        1,
        ECM_READY
        + f"""
        sends block V27TER_4800 6 but 2
        says PPS=2e000001
        hears PPR=c4{ONES}
        sends block V27TER_4800 6
        says PPS=2e000001
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: two equal pages from a machine that never counts": (
        "hung_up_during_page",
        2,
        ECM_READY
        + """
        sends block V27TER_4800 6
        says PPS=4e000005
        hears MCF
        sends block V27TER_4800 6
        says PPS=4e000005
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: frames all lost of a page that is numbered like the one before: PPR, never MCF": (
        "hung_up_during_page",
        1,
        ECM_READY
        + f"""
        sends block V27TER_4800 6
        says PPS=4e000005
        hears MCF
        sends block V27TER_4800 6 but 0 1 2 3 4 5
        says PPS=4e000005
        hears PPR=ff{ONES}
        says DCN
        hears end""",
    ),
    "ECM: a page numbered like one before it in another document is another": (
        "received",
        2,
        ECM_READY
        + f"""
        sends block V27TER_4800 6
        says PPS=8e000005
        hears MCF
        hears CSI DIS
        says DCS={V27_ECM}
        sends tcf V27TER_4800
        hears CFR
        says PPS=2e000005
        hears PPR=ff{ONES}
        sends block V27TER_4800 6
        says PPS=2e000005
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: CTC and on at the lower rate": (
        "received",
        1,
        ECM_READY
        + f"""
        sends block V27TER_4800 6 but 0
        says PPS=2e000005
        hears PPR=c1{ONES}
        says CTC=0000
        hears CTR-
        says CTC=0000
        hears CTR-
        sends block V27TER_2400 6
        says PPS=2e000005
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: EOR-EOP: the page is lost and the call no success": (
        "ecm_gave_up",
        0,
        ECM_READY
        + """
        sends block V27TER_4800 6 but 0
        says PPS=2e000005
        hears PPR
        says EOR=2e
        hears ERR-
        says DCN
        hears end""",
    ),
    "ECM: EOR-MPS, then a whole page": (
        "ecm_gave_up",
        1,
        ECM_READY
        + """
        sends block V27TER_4800 6 but 0
        says PPS=4e000005
        hears PPR
        says EOR=4e
        hears ERR
        sends block V27TER_4800 6
        says PPS=2e000005
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: EOR-NULL: the page has a hole and is not kept": (
        "ecm_gave_up",
        0,
        ECM_READY
        + """
        sends block V27TER_4800 6 but 0
        says PPS=00000005
        hears PPR
        says EOR=00
        hears ERR
        sends block V27TER_4800 6
        says PPS=2e000005
        hears MCF
        says DCN
        hears end""",
    ),
    "ECM: CTC, EOR and PPS that make no sense": (
        "hung_up_during_page",
        0,
        ECM_READY
        + """
        sends block V27TER_4800 6 but 0
        says PPS=2e000005
        hears PPR
        says CTC=001c
        says CTC=00
        says EOR=8c
        says PPS=2e
        says DCN
        hears end""",
    ),
    "ECM: one block asked for again without end": (
        "protocol_garbage",
        0,
        ECM_READY
        + """
        says PPS=2e000005
        hears PPR"""
        * 64
        + """
        says PPS=2e000005
        hears DCN
        hears end""",
    ),
    "ECM: EOP without PPS means nothing": (
        "protocol_garbage",
        0,
        ECM_READY
        + """
        sends block V27TER_4800 6
        says EOP
        hears DCN
        hears end""",
    ),
}


def _pages(count: int) -> Pages:
    return Pages([white_page() for _ in range(count)])


def _play(far: Far, script: str, cause: str) -> None:
    result = far.run(script)
    assert result.cause.code == cause, far.account()


@pytest.mark.parametrize("name", SENDS)
def test_the_sender_follows_each_script_without_ecm(name: str) -> None:
    count, cause, confirmed, script = SENDS[name]
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN), _pages(count))
    _play(far, script, cause)
    assert far.call.result is not None
    assert far.call.result.pages_sent == confirmed


@pytest.mark.parametrize("name", SENDS_ECM)
def test_the_sender_follows_each_script_with_ecm(name: str) -> None:
    count, cause, confirmed, script = SENDS_ECM[name]
    far = Far(CallParameters(Role.CALLS, "+1"), _pages(count))
    _play(far, script, cause)
    assert far.call.result is not None
    assert far.call.result.pages_sent == confirmed


NULL_SAID = """
        hears block V27TER_4800 long 256
        hears PPS=000000ff"""


@pytest.mark.parametrize(("reply", "again"), [("MCF", False), ("PIP", False), ("RTP", True), ("RTN", True)])
@pytest.mark.parametrize("busy", ["", "says RNR\nhears RR"])
def test_a_page_goes_on_or_again_after_any_answer_to_its_block(reply: str, busy: str, again: bool) -> None:
    """No answer to a block confirms the page, whose other blocks have not been sent."""
    octets = random.Random(1).randbytes(216 * 180)
    two_blocks = encode(Raster(1728, 180, octets, Resolution.STANDARD), Coding.MH)
    far = Far(CallParameters(Role.CALLS, "+1"), Pages([two_blocks, white_page()]))
    trained_anew = """
        hears TSI DCS=0002f804
        hears tcf V27TER_2400
        says CFR""" + NULL_SAID.replace("4800", "2400")
    rate = "V27TER_2400" if again else "V27TER_4800"
    script = f"""
        {busy}
        says {reply}
        {trained_anew if again else ""}
        {"says MCF" if again else ""}
        hears block {rate} long {-(-len(two_blocks.data) // 256) - 256}
        hears PPS=4f0001..
        says MCF
        hears block {rate} long 6
        hears PPS=2f0100..
        says MCF
        hears DCN
        hears end"""
    _play(far, ECM_TRAINED.rpartition("hears block")[0] + NULL_SAID + script, "delivered")


GARBLED_DIS = "says bad DIS=000a00\nwaits 3\n"


@pytest.mark.parametrize("end", ["hears DCN\nhears end", "drops"])
@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (GARBLED_DIS * 7, "fax_not_understood"),
        ("says DIS=\nwaits 3\nsays DIS=00\nwaits 3\n" * 4, "fax_not_understood"),
        ("says CSI\nwaits 3\n" * 7, "fax_not_understood"),
        (GARBLED_DIS * 2, "no_fax_answered"),  # a voice may do as much
    ],
)
def test_a_machine_that_was_heard_is_not_said_to_be_none(said: str, cause: str, end: str) -> None:
    """Numbers without a machine are not called again."""
    _play(Far(CallParameters(Role.CALLS, "+1", PLAIN), _pages(1)), OPENING + said + end, cause)


def test_a_dis_that_says_nothing_is_waited_out() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN), _pages(1))
    script = f"says DIS=00\nwaits 3\nsays DIS={V27}\nhears TSI DCS\nhears tcf V27TER_4800\ndrops"
    _play(far, OPENING + script, "hung_up_before_pages")


@pytest.mark.parametrize("reply", ["MCF", "RTN"])
def test_a_receiver_that_falls_silent_is_not_said_to_have_hung_up(reply: str) -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, documents_begin=frozenset({1})), _pages(2))
    script = f"""
        hears page V27TER_4800 long
        hears EOM
        says {reply}
        hears nothing 30
        hears DCN
        hears end"""
    _play(far, TRAINED + script, "receiver_went_silent")


@pytest.mark.parametrize(
    "after", ["bad\nsays MPS\nhears RTN", "\nsays EOM\nhears MCF" + "\nhears CSI DIS" * 7]
)
def test_a_sender_that_falls_silent_is_not_said_to_have_ended_the_call(after: str) -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN))
    script = f"sends page V27TER_4800 {after}\nhears DCN\nhears end"
    _play(far, PAGE_RECEIVED.rpartition("sends page")[0] + script, "page_never_came")


# What comes in place of an answer, and what is told of it; None: the far end is silent.
NO_ANSWERS = [
    ("", None),
    ("says bad MCF", "answer_not_understood"),
    ("says CSI", "answer_not_understood"),
    (f"says DTC={V27}", "command_not_understood"),
    ("says CRP", "command_not_understood"),
    ("says CTR", "protocol_garbage"),
    (f"says DCS={V27}", None),  # an echo of ours
]
PAGE_SENT = TRAINED + "hears page V27TER_4800 long\n"


@pytest.mark.parametrize(("answer", "cause"), NO_ANSWERS)
@pytest.mark.parametrize(
    ("before", "command", "silence"),
    [
        (OPENING + f"says DIS={V27}\n", "hears TSI DCS\nhears tcf V27TER_4800\n", "training_unanswered"),
        (PAGE_SENT, "hears MPS\n", "page_unconfirmed"),
        (ECM_TRAINED, "hears PPS\n", "page_unconfirmed"),
        (ECM_TRAINED + "hears PPS\nsays RNR\n", "hears RR\n", "receiver_went_silent"),
    ],
)
def test_what_was_heard_in_place_of_an_answer_is_told(
    before: str, command: str, silence: str, answer: str, cause: str | None
) -> None:
    """A far end that answers is not said to be silent."""
    far = Far(CallParameters(Role.CALLS, "+1", Capabilities(ecm="PPS" in before + command)), _pages(2))
    script = before + f"{command}{answer}\n" * 3 + "hears DCN\nhears end"
    _play(far, script, cause or silence)


@pytest.mark.parametrize("name", RECEIVES)
def test_the_receiver_follows_each_script_without_ecm(name: str) -> None:
    cause, confirmed, script = RECEIVES[name]
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN))
    _play(far, script, cause)
    assert far.call.result is not None
    assert far.call.result.pages_received == confirmed == len(far.store.pages)


@pytest.mark.parametrize("name", RECEIVES_ECM)
def test_the_receiver_follows_each_script_with_ecm(name: str) -> None:
    cause, confirmed, script = RECEIVES_ECM[name]
    far = Far(CallParameters(Role.ANSWERS, "+2"))
    _play(far, script, cause)
    assert far.call.result is not None
    assert far.call.result.pages_received == confirmed == len(far.store.pages)
    for received in far.store.pages:
        assert received.page == white_page(), "the page is not what was sent"


@pytest.mark.parametrize("end", ["4e", "2e"])
def test_page_that_never_came_is_not_confirmed_to_a_transmitter_that_does_not_count(end: str) -> None:
    """Its PPS has the numbers of the page before; a repeated one would say the same, and come sooner."""
    far = Far(CallParameters(Role.ANSWERS, "+2"))
    script = f"""
        sends block V27TER_4800 6
        says PPS=4e000005
        hears MCF
        misses
        waits {4.2 if end == "4e" else 2}
        says PPS={end}000005
        hears PPR
        sends block V27TER_4800 6
        says PPS={end}000005
        hears MCF
        drops"""
    far.run(ECM_READY + script)
    assert len(far.store.pages) == 2


def test_confirmation_of_a_page_is_repeated_at_any_time_to_a_transmitter_that_counts() -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2"))
    script = """
        sends block V27TER_4800 6
        says PPS=4e000005
        hears MCF
        waits 2
        says PPS=4e000005
        hears MCF
        sends block V27TER_4800 6
        says PPS=4e010005
        hears MCF
        waits 4.2
        says PPS=4e010005
        hears MCF
        drops"""
    far.run(ECM_READY + script)
    assert len(far.store.pages) == 2


@pytest.mark.parametrize(
    "commands",
    ["says MPS", "says PRI_EOP", "says PPS=2e00", "says PPS=55000005", "says EOR=55", "says CTC=00"],
)
@pytest.mark.parametrize("page", ["", "sends block V27TER_4800 6\n"])
def test_who_says_what_cannot_be_obeyed_is_not_said_to_be_silent(commands: str, page: str) -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2"))
    script = ECM_READY + page + f"{commands}\nwaits 2\n{commands}\nhears DCN\nhears end"
    _play(far, script, "protocol_garbage")


@pytest.mark.parametrize("command", ["MPS", "EOM", "PRI_MPS", "PRI_EOM", "PRI_EOP", "EOS"])
@pytest.mark.parametrize(("quality", "reply"), [("good", "MCF"), ("poor", "RTP"), ("bad", "RTN")])
def test_a_command_that_is_repeated_gets_its_answer_again(command: str, quality: str, reply: str) -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN))
    script = f"""
        sends page V27TER_4800 {quality}
        says {command}
        hears {reply}
        waits 2
        says {command}
        hears {reply}
        drops"""
    far.run(PAGE_RECEIVED.rpartition("sends page")[0] + script)
    assert len(far.store.pages) == (reply != "RTN")


@dataclass
class LateStore(Store):
    stored: Callable[[bool], None] = print

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        self.pages.append(page)
        self.stored = stored


class FarWithLateStore(Far):
    """Knows ``stores``, too: it says this command, and during it the page received before becomes durable."""

    store: LateStore

    def _stores(self, words: list[str]) -> None:
        self._event(CarrierOn(Carrier.V21))
        self.store.stored(True)
        self._event(Frame(HdlcFrame(Fcf[words[0]]).encode(), True), 1.0)
        self._event(CarrierOff(), 0.1)


@pytest.mark.parametrize("command", ["MPS", "PRI_MPS", "PRI_EOM", "PRI_EOP", "EOS"])
def test_a_command_that_is_repeated_while_the_page_is_stored_gets_its_answer(command: str) -> None:
    """The page becomes durable while the command comes for the second time."""
    store = LateStore()
    far = FarWithLateStore(CallParameters(Role.ANSWERS, "+2", PLAIN), store=store)
    far.run(PAGE_RECEIVED + f"says {command}\nwaits 2\nstores {command}\nhears MCF\ndrops")
    assert len(far.store.pages) == 1


def test_rr_and_eor_that_are_repeated_after_eom_get_their_answer_again() -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2"))
    script = """
        sends block V27TER_4800 6
        says PPS=8e000005
        hears MCF
        waits 2
        says RR
        hears MCF
        says DCS=000af804
        sends tcf V27TER_4800
        hears CFR
        sends block V27TER_4800 6 but 0
        says PPS=8e000005
        hears PPR
        says EOR=8e
        hears ERR
        waits 2
        says EOR=8e
        hears ERR
        drops"""
    far.run(ECM_READY + script)


@pytest.mark.parametrize("block", ["0002", "00ff", "0101"])
def test_ecm_block_behind_one_that_never_came_is_not_confirmed(block: str) -> None:
    """The transmitter took a repeated MCF for that of the block between them."""
    far = Far(CallParameters(Role.ANSWERS, "+2"))
    script = f"""
        sends block V27TER_4800 6
        says PPS=00000005
        hears MCF
        sends block V27TER_4800 6
        says PPS=2e{block}05
        hears nothing 2
        says DCN
        hears end"""
    _play(far, ECM_READY + script, "sender_gave_up")
    assert far.store.pages == []


@pytest.mark.parametrize("block", ["0000", "0001"])
def test_ecm_block_that_comes_again_is_taken_once(block: str) -> None:
    """Its MCF was lost, and the transmitter sends the whole block again, not only its PPS."""
    end = "00" if block == "0000" else "4e"
    far = Far(CallParameters(Role.ANSWERS, "+2"))
    before = (
        ECM_READY
        + """
        sends block V27TER_4800 6
        says PPS=00000005
        hears MCF"""
        * (block == "0001")
    )
    once = f"""
        sends block V27TER_4800 6
        says PPS={end}{block}05
        hears MCF"""
    last = """
        sends block V27TER_4800 6
        says PPS=2e000105
        hears MCF
        says DCN
        hears end"""
    if block == "0001":
        last = last.replace("0001", "0100")
    _play(far, before + once * 2 + last, "received")
    blocks = [len(p.page.data) for p in far.store.pages if not isinstance(p.page, Raster)]
    assert len(far.store.pages) == (1 if block == "0000" else 2), far.account()
    assert 11 * 256 < blocks[0] <= 12 * 256, "each of two blocks is in the page once"


def test_last_page_goes_again_after_rtn_when_the_owner_wants_it() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, resend_last_page=True), _pages(1))
    _play(
        far,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears EOP
        says RTN
        hears TSI DCS
        hears tcf V27TER_2400
        says CFR
        hears page V27TER_2400 long
        hears EOP
        says MCF
        hears DCN
        hears end""",
        "delivered",
    )


def test_page_that_is_refused_each_time_ends_the_call() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN), _pages(2))
    once = """
        hears TSI DCS
        hears tcf V27TER_2400
        says CFR
        hears page V27TER_2400 long
        hears MPS
        says RTN"""
    _play(
        far,
        TRAINED
        + """
        hears page V27TER_4800 long
        hears MPS
        says RTN"""
        + once * 2
        + """
        hears DCN
        hears end""",
        "page_refused",
    )


@pytest.mark.parametrize("reply", ["MCF", "RTP", "RTN"])
def test_after_eom_the_sender_waits_for_dis_and_keeps_its_rate_but_after_rtn(reply: str) -> None:
    """A page of another coding needs a new DCS, so EOM ends the one before it."""
    far = Far(
        CallParameters(Role.CALLS, "+1", PLAIN),
        Pages([white_page(), white_page(coding=Coding.MR), white_page(coding=Coding.MR)]),
    )
    rate = "V29_7200" if reply == "RTN" else "V29_9600"
    _play(
        far,
        OPENING
        + f"""
        says DIS=00ce04
        hears TSI DCS
        hears tcf V29_9600
        says CFR
        hears page V29_9600 long
        hears EOM
        says {reply}
        hears nothing 7
        says DIS=00ce04
        hears TSI DCS
        hears tcf {rate}
        drops""",
        "hung_up_after_page",
    )


# -- polling -----------------------------------------------------------------------------------

POLL_DIS = "000108"


def test_a_poll_ends_where_the_far_end_offers_nothing() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, poll=True))
    _play(
        far,
        OPENING
        + """
        says DIS=000208
        hears DCN+
        hears end""",
        "nothing_to_poll",
    )


def test_a_poll_fetches_the_pages_of_the_far_end() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, poll=True))
    _play(
        far,
        OPENING
        + """
        says DIS=000108
        hears CIG DTC
        says DCS=000200
        sends tcf V27TER_2400
        hears CFR+
        sends page V27TER_2400
        says MPS
        hears MCF+
        sends page V27TER_2400
        says EOP
        hears MCF
        says DCN
        hears end""",
        "received",
    )
    assert len(far.store.pages) == 2


def test_a_poll_tells_password_and_document_name_before_dtc() -> None:
    parameters = CallParameters(Role.CALLS, "+1", PLAIN, poll=True, password="55", selective_polling="7")
    far = Far(parameters)
    _play(
        far,
        OPENING
        + """
        says DIS=0001888080c002
        hears CIG PWD=3535.. SEP=37.. DTC
        says DCN
        hears end""",
        "poll_refused",
    )


def test_a_poll_tells_its_non_standard_facilities_before_dtc() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, poll=True, nsf=b"\xad\xff\x01"))
    _play(
        far,
        OPENING
        + """
        says DIS=000188
        hears NSC=adff01 CIG DTC
        says DCN
        hears end""",
        "poll_refused",
    )


def test_poll_with_password_is_not_made_where_it_would_not_be_understood() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, poll=True, password="55"))
    _play(
        far,
        OPENING
        + """
        says DIS=000108
        hears DCN
        hears end""",
        "cannot_take_password",
    )


def test_dtc_is_sent_three_times_before_the_poll_is_given_up() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, poll=True))
    _play(
        far,
        OPENING
        + """
        says DIS=000108
        hears CIG DTC
        hears CIG DTC
        says DIS=000108
        hears CIG DTC
        hears DCN
        hears end""",
        "poll_refused",
    )


@pytest.mark.parametrize(("ask", "x"), [("DTC=000a08", "-"), ("DIS=000a08", "+")])
def test_polled_station_sends_its_pages(ask: str, x: str) -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN, offers_pages=True), _pages(2))
    _play(
        far,
        f"""
        hears CED
        hears CSI DIS
        says {ask}
        hears TSI{x} DCS{x}=000a08
        hears tcf V27TER_4800
        says CFR
        hears page V27TER_4800 long
        hears MPS{x}
        says MCF
        hears page V27TER_4800 long
        hears EOP{x}
        says MCF
        hears DCN{x}
        hears end""",
        "delivered",
    )


@pytest.mark.parametrize(
    ("ask", "cause"),
    [
        ("PWD=99 DTC=000a8880808002", "password_wrong"),
        ("DTC=000a00", "password_wrong"),
        ("DIS=000a00", "password_wrong"),
    ],
)
def test_a_polled_station_refuses_a_wrong_or_missing_password(ask: str, cause: str) -> None:
    parameters = CallParameters(Role.ANSWERS, "+2", PLAIN, offers_pages=True, required_password="55")
    _play(
        Far(parameters, _pages(1)),
        f"""
        hears CED
        hears CSI DIS
        says {ask}
        hears DCN
        hears end""",
        cause,
    )


def test_polled_station_takes_its_password() -> None:
    parameters = CallParameters(Role.ANSWERS, "+2", PLAIN, offers_pages=True, required_password="55")
    _play(
        Far(parameters, _pages(1)),
        """
        hears CED
        hears CSI DIS
        says PWD=55 DTC=000a8880808002
        hears TSI DCS
        hears tcf V27TER_4800
        drops""",
        "hung_up_before_pages",
    )


def test_echo_of_our_own_dis_is_no_poll() -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN, nsf=b"\xad\x00\x36"))
    from appliance.t30.negotiation import offer

    echo = offer(PLAIN, sub=True).encode().hex()
    _play(
        far,
        f"""
        hears CED
        hears NSF=ad0036 CSI DIS={echo}
        says DIS={echo}
        hears nothing 1
        hears NSF CSI DIS
        says DCN
        hears end""",
        "no_pages_came",
    )


def test_without_a_common_modulation_the_sender_says_dcn() -> None:
    only = Capabilities(carriers=frozenset({Carrier.V17_14400}), ecm=False)
    _play(
        Far(CallParameters(Role.CALLS, "+1", only), _pages(1)),
        OPENING
        + """
        says DIS=000a00
        hears DCN
        hears end""",
        "nothing_in_common",
    )


def test_dis_without_end_after_eom_is_ended() -> None:
    """A receiver that wants another DCS for ever."""
    pages = Pages([white_page(coding=c) for c in [Coding.MH, Coding.MR] * 25])
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN), pages)
    once = """
        says DIS=008a00
        hears TSI DCS
        hears tcf V27TER_4800
        says CFR
        hears page V27TER_4800 long
        hears EOM
        says MCF"""
    _play(far, OPENING + once * 45 + "\n        drops", "hung_up_after_page")
    assert far.call.result is not None
    assert far.call.result.pages_sent == 45, "forms that change with each page are no loop"


def test_polled_pages_of_two_formats_take_two_dtc() -> None:
    pages = Pages([white_page(), white_page(coding=Coding.MR)])
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN, offers_pages=True), pages)
    _play(
        far,
        """
        hears CED
        hears CSI DIS
        says DTC=008a00
        hears TSI DCS=000a00
        hears tcf V27TER_4800
        says CFR
        hears page V27TER_4800 long
        hears EOM-
        says MCF
        waits 6
        says DTC=008a00
        hears TSI DCS=008a00
        hears tcf V27TER_4800
        says CFR
        hears page V27TER_4800 long
        hears EOP-
        says MCF
        hears DCN
        hears end""",
        "delivered",
    )


def test_polling_station_asks_with_dtc_again_after_eom() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, poll=True))
    _play(
        far,
        OPENING
        + f"""
        says DIS=000b00
        hears CIG DTC
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR+
        sends page V27TER_4800
        says EOM
        hears MCF+
        hears nothing 5
        hears CIG DTC
        says DCN
        hears end""",
        "sender_gave_up",
    )


def test_page_is_asked_for_again_when_the_receiver_changes_its_mind() -> None:
    far = Far(
        CallParameters(Role.CALLS, "+1", PLAIN),
        Pages([white_page(), white_page(coding=Coding.MR), white_page()]),
    )
    _play(
        far,
        OPENING
        + """
        says DIS=008a00
        hears TSI DCS=000a00
        hears tcf V27TER_4800
        says CFR
        hears page V27TER_4800 long
        hears EOM
        says MCF
        says DIS=000a00
        hears DCN
        hears end""",
        "page_format",
    )
    asked = [(number, Coding.MR in accepts.codings) for number, accepts in far.pages.asked]  # type: ignore[attr-defined]
    assert asked == [(0, True), (1, True), (1, False)]


def test_sender_without_the_password_leaves_no_page() -> None:
    _play(
        Far(CallParameters(Role.ANSWERS, "+2", PLAIN, required_password="55")),
        f"""
        hears CED
        hears CSI DIS
        says SID=54 DCS={V27}
        hears DCN
        hears end""",
        "password_wrong",
    )


def test_after_receiving_the_answering_station_may_be_polled_in_the_same_call() -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN, offers_pages=True), _pages(1))
    _play(
        far,
        PAGE_RECEIVED
        + """
        says EOM
        hears MCF
        waits 2
        says DTC=002e00
        hears TSI DCS=002200
        hears tcf V17_14400
        says CFR
        hears page V17_14400 short
        hears EOP
        says MCF
        hears DCN
        hears end""",
        "delivered",
    )
    assert len(far.store.pages) == 1


def test_after_sending_the_calling_station_polls_in_the_same_call() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, poll=True), _pages(1))
    _play(
        far,
        OPENING
        + f"""
        says DIS=000b00
        hears TSI DCS={V27}
        hears tcf V27TER_4800
        says CFR
        hears page V27TER_4800 long
        hears EOM
        says MCF
        says DIS=000b00
        hears CIG DTC
        says DCS={V27}
        sends tcf V27TER_4800
        hears CFR+
        sends page V27TER_4800
        says EOP
        hears MCF+
        says DCN
        hears end""",
        "received",
    )
    assert far.call.result is not None
    assert (far.call.result.pages_sent, far.call.result.pages_received) == (1, 1)


# -- sub-addresses -----------------------------------------------------------------------------


def test_sub_address_goes_where_it_is_understood() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, sub_address="42", password="7"), _pages(1))
    _play(
        far,
        OPENING
        + """
        says DIS=000a8080808003
        hears TSI SUB=3234.. SID=37.. DCS=000a8080808003
        hears tcf V27TER_4800
        drops""",
        "hung_up_before_pages",
    )


def test_sub_address_is_left_out_and_noted_elsewhere() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, sub_address="42"), _pages(1))
    _play(
        far,
        OPENING
        + f"""
        says DIS={V27}
        hears TSI DCS={V27}
        hears tcf V27TER_4800
        drops""",
        "hung_up_before_pages",
    )
    assert "sub_address_omitted" in [p.event for p in far.progress]


def test_a_received_sub_address_is_in_the_result() -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN))
    _play(
        far,
        """
        hears CED
        hears CSI DIS
        says TSI=+49891234 SUB=42 DCS=000a8080808001
        sends tcf V27TER_4800
        hears CFR
        drops""",
        "hung_up_during_page",
    )
    assert far.call.result is not None
    assert far.call.result.sub_address == "42"
    assert far.call.result.remote_id == "+49891234"


# -- documents and their names -----------------------------------------------------------------


def test_documents_of_one_format_are_kept_apart_by_eom() -> None:
    far = Far(CallParameters(Role.CALLS, "+1", PLAIN, documents_begin=frozenset({1})), _pages(3))
    _play(
        far,
        TRAINED
        + f"""
        hears page V27TER_4800 long
        hears EOM
        says MCF
        says DIS={V27}
        hears TSI DCS={V27}
        hears tcf V27TER_4800
        says CFR
        hears page V27TER_4800 long
        hears MPS
        says MCF
        hears page V27TER_4800 long
        hears EOP
        says MCF
        hears DCN
        hears end""",
        "delivered",
    )


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ("SEP=7 DTC=000a8880808001", "hung_up_before_pages"),
        ("SEP=8 DTC=000a8880808001", "nothing_on_offer"),
        ("DTC=000a00", "nothing_on_offer"),
    ],
)
def test_named_document_goes_to_who_names_it(asked: str, cause: str) -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN, offers_pages=True, selective_polling="7"), _pages(1))
    sends = "hears TSI DCS\nhears tcf V27TER_4800\ndrops"
    ends = "hears DCN\nhears end" if cause == "nothing_on_offer" else sends
    _play(far, f"hears CED\nhears CSI DIS\nsays {asked}\n{ends}", cause)
    assert far.call.result is not None
    assert far.call.result.selective_polling == (asked[4] if asked.startswith("SEP") else "")


@pytest.mark.parametrize("name", ["", "7"])
def test_dis_owns_up_to_selective_polling_only_for_a_named_document(name: str) -> None:
    far = Far(CallParameters(Role.ANSWERS, "+2", PLAIN, offers_pages=True, selective_polling=name))
    far.run("hears CED\nhears CSI DIS\nsays DCN\nhears end")
    (dis,) = [dict(p.fields)["meaning"] for p in far.progress if dict(p.fields).get("name") == "DIS"]
    assert ("SEP" in str(dis)) is bool(name)
