"""Reads an nf_tables table from the kernel, attribute by attribute.

Independent of libnftnl and of nft: two tables with the same lines here are the same to the
kernel. Handles, use counts and the values of counters are left out; set elements are sorted,
since a hash table has no order of its own."""

import socket
import struct
import sys

NETLINK_NETFILTER = 12
NFNL_SUBSYS_NFTABLES = 10
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NFPROTO_INET = 1
NESTED = 0x3FFF
GET_TABLE, GET_CHAIN, GET_RULE, GET_SET, GET_SETELEM, GET_OBJ = 1, 4, 7, 10, 13, 19

# By message: the attributes that may differ between equal tables.
SKIPPED = {
    GET_TABLE: {3, 4},  # NFTA_TABLE_USE, NFTA_TABLE_HANDLE
    GET_CHAIN: {2, 6, 8, 11},  # NFTA_CHAIN_HANDLE, USE, COUNTERS, ID
    GET_RULE: {3, 6, 8},  # NFTA_RULE_HANDLE, POSITION, PAD
    GET_SET: {10, 16, 20},  # NFTA_SET_ID, HANDLE, COUNT
    GET_OBJ: {5, 6},  # NFTA_OBJ_USE, HANDLE
}


def attributes(data):
    """[(type, is nested, payload)]"""
    found, offset = [], 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4 or offset + length > len(data):
            break
        found.append((kind & NESTED, bool(kind & 0x8000), data[offset + 4:offset + length]))
        offset += (length + 3) & ~3
    return found


def show(data):
    """A nest as text: 1=616263 4=(1=00 2=00)"""
    return " ".join(f"{kind}=({show(payload)})" if nested else f"{kind}={payload.hex()}"
                    for kind, nested, payload in attributes(data))


def attribute(kind, payload):
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + b"\0" * (-length % 4)


def dump(message, payload=b""):
    """The attributes of every message that the kernel answers with."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    netlink.bind((0, 0))
    body = struct.pack("=BBH", NFPROTO_INET, 0, 0) + payload
    netlink.send(struct.pack("=IHHII", 16 + len(body), NFNL_SUBSYS_NFTABLES << 8 | message,
                             NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body)
    answers = []
    while True:
        data, offset = netlink.recv(1 << 20), 0
        while offset < len(data):
            length, kind = struct.unpack_from("=IH", data, offset)
            if kind == NLMSG_DONE:
                netlink.close()
                return answers
            if kind == NLMSG_ERROR:
                raise OSError(-struct.unpack_from("=i", data, offset + 16)[0], "dump")
            answers.append(data[offset + 20:offset + length])
            offset += (length + 3) & ~3


def name_of(data, kind=1):
    return next((payload.rstrip(b"\0").decode() for key, _, payload in attributes(data)
                 if key == kind), "")


def lines_of(message, data):
    skipped = SKIPPED[message]
    parts = []
    for kind, nested, payload in attributes(data):
        if kind in skipped or (message == GET_OBJ and kind == 4 and is_counter(data)):
            continue
        parts.append(f"{kind}=({show(payload)})" if nested else f"{kind}={payload.hex()}")
    return f"{message}: " + " ".join(sorted(parts, key=lambda part: int(part.split("=")[0])))


def is_counter(data):
    return any(kind == 3 and payload == b"\0\0\0\1" for kind, _, payload in attributes(data))


def elements_of(table, name):
    request = attribute(1, table.encode() + b"\0") + attribute(2, name.encode() + b"\0")
    lines = []
    for answer in dump(GET_SETELEM, request):
        for kind, _, payload in attributes(answer):
            if kind == 3:
                lines += [f"  {show(element)}" for _, _, element in attributes(payload)]
    return sorted(lines)


def table_state(table):
    """All lines of the table, in an order that does not depend on the kernel's memory."""
    lines = [lines_of(GET_TABLE, data) for data in dump(GET_TABLE) if name_of(data) == table]
    if not lines:
        return ["no table"]
    for message in (GET_CHAIN, GET_OBJ):
        lines += sorted(lines_of(message, data) for data in dump(message)
                        if name_of(data) == table)
    for data in sorted(dump(GET_SET, attribute(1, table.encode() + b"\0")),
                       key=lambda answer: name_of(answer, 2)):
        lines.append(lines_of(GET_SET, data))
        lines += elements_of(table, name_of(data, 2))
    rules = [data for data in dump(GET_RULE) if name_of(data) == table]
    lines += sorted((lines_of(GET_RULE, data) for data in rules),
                    key=lambda line: line.split(" ")[2])  # stable: the order in a chain counts
    return lines


if __name__ == "__main__":
    print("\n".join(table_state(sys.argv[1])))
