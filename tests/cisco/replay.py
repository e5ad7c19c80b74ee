"""Replays editing commands on a router, one at a time, and watches what passes meanwhile.

A step is wrong where a packet passes that both the old and the new list deny, or is denied that
both permit. `strictly`: every step has to mean one of the two, whole.
"""

from dataclasses import dataclass, field

from acl_eval import AccessList, AclError
from acl_read import Configuration
from compare import describe
from planes import count, layers_of, space_of_lists
from router import Router, copy_of


@dataclass
class Replay:
    """Complaints; how many commands ran, how many steps changed something, how many were compared."""

    complaints: list = field(default_factory=list)
    commands: int = 0
    changes: int = 0


class Watch:
    """One place where a list is in force: its old and new meaning."""

    def __init__(self, place, family, old, new):
        self.place = place
        self.family = family
        self.space = space_of_lists([old, new])
        self.old, self.new = self.plane(old), self.plane(new)
        self.last = None

    def plane(self, acl):
        return self.space.permitted(layers_of(acl))

    def judge(self, acl, strictly):
        """What is wrong with the list in force now, in words, or None; False if unchanged."""
        entries = tuple(acl.entries)
        if entries == self.last:
            return False
        self.last = entries
        now = self.plane(acl)
        for row, (was, is_now, becomes) in enumerate(zip(self.old, now, self.new)):
            opened, closed = is_now & ~(was | becomes), was & becomes & ~is_now
            for bits, what in ((opened, "passes, which old and new deny"), (closed,
                "is dropped, which old and new permit")):
                if bits:
                    packet = self.space.packets(row, bits, 1)[0]
                    return f"{self.place}: {describe(packet)} {what}"
        if strictly and now not in (self.old, self.new):
            return f"{self.place}: neither the old nor the new list is in force"
        return None

    def is_new(self, acl):
        return self.plane(acl) == self.new

    def changed_cells(self):
        return count([was ^ becomes for was, becomes in zip(self.old, self.new)])


def places_of(router, names):
    """{place: (family, function giving its list)}: every binding, and names outside interfaces."""
    places = {}
    for interface in router.interfaces.values():
        for (family, direction) in interface.lists:
            places[f"{interface.name} {direction} {'ip' if family == 4 else 'ipv6'}"] = (
                family, lambda r, i=interface.name, f=family, d=direction: r.effective(i, f, d))
    for family, name in names:
        places[f"list {name}"] = (family, lambda r, f=family, n=name: r.lists.get((f, n)) or AccessList(n, f))
    return places


def replay(old_text, commands, new_text, strictly=False):
    """Runs `commands` on a router with `old_text`; in the end it has to filter as one with
    `new_text` does. Without interfaces the lists' own names are watched."""
    result = Replay()
    old, new, router = Router(old_text), Router(new_text), Router(old_text)
    names = [] if new.interfaces or old.interfaces else {**old.lists, **new.lists}
    places = {**places_of(old, names), **places_of(new, names)}
    watches = {}
    for place, (family, find) in places.items():
        watches[place] = Watch(place, family, copy_of(find(old)), copy_of(find(new)))
        watches[place].judge(find(router), strictly)
    for line in commands.splitlines():
        try:
            router.take(line)
        except AclError as error:
            result.complaints.append(f"refused: {line.strip()}: {error}")
            return result
        for place, (_, find) in places.items():
            wrong = watches[place].judge(find(router), strictly)
            result.changes += wrong is not False
            if wrong:
                result.complaints.append(f"after {line.strip()!r}: {wrong}")
                return result
    result.commands = router.lines_taken
    for place, (_, find) in places.items():
        if not watches[place].is_new(find(router)):
            result.complaints.append(f"{place}: does not mean the new list in the end")
    return result


def is_same_text(old_text, new_text):
    """Whether two texts hold the same lists, entry by entry, whatever the numbers."""
    old, new = Configuration(old_text), Configuration(new_text)
    return {key: acl.entries for key, acl in old.lists.items()} == \
        {key: acl.entries for key, acl in new.lists.items()}
