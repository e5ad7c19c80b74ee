"""Values of options: what is no date, no group, no name is refused at the command line."""

REFUSED = {
    "--date": ("", "today", "2026-02-30", "2026-13-01", "2026-00-10", "2026-2-3", " 026-01-01", "2026-01-1 ",
               "2025-02-29", "+026-01-01", "2026-01-011", "20260-01-1"),
    "--log-group": ("", "-1", "65536", " 5", "+5", "5 ", "0x5", "99999999999999999999"),
    "--target": ("", "NFT", "iptables", "nft "),
    "--show": ("", "AST", "everything"),
}
ACCEPTED = {
    "--date": ("2024-02-29", "2026-12-31", "1970-01-01"),
    "--log-group": ("0", "5", "65535"),
    "--target": ("nft",),
    "--show": ("ast", "policy", "rules", "nft", "bytecode"),
}


def run(session):
    policy = session.write("options.fw", "allow ssh log;\n")
    for option, values in REFUSED.items():
        for value in values:
            session.check_refusal(f"{option}={value!r}", session.run("compile", f"{option}={value}", policy), 2)
    for option, values in ACCEPTED.items():
        for value in values:
            done = session.run("compile", f"{option}={value}", policy)
            session.check(done.returncode == 0, f"{option}={value}: {done.stderr[:300]}")
