"""Translations and schedules of a policy for a router, read as the reference says.

`forward` without `at` means any address of the router. `masquerade` and `snat` change the source, so that answers
come to another address. A list on the way in stands before the one and before the undoing of the other.
"""

import re

from forwards import TranslatingReader

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY, WEEK = 1440, 7 * 1440


class DeviceReader(TranslatingReader):
    """That of tests/packets, and schedules (UTC)."""

    during = None

    def statement(self, froms, tos):
        word = self.peek()
        if word == "schedule":
            self.schedule()
        else:
            super().statement(froms, tos)

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
