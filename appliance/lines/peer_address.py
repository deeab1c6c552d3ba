"""The address of a call's far end: the signalled one, or one that its packets come from.  Without I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MAX_PORT = 65535
# Hosts other than the signalled one that are considered as peer at once, and datagrams kept of each.
MAX_CANDIDATES = 4
MAX_CANDIDATE_DATAGRAMS = 128
# How long such a host gets copies of our packets without having been accepted, seconds: long enough for a
# machine to answer our DIS, too short to flood a stranger.
CANDIDATE_COPIES_S = 10.0

Address = tuple[str, int]
# Whether the datagrams of a host other than the signalled one, in order of arrival, are those of a fax
# machine.
Judge = Callable[[Sequence[bytes]], bool]


@dataclass(slots=True)
class _Candidate:
    """A host that was not signalled, and its datagrams."""

    since: float
    datagrams: list[bytes] = field(default_factory=list)


class PeerAddress:
    """Decides whose datagrams are the far end's, and where ours go.

    ``signalled`` is the address from the SDP, None when it will be learned from packets (then nothing is sent
    before one arrives).  With ``latch`` another source may become the peer, as NAT requires, as long as
    nothing comes from the signalled one: another port of the signalled host at once, and packets then go to
    both; another host once ``judge`` accepts its datagrams, or at once without a judge.  As soon as packets
    come from the signalled address it is the peer for good.  All other sources are ignored.

    ``offset`` was learned in an earlier call: the distance of the far end's source port from the signalled
    one.  Packets go there as well until the far end has sent something.
    """

    def __init__(
        self, signalled: Address | None, *, latch: bool = True, judge: Judge | None = None, offset: int = 0
    ) -> None:
        self._judge = judge
        self._offset = offset
        self.use(signalled, latch=latch)

    def use(self, signalled: Address | None, *, latch: bool = True) -> None:
        """Starts again with this signalled address."""
        self.signalled = signalled
        self._peer = signalled
        self._latch, self._latched = latch, False
        self._candidates: dict[Address, _Candidate] = {}

    def signal(self, signalled: Address | None) -> None:
        """Takes the address of a re-INVITE; one that has not changed keeps what was learned."""
        if signalled != self.signalled:
            self.use(signalled)

    @property
    def silent(self) -> bool:
        """Whether the far end may be elsewhere, and has sent nothing that was accepted."""
        return self._latch and not self._latched

    @property
    def learned_offset(self) -> int:
        """Distance of the far end's source port from the signalled one; 0 unless it is known to differ."""
        if self._latched and self._peer and self.signalled and self.has_host_of(self._peer):
            return self._peer[1] - self.signalled[1]
        return 0

    def has_host_of(self, source: Address) -> bool:
        """Whether ``source`` is on the signalled host."""
        return self.signalled is not None and source[0] == self.signalled[0]

    def accept(self, data: bytes, source: Address, now: float) -> Sequence[bytes]:
        """The datagrams to deliver after this one: none, this one, or all of its source so far."""
        if source == self.signalled:
            self._peer = source
            self._latch = False
            self._candidates.clear()
            return (data,)
        if self._latched and source == self._peer:
            return (data,)
        if (self._latch or self.signalled is None) and not self._latched:
            if self._judge is None or self.has_host_of(source):
                return self._latch_on(source, (data,))
            candidate = self._candidate(source, now)
            if candidate is not None:
                candidate.datagrams.append(data)
                if self._judge(candidate.datagrams):
                    return self._latch_on(source, candidate.datagrams)
        return ()

    def _latch_on(self, source: Address, datagrams: Sequence[bytes]) -> Sequence[bytes]:
        self._latched = True
        self._peer = source
        self._candidates.clear()
        return datagrams

    def _candidate(self, source: Address, now: float) -> _Candidate | None:
        found = self._candidates.get(source)
        if found is None and len(self._candidates) < MAX_CANDIDATES:
            found = self._candidates[source] = _Candidate(now)
        if found is None or len(found.datagrams) >= MAX_CANDIDATE_DATAGRAMS:
            return None
        return found

    def destinations(self, now: float) -> list[Address]:
        """Where to send a datagram: to the peer, and to other addresses where it may listen."""
        peer, signalled = self._peer, self.signalled
        addresses = [] if peer is None else [peer]
        if self._latched and peer and signalled and peer != signalled and self.has_host_of(peer):
            addresses.append(signalled)  # it may send from one port and listen on the other
        if signalled and self._offset and self.silent:
            port = signalled[1] + self._offset
            if 0 < port <= MAX_PORT:
                addresses.append((signalled[0], port))
        addresses += [
            source
            for source, candidate in self._candidates.items()
            if now < candidate.since + CANDIDATE_COPIES_S
        ]
        return addresses
