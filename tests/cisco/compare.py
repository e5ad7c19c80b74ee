"""Holds a list against the policy it was made from, over the whole space of packets.

`judge` gives what is wrong, in words, with packets. Rules:
  - what the policy lets enter as a first packet, the list permits;
  - what it permits beyond that is exactly what the compiler announced (announced.py);
  - later fragments of what the policy lets enter pass.
"""

import ipaddress
import random
from dataclasses import dataclass, field, replace

import announced as notes
import answers
from acl_eval import TimeRange
from planes import Space, count, entry_layer, layers_of
from spec import space_of


@dataclass
class Judgement:
    """Complaints, and how much was looked at."""

    complaints: list = field(default_factory=list)
    cells: int = 0
    packets: int = 0
    excess: int = 0
    stray_fragments: int = 0
    is_whole: bool = True
    is_told: bool = True
    doubtful: set = field(default_factory=set)


def text_of(family, number):
    return str(ipaddress.IPv4Address(number) if family == 4 else ipaddress.IPv6Address(number))


def describe(packet):
    if packet.is_fragment:
        above = "later fragment"
    elif packet.protocol in (1, 58):
        above = f"type {packet.port} code {packet.code}"
    else:
        above = f"sport {packet.source_port} port {packet.port}"
    flags = {2: " syn", 16: " ack", 4: " rst"}.get(packet.flags, "")
    if packet.minute:
        flags += f" at minute {packet.minute} of the week"
    return (f"{text_of(packet.family, packet.source)} -> {text_of(packet.family, packet.destination)}"
            f" protocol {packet.protocol} {above}{flags}")


def judge(vantage, acl, diagnostics=(), seed=0, packets=0, with_answers=False, outbound=None):
    """A Judgement of one list, by what the compiler said of it.
    with_answers: they have to be answers, and all answers have to get in; outbound: a list that
    reflects, and must hold nothing back."""
    result = Judgement()
    announced, told = notes.layers(diagnostics, acl), notes.fragments(diagnostics, acl)
    space = space_of(vantage, [acl], acl.family, seed=seed, kinds=notes.kinds(diagnostics, acl))
    fragments = [point for point in space.services if point.is_fragment]
    space = Space(acl.family, space.sources, space.destinations,
                  [point for point in space.services if not point.is_fragment], seed)
    result.is_whole, result.cells = space.is_whole, space.cells()
    wanted = space.permitted(vantage.layers(acl.family))
    given = space.permitted(layers_of(acl))
    beyond = space.permitted(announced) if announced else [0 if announced is not None else space.full] * len(
        space.sources)
    result.is_told = announced is not None
    has_times = any(point.minute for point in space.services)
    result.doubtful = {minute for entry in acl.entries if getattr(entry, "time_range", None)
                       for minute in entry.time_range.last_minutes()}
    beyond = [more & ~want for more, want in zip(beyond, wanted)]
    is_exact = result.is_told and not has_times     # what is told, is told for all times
    compare_planes(result, space, (wanted, given, beyond), is_exact)
    if result.doubtful:
        compare_planes(result, space, (wanted, other_reading(space, acl), beyond), False)
    if packets and result.is_told:
        judge_answers(result, space, (vantage, acl, outbound), beyond, random.Random(seed), packets, with_answers)
    if outbound is not None:
        judge_outbound(result, space, outbound)
        judge_reflections(result, space, vantage, outbound, random.Random(seed), packets)
    judge_fragments(result, space, wanted, acl, fragments, told)
    sample(result, space, vantage, acl, random.Random(seed), packets, (wanted, beyond))
    judge_neighbours(result, vantage, acl, diagnostics)
    return result


def judge_neighbours(result, vantage, acl, diagnostics):
    """Neighbour discovery with another hop limit passes, and that has to be said; and that it passes to
    every address where the list does not know the router's own."""
    told = notes.of_list(diagnostics, notes.NEIGHBOURS, acl)
    if len(told) != (acl.family == 6):
        result.complaints.append(f"list {acl.name}: {len(told)} notes of neighbour discovery")
    for row in told:
        if ("to every address" in row["message"]) != (not vantage.own.of[6]):
            result.complaints.append(f"list {acl.name}: {row['message']}")


def other_reading(space, acl):
    """Where the minute behind `to` is outside."""
    TimeRange.is_end_inside = False
    try:
        return space.permitted(layers_of(acl))
    finally:
        TimeRange.is_end_inside = True


def compare_planes(result, space, planes, is_exact):
    """At the minutes that the readings of `to` differ about, a list may only be narrower. Answers of
    protocol 0, which no entry can speak of alone, are told with the others and may be denied."""
    sure = sum(1 << index for index, point in enumerate(space.services) if point.minute not in result.doubtful)
    everywhere = sum(1 << place * space.width for place in range(len(space.destinations))) * sure
    named = sum(1 << place * space.width for place in range(len(space.destinations))) * sum(
        1 << index for index, point in enumerate(space.services) if point.protocol != 0)
    for row, (want, give, more) in enumerate(zip(*planes)):
        if want & ~give & everywhere:
            complain(result, space, row, want & ~give & everywhere, "the policy lets it enter, the list denies")
        excess = give & ~want
        if excess & ~more:
            complain(result, space, row, excess & ~more,
                     "the list permits, the policy does not, and nothing said so")
        if more & ~excess & named:
            complain(result, space, row, more & ~excess & named,
                     "announced as let in, but it is denied or the policy's own")
    result.excess = count([give & ~want for want, give, _ in zip(*planes)])


def judge_answers(result, space, sides, beyond, chooser, count, with_answers):
    vantage, acl, outbound = sides
    for packet in answers.stray(vantage, space, beyond, chooser, count):
        result.complaints.append(f"{describe(packet)}: let in as an answer, but nothing may ask")
        return
    for first, answer in answers.unheard(vantage, (acl, outbound), space, chooser, count) if with_answers else ():
        result.complaints.append(f"{describe(answer)}: denied, but it answers {describe(first)}")
        return


def judge_outbound(result, space, outbound):
    """What was let in goes out: the list there is for its reflections."""
    for row, bits in enumerate(space.permitted(layers_of(outbound))):
        if bits != space.full:
            complain(result, space, row, space.full & ~bits, "the outbound list holds it back")


def judge_reflections(result, space, vantage, outbound, chooser, count):
    """What is remembered, the policy lets somebody start: else answers to nothing would come in."""
    layers = [replace(entry_layer(entry), is_permit=entry.reflect is not None) for entry in outbound.entries]
    for packet in answers.unasked(vantage, space, space.permitted(layers), chooser, count):
        result.complaints.append(f"{describe(packet)}: its answers are let in, though nothing may start it")
        return


def complain(result, space, row, bits, what):
    if len(result.complaints) < 6:
        packet = space.packets(row, bits, 1)[0]
        result.complaints.append(f"{describe(packet)}: {what}")


def judge_fragments(result, space, wanted, acl, fragments, told):
    """Later fragments of what may enter must pass; others that pass have to be told (None: the compiler
    had too many to tell them all)."""
    if not fragments:
        return
    third = Space(acl.family, space.sources, space.destinations, fragments, like=space)
    given = third.permitted(layers_of(acl))
    masks = [sum(1 << index for index, point in enumerate(space.services)
                 if (point.protocol, point.minute) == (fragment.protocol, fragment.minute))
             for fragment in third.services]
    service_bits = (1 << space.width) - 1
    for row, want in enumerate(wanted):
        for place in range(len(space.destinations)):
            here = want >> place * space.width & service_bits
            there = given[row] >> place * third.width
            for index, mask in enumerate(masks):
                if not mask:
                    continue                        # thinned away
                passes, may = bool(there >> index & 1), bool(here & mask)
                if may and not passes and third.services[index].minute not in result.doubtful:
                    complain(result, third, row, 1 << place * third.width + index,
                             "the policy lets its first fragment enter, the list denies the later ones")
                if not passes or may:
                    continue
                result.stray_fragments += 1
                packet = third.packet(row, place * third.width + index)
                if told is not None and not any(layer.holds(packet) for layer in told):
                    complain(result, third, row, 1 << place * third.width + index,
                             "a later fragment that passes, and nothing said so")


def sample(result, space, vantage, acl, chooser, packets, planes):
    """The same by plain reading, packet by packet: holds the planes to the evaluators' word."""
    for _ in range(packets):
        row, index = space.random_packet(chooser)
        packet = moved(space, space.packet(row, index), chooser)
        is_wanted = vantage.verdict(packet) == "allow"
        is_given = acl.permits(packet)
        is_announced = bool(planes[1][row] >> index & 1)
        result.packets += 1
        is_missing = is_wanted and not is_given and packet.minute not in result.doubtful
        if is_missing or is_given and not is_wanted and not is_announced:
            result.complaints.append(f"{describe(packet)}: policy {is_wanted}, list {is_given}, by plain reading")
        if is_wanted != bool(planes[0][row] >> index & 1):
            result.complaints.append(f"{describe(packet)}: the test's own two readings differ")
        if len(result.complaints) > 6:
            return


def moved(space, packet, chooser):
    """Another packet of the same cell: anywhere between its boundaries."""
    def inside(axis, value, top):
        following = next((cut for cut in axis if cut > value), top + 1)
        return chooser.choice((value, following - 1, chooser.randrange(value, following)))
    if not space.is_whole:
        return packet
    values = {**packet.__dict__}
    top = 2 ** (32 if packet.family == 4 else 128) - 1
    values["source"] = inside(space.sources, packet.source, top)
    values["destination"] = inside(space.destinations, packet.destination, top)
    return type(packet)(**values)
