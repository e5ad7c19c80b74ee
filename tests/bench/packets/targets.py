"""What the figures of one run must show, and whether they do: words and figures, no exit status.

Times are above the ruleset that only tracks connections, unless they say otherwise. The figures of other
compilers were taken on a machine on which tracking alone costs 750 ns; `scaled` is the same limit at what
tracking costs here, and is the stricter one where this machine is faster."""

TRACKING_THERE = 750
ONLY_DEFAULT, OTHERS = 150, 350
# ns over an empty chain there, by number of rules (networks; only the default decides).
BEST_THERE = {1_000: 900, 10_000: 1_200}
# What others reach, quoted: measured elsewhere on the same kind of policy, in microseconds over an empty chain
# (networks; only the default decides; tracking included).
QUOTED = (("line-by-line generators, nft", "6-10", "63-100", "900-1,700"),
          ("multiport generators, iptables-legacy", "1.8", "9-17", "90-167"),
          ("a source map into chains, by hand", "1.1", "1.2-1.5", "1.3"),
          ("the best: jump trees, iptables-legacy", "1.1", "0.9", "1.2"))
LINEAR, LEGACY = ("nft linear", "nft linear, own table"), ("iptables-legacy",)
CHECKED_LINEAR = ("own, invalid dropped",)   # what fwc's ruleset does too, for one family
NOISE_NS, NOISE = 15, 0.05
FASTEST = "fwc --optimise 2"   # the row of that level
LEVELS = (("1", "fwc"), ("2", FASTEST))


class Figures:
    def __init__(self, rows, own="fwc"):
        """OWN: the row whose figures are asked where fwc's are."""
        self.own = own
        self.rows = {(row["policy"], row["family"], row["rules"], row["kind"], row["ruleset"]): row
                     for row in rows}
        self.spots = sorted({key[:4] for key in self.rows})

    def above(self, spot, ruleset):
        row = self.rows.get(spot + (self.own if ruleset == "fwc" else ruleset,))
        return None if row is None else row["above"]

    def over_empty(self, spot, ruleset):
        row = self.rows.get(spot + (self.own if ruleset == "fwc" else ruleset,))
        return None if row is None else row["ns"]


def place(spot):
    return f"{spot[0]} IPv{spot[1]} {spot[2]:,} '{spot[3]}'"


def below_limit(figures, wanted, limit):
    """Every figure of the spots against a limit in ns: the worst, and how many are above it."""
    found = [(figures.above(spot, "fwc"), spot) for spot in figures.spots
             if wanted(spot) and figures.above(spot, "fwc") is not None]
    if not found:
        return None, "not measured in this run"
    high = [item for item in found if item[0] > limit]
    worst = max(found)
    return not high, (f"worst {worst[0]:.0f} ns ({place(worst[1])}), limit {limit:.0f}; "
                      f"{len(high)} of {len(found)} above it")


def tracking_here(figures):
    found = [figures.over_empty(spot, "tracking") for spot in figures.spots if spot[3] in ("none", "hot")]
    found = sorted(value for value in found if value is not None)
    return found[len(found) // 2] if found else TRACKING_THERE


def below_best(figures):
    words, reached = [], None
    for spot in figures.spots:
        if spot[0] == "networks" and spot[1] == 4 and spot[3] == "none" and spot[2] in BEST_THERE:
            ours, tracking = figures.over_empty(spot, "fwc"), figures.over_empty(spot, "tracking")
            if ours is None or not tracking:
                continue
            limit = BEST_THERE[spot[2]] / TRACKING_THERE * tracking
            reached = reached is not False and ours < limit
            words.append(f"{spot[2]:,} rules: {ours:.0f} ns over an empty chain, there "
                         f"{BEST_THERE[spot[2]]}, scaled {limit:.0f}")
    return reached, "; ".join(words) or "not measured in this run"


def against(figures, peers, wanted):
    """Where fwc is slower than PEERS by more than these figures' noise."""
    slower, compared = [], 0
    for spot in figures.spots:
        own = figures.above(spot, "fwc")
        for peer in peers:
            other = figures.above(spot, peer)
            if own is None or other is None or not wanted(spot):
                continue
            compared += 1
            if own > other + max(NOISE_NS, NOISE * other):
                slower.append((own / max(other, 1), f"{place(spot)} {own:.0f} ns, {peer} {other:.0f}"))
    if not compared:
        return None, "not measured in this run"
    slower.sort(reverse=True)
    words = f"slower in {len(slower)} of {compared}"
    return not slower, words + "".join(f"\n      {text}" for _, text in slower[:8])


def ratio(figures, policy, sizes, kinds, name, limit):
    """FIGURES' ratio of two figures at two sizes, and the limit that it must keep to."""
    words, reached = [], None
    for family in (4, 6):
        for kind in kinds:
            one, other = ((policy, family, size, kind) for size in sizes)
            top, bottom = figures.above(one, name[0]), figures.above(other, name[1])
            if top is None or bottom is None:
                continue
            value = top / max(bottom, 1)
            reached = reached is not False and limit(value)
            words.append(f"IPv{family} '{kind}' {top:.0f}/{bottom:.0f} = {value:.1f}")
    return reached, "; ".join(words) or "not measured in this run"


def print_quoted(figures, tracking):
    """The figures from elsewhere above what this run gives."""
    print(f"\nmicroseconds over an empty chain, tracking included; networks, only the default decides\n"
          f"{'':<52} {'100':>10} {'1,000':>10} {'10,000':>12}")
    for words, *values in QUOTED:
        print(f"{'elsewhere: ' + words:<52}  {values[0]:>9} {values[1]:>10} {values[2]:>12}")
    for family in (4, 6):
        for ruleset in ("nft linear", "iptables-legacy", "source map by hand", "tracking", "fwc"):
            found = [figures.over_empty(("networks", family, size, "none"), ruleset)
                     for size in (100, 1_000, 10_000)]
            if any(found):
                cells = ["-" if value is None else f"{value / 1000:.2f}" for value in found]
                print(f"{f'this run, IPv{family}: {ruleset}':<52}  {cells[0]:>9} {cells[1]:>10} {cells[2]:>12}")
    print(f"tracking alone costs {tracking:.0f} ns here (the median of all policies), {TRACKING_THERE} there")


def results_of(figures, tracking):
    """[(the target's words, (whether it is reached, figures))]"""
    scale = tracking / TRACKING_THERE
    kinds = ("early", "late", "hot", "random", "none", "none cold")
    warm = ("early", "late", "hot", "none")
    results = [("networks: below the best other compiler from 1,000 rules up", below_best(figures))]
    for name in ("networks", "zones"):
        limits = {f"{name}, only the default decides": (("none",), ONLY_DEFAULT),
                  f"{name}, other packets that stay in cache": (("early", "late", "hot"), OTHERS)}
        for words, (some, limit) in limits.items():
            def wanted(spot, name=name, some=some):
                return spot[0] == name and spot[2] >= 100 and spot[3] in some
            results.append((f"{words}: at most {limit} ns", below_limit(figures, wanted, limit)))
            results.append(("    the same, scaled", below_limit(figures, wanted, limit * scale)))
    results += [
        ("networks: flat, 100,000 rules against 100 at most 1.5 times",
         ratio(figures, "networks", (100_000, 100), warm, ("fwc", "fwc"), lambda value: value <= 1.5)),
        ("services, 100,000 rules: at most 1.3 times one hash lookup",
         ratio(figures, "services", (100_000, 100_000), kinds, ("fwc", "one hash lookup"),
               lambda value: value <= 1.3)),
        ("    the same, against one in a ruleset that drops what is invalid, as fwc's does",
         ratio(figures, "services", (100_000, 100_000), kinds, ("fwc", "one, invalid dropped"),
               lambda value: value <= 1.3)),
        ("tuples: 10,000 rules at most 3 times 100 rules, what stays in cache",
         ratio(figures, "tuples", (10_000, 100), warm, ("fwc", "fwc"), lambda value: value <= 3)),
        ("    flows that do not (one hash lookup alone grows as the next line says)",
         ratio(figures, "tuples", (10_000, 100), ("random", "none cold"), ("fwc", "fwc"),
               lambda value: value <= 3)),
        ("    one hash lookup, 10,000 elements against 100, the same flows",
         ratio(figures, "services", (10_000, 100), ("random", "none cold"),
               ("one hash lookup", "one hash lookup"), lambda value: value <= 3)),
        ("tuples, 10,000 rules: linear nft rules at least 50 times",
         ratio(figures, "tuples", (10_000, 10_000), ("late", "hot", "random", "none"),
               ("nft linear", "fwc"), lambda value: value >= 50)),
        ("never slower than linear nft rules: packets that hit anywhere, late, or nothing",
         against(figures, LINEAR, lambda spot: spot[3] != "early")),
        ("never slower than linear nft rules: packets that the first rules decide",
         against(figures, LINEAR, lambda spot: spot[3] == "early")),
        ("    the same, beside linear rules that drop what is invalid, as fwc's ruleset does: anywhere",
         against(figures, CHECKED_LINEAR, lambda spot: spot[3] != "early")),
        ("    the same: packets that the first rules decide",
         against(figures, CHECKED_LINEAR, lambda spot: spot[3] == "early")),
        ("never slower than iptables-legacy from 1,000 rules up: anywhere, late, or nothing",
         against(figures, LEGACY, lambda spot: spot[2] >= 1_000 and spot[3] != "early")),
        ("never slower than iptables-legacy from 1,000 rules up: the first rules",
         against(figures, LEGACY, lambda spot: spot[2] >= 1_000 and spot[3] == "early"))]
    return results


def show(rows):
    """Each target, and what either level shows of it."""
    figures = [Figures(rows, own) for _, own in LEVELS]
    tracking = tracking_here(figures[0])
    print_quoted(figures[0], tracking)
    print("\ntargets")
    for results in zip(*(results_of(each, tracking) for each in figures)):
        print(f"  {results[0][0]}")
        for (level, _), (_, (reached, text)) in zip(LEVELS, results):
            verdict = {True: "reached", False: "NOT reached", None: "open"}[reached]
            print(f"    level {level}, {verdict:<11}  {text}")
