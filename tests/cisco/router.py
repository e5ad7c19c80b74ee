"""A router that takes configuration commands one at a time, as far as access lists go.

From the command references and "IP Access List Entry Sequence Numbering": what a command does to
lists and bindings, and which ones are refused. Starts from configuration text; `take` runs one
line; `effective` says what an interface filters with just now.
"""

import re

from acl_eval import AccessList, AclError, SEQUENCE_LIMIT, with_sequence
from acl_read import Configuration, Line, is_extended_number

IDLE = re.compile(r"(end|exit|configure terminal|conf t|do [ -~]+|!.*)?$")
DIRECTIONS = ("in", "out")


class Router(Configuration):
    """Configuration that changes."""

    def __init__(self, text=""):
        self.is_live = False
        super().__init__(text)
        self.is_live = True
        self.mode = None
        self.lines_taken = 0

    def check_uses(self):
        """A bound list may be missing for a while: that is what is being looked for."""
        if not self.is_live:
            super().check_uses()

    # --- commands ---

    def take(self, line):
        """One line as typed: indentation does not matter, the mode does."""
        if not self.is_live:
            super().take(line)
            return
        bare = line.strip()
        if IDLE.fullmatch(bare):
            if bare in ("end", "exit"):
                self.mode = None
            return
        self.lines_taken += 1
        if line[0] == " " and self.mode:
            self.mode(bare)
            return
        self.command(bare)

    def command(self, line):
        self.mode = None
        parts = line.split()
        if parts[:3] == ["no", "ip", "access-list"] and parts[3:4] == ["extended"] and len(parts) == 5:
            self.delete(4, parts[4])
        elif parts[:3] == ["no", "ipv6", "access-list"] and len(parts) == 4:
            self.delete(6, parts[3])
        elif parts[:2] == ["no", "access-list"] and len(parts) >= 3 and is_extended_number(parts[2]):
            self.delete(4, parts[2])     # the whole list, whatever entry is named
        elif parts[:3] == ["ip", "access-list", "resequence"] and len(parts) == 6:
            self.resequence(parts[3], int(parts[4]), int(parts[5]))
        elif parts[:2] == ["no", "object-group"] and len(parts) == 4:
            self.delete_group(parts[3])
        elif parts[:2] == ["no", "time-range"] and len(parts) == 3:
            self.delete_time_range(parts[2])
        else:
            self.head(line)

    def delete(self, family, name):
        if (family, name) not in self.lists:
            raise AclError(f"no list {name} to delete")
        del self.lists[family, name]

    def resequence(self, name, start, step):
        acl = self.lists.get((4, name))
        if acl is None or start < 1 or step < 1 or start + step * len(acl.entries) > SEQUENCE_LIMIT:
            raise AclError("nothing to renumber so")
        acl.entries = [with_sequence(entry, start + step * index)
                       for index, entry in enumerate(acl.entries)]

    def delete_group(self, name):
        group = self.groups.get(name)
        if group is None:
            raise AclError(f"no group {name}")
        if any(f"object-group {name} " in entry.text + " " for acl in self.lists.values()
               for entry in acl.entries):
            raise AclError(f"group {name} is in use")
        del self.groups[name]

    def delete_time_range(self, name):
        if name not in self.time_ranges:
            raise AclError(f"no time range {name}")
        if any(f"time-range {name} " in entry.text + " " for acl in self.lists.values()
               for entry in acl.entries):
            raise AclError(f"time range {name} is in use")
        del self.time_ranges[name]

    # --- lines of a list ---

    def list_line(self, acl, line):
        if not line.startswith("no "):
            super().list_line(acl, line)
            return
        rest = line[3:].strip()
        number = re.fullmatch(r"(?:sequence )?(\d+)", rest)
        if number and (acl.family == 6) == rest.startswith("sequence"):
            found = [entry for entry in acl.entries if entry.sequence == int(number[1])]
        elif rest.startswith("remark"):
            self.forget_remark(acl, rest[len("remark"):].strip())
            return
        else:
            wanted = Line(self, acl.family, acl.name.isdigit(), rest).entry()
            found = [entry for entry in acl.entries if entry == wanted]
        if not found:
            raise AclError(f"nothing to remove: {line}")
        acl.entries.remove(found[0])

    @staticmethod
    def forget_remark(acl, text):
        if text not in acl.remarks:
            raise AclError(f"no remark to remove: {text}")
        acl.remarks.remove(text)

    # --- bindings ---

    def interface_line(self, interface, line):
        parts = line.split()
        is_off = parts[0] == "no"
        rest = parts[1:] if is_off else parts
        if not self.is_live or rest[:2] not in (["ip", "access-group"], ["ipv6", "traffic-filter"]):
            super().interface_line(interface, line)
            return
        family = 4 if rest[0] == "ip" else 6
        if rest[-1] not in DIRECTIONS or len(rest) not in ((3, 4) if is_off else (4,)):
            raise AclError("no binding of a list")
        if not is_off:
            interface.lists[family, rest[-1]] = rest[2]
            return
        bound = interface.lists.pop((family, rest[-1]), None)
        if bound is None or len(rest) == 4 and rest[2] != bound:
            raise AclError("nothing bound there")

    def effective(self, interface, family, direction="in"):
        """The list that filters there now; none bound or a missing one: an empty list, which
        permits everything."""
        name = self.interfaces[interface].lists.get((family, direction)) \
            if interface in self.interfaces else None
        return self.lists.get((family, name)) or AccessList(name or "-", family)


def copy_of(acl):
    """The list as it stands now."""
    result = AccessList(acl.name, acl.family)
    result.entries = list(acl.entries)
    return result
