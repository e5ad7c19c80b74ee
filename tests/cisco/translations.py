"""Translations and schedules of a policy for a router, read and applied as the reference says.

`forward SERVICES from PLACES [at ADDRESS] to HOST [port N]` translates the destination of what comes
from there to the address (without `at` to any address of the router), and is a rule at its place that
admits what it translated; `masquerade` and `snat` change the source on the way out, so that answers
come to another address. A list on the way in stands before the one and before the undoing of the
other.
"""

import re
from dataclasses import dataclass, replace

from evaluator import Item, Reader, Rule, Side


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY, WEEK = 1440, 7 * 1440


@dataclass
class Forward:
    """What a forward translates: to one host, of each family that it has."""

    at: object          # Addresses, or None: the router's own
    host: object        # Addresses of one address a family
    port: int = None

    def targets(self, own):
        return self.at or own

    def real(self, family):
        return self.host.of[family][0][0] if self.host.of[family] else None


@dataclass
class Hiding:
    """A masquerade or snat: who is hidden, towards where, behind what."""

    froms: list
    tos: list
    behind: object      # Addresses of snat, or None: the interface's


class DeviceReader(Reader):
    """The reader of tests/packets, these three statements, and schedules (UTC)."""

    during = None

    def statement(self, froms, tos):
        word = self.peek()
        if word == "schedule":
            self.schedule()
        elif word == "forward":
            self.forward()
        elif word in ("masquerade", "snat"):
            self.hiding()
        else:
            super().statement(froms, tos)

    def forward(self):
        line = self.words[self.at][1]
        self.next()
        service = self.services()
        words = self.families_of_words
        froms = [self.side()] if self.take("from") else []
        at = self.item().addresses if self.take("at") else None
        self.need("to")
        forward = Forward(at, self.item().addresses)
        if self.take("port"):
            forward.port = int(self.next())
        self.end()
        here = Side([Item("addresses", addresses=forward.host)], [])
        families = forward.host.families() & (at.families() if at else {4, 6})
        self.policy.rules.append(Rule("allow", service, froms, [here], families, words, line, forward))

    def schedule(self):
        self.next()
        name = self.next()
        self.need("=")
        spans = []
        while True:
            spans += spans_of(self.next(), self.next())
            if not self.take(","):
                break
        self.policy.schedules[name] = spans
        self.end()

    def rule(self, froms, tos):
        self.during = None
        super().rule(froms, tos)
        self.policy.rules[-1].during = self.during

    def options(self):
        """`during` or `limit` stands first here; the rest is as everywhere. What a limit lets pass
        is what the rule allows: packets are asked about one at a time."""
        if self.take("during"):
            self.during = self.policy.schedules[self.next()]
        if self.take("limit"):
            self.next()
            if self.take("burst"):
                self.next()
            if self.take("per"):
                self.need("source")
        return super().options()

    def hiding(self):
        self.next()
        froms = [self.side()] if self.take("from") else []
        tos = [self.side()] if self.take("to") else []
        behind = self.item().addresses if self.take("as") else None
        self.end()
        self.policy.hidings.append(Hiding(froms, tos, behind))


def spans_of(days, times):
    """(first, last) minutes of the week of `mon-fri 08:00-18:00`; a night belongs to its evening."""
    first, _, last = days.partition("-")
    numbers = range(7) if days == "daily" else \
        [index % 7 for index in range(DAYS.index(first), DAYS.index(first) + 1
                                      + (DAYS.index(last or first) - DAYS.index(first)) % 7)]
    low, high = (int(hour) * 60 + int(minute) for hour, minute in re.findall(r"(\d\d):(\d\d)", times))
    result = []
    for number in numbers:
        start = number * DAY + low
        end = number * DAY + high + (DAY if high <= low else 0) - 1
        result += [(start, end)] if end < WEEK else [(start, WEEK - 1), (0, end - WEEK)]
    return result


def translated(rule, packet):
    """The packet after a forward."""
    values = {"destination": rule.forward.real(packet.family)}
    if rule.forward.port:
        values["port"] = rule.forward.port
    return replace(packet, **values)
