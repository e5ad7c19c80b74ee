"""Translations as a policy states them: `forward`, `masquerade` and `snat`, read.

`forward SERVICES from PLACES [at ADDRESSES] to HOST [port N]` translates the destination of what comes from
there, and is a rule at its place that admits what it translated; `masquerade` and `snat` change the source on the
way out.
"""

from dataclasses import dataclass, replace

from evaluator import Item, Reader, Rule, Side


@dataclass
class Forward:
    """What a forward translates: to one host, of each family that it has."""

    at: object          # Addresses, or None: the firewall's own
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
    families: set


class TranslatingReader(Reader):
    """Puts forwards among the rules, and the others into `policy.hidings`."""

    def statement(self, froms, tos):
        word = self.peek()
        if word == "forward":
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
        families = self.options() & forward.host.families() & (at.families() if at else {4, 6})
        self.end()
        here = Side([Item("addresses", addresses=forward.host)], [])
        self.policy.rules.append(Rule("allow", service, froms, [here], families, words, line, forward))

    def hiding(self):
        is_masquerade = self.next() == "masquerade"
        froms = [self.side()] if self.take("from") else []
        tos = [self.side()] if self.take("to") else []
        behind = self.item().addresses if self.take("as") else None
        families = self.options()
        if is_masquerade and families == {4, 6}:
            families = {4}
        self.end()
        self.policy.hidings.append(Hiding(froms, tos, behind,
                                          families & (behind.families() if behind else families)))


def translated(rule, packet):
    """The packet after a forward."""
    values = {"destination": rule.forward.real(packet.family)}
    if rule.forward.port:
        values["port"] = rule.forward.port
    return replace(packet, **values)
